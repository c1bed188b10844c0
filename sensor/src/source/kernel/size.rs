//! How much room the kernel's tables have.

use sensor_common::abi::{Record, WAYS};

use super::cpus::Cpus;

/// Sizes of the kernel's tables.
#[derive(Clone, Copy, Debug)]
pub struct TableSize {
    pub cpus: u32,
    /// Interfaces.
    pub slots: u32,
    /// Binary logarithm of the sets per CPU and half; at least 3, so that a region has whole words of bits by record.
    pub set_bits: u32,
    /// Spilled records per CPU and half.
    pub log: u32,
}

/// A bound of the verifier (`BPF_MAX_VAR_OFF`): offsets into a value that it does not know beforehand are below it.
const LARGEST_VALUE: u64 = 1 << 29;

impl TableSize {
    /// For `max_flows` in an interval: each online CPU gets four times its share as places, for receive-side scaling is
    /// uneven and sets should be half empty; what spills all the same goes to the log. CPUs that are possible but not
    /// online cost memory too, so many of them make the regions smaller (64 KiB for 16 flows is the limit in all).
    pub fn for_flows(max_flows: u32, cpus: Cpus, slots: u32) -> Self {
        let flows = u64::from(max_flows);
        let share = (4 * flows).div_ceil(u64::from(cpus.online.max(1)));
        let budget =
            flows * 4096 / (2 * size_of::<Record>() as u64 * u64::from(cpus.possible.max(1)));
        let sets = share.min(budget).div_ceil(WAYS as u64).next_power_of_two();
        TableSize {
            cpus: cpus.possible,
            slots,
            set_bits: sets.clamp(1 << 9, 1 << 22).trailing_zeros(),
            log: 4096,
        }
    }

    /// Of all CPUs and halves.
    pub(super) fn sets(&self) -> u32 {
        self.regions() << self.set_bits
    }

    /// Whether all sets can be one value of a map, whose address the programs know.
    pub(super) fn is_direct(&self) -> bool {
        self.set_bytes() <= LARGEST_VALUE
    }

    pub(super) fn set_bytes(&self) -> u64 {
        self.records() * size_of::<Record>() as u64
    }

    pub(super) fn regions(&self) -> u32 {
        self.cpus * 2
    }

    pub fn records(&self) -> u64 {
        (u64::from(self.regions()) << self.set_bits) * WAYS as u64
    }

    /// Of sets and log, which is most of it.
    pub(super) fn bytes(&self) -> u64 {
        let spilled = u64::from(self.regions()) * u64::from(self.log);
        self.set_bytes() + spilled * size_of::<Record>() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_online_cpu_has_room_and_memory_is_bounded() {
        for (possible, online) in [(1, 1), (2, 2), (64, 64), (128, 128), (240, 4), (512, 512)] {
            let size = TableSize::for_flows(65_536, Cpus { possible, online }, 1);
            let records = (WAYS as u64) << size.set_bits;
            assert!(records >= 4096, "{size:?}");
            let bytes = size.records() * size_of::<Record>() as u64;
            assert!(bytes <= 512 << 20, "{size:?}: {bytes} bytes");
        }
        let two = TableSize::for_flows(
            65_536,
            Cpus {
                possible: 2,
                online: 2,
            },
            1,
        );
        assert_eq!(two.records(), 2 * 2 * 131_072);
    }
}
