//! Constants of the eBPF programs that are known when they are loaded: numbers, and where the tables are.
//!
//! Each stands in the object as an instruction that loads a 64-bit number that nothing else loads; the agent puts the value in
//! its place. So a constant costs no look-up and no load, the verifier knows it, and takes out what it makes impossible.

/// What the upper 48 bits of all of them are in the object.
pub const MARK: u64 = 0x5e05_c057_a875 << 16;

/// What the lower 16 bits say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Constant {
    /// The first of the ten seeds of the hash; the others follow.
    Seed = 0,
    /// Slots times the directions of one.
    SlotWays = 16,
    /// CPUs that tables have room for.
    Cpus,
    /// Binary logarithm of the sets per CPU and half.
    SetBits,
    /// What of a hash is not the number of a set.
    SetShift,
    /// Sets in all.
    Sets,
    /// Records in the log per CPU and half.
    LogSize,
    /// All sets are one value of a map, whose address the programs know: 1, or 0 where they are too large for that.
    Direct,
    /// Payloads are taken.
    Sampling,
    /// Addresses tell the direction on a tap.
    Home,
    /// There is a filter.
    Filtering,
    /// It asks for tags of the link layer.
    FilterLink,
    /// Where the value of map `CPU` begins, one [`crate::abi::Cpu`] after the other.
    CpuTable,
    /// The same of all sets, one [`crate::abi::Set`] after the other.
    SetTable,
}
