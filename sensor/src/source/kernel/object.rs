//! The eBPF object: sized for this machine, loaded, its maps mapped.

use aya::maps::{Array, Map, MapData};
use aya::programs::{ProgramError, SchedClassifier, TestRun, TestRunOptions, Xdp};
use aya::{Ebpf, EbpfError, EbpfLoader};
use sensor_common::abi::{NO_SLOT, SAMPLE_RING, SLOT_L3, SLOT_TABLE, WAYS};
use sensor_common::constant::Constant;
use sensor_common::flow::HashSeeds;
use sensor_common::prefix_set::Line;

use super::attach::Program;
use super::constants::Constants;
pub use super::cpus::{Cpus, CpusError};
use super::filter::{FilterLoadError, KernelFilter};
use super::mapping::MappingError;
use super::maps::{Maps, Tables};
pub use super::role::Role;
use super::samples::Samples;
pub use super::size::TableSize;
use super::statistics::RunTime;
use super::tables::{self, TableError};
use super::undisturbed::undisturbed;
use super::verdict;

/// Stripped, reproducible; `cargo xtask build-ebpf` makes it and compares it.
static OBJECT: &[u8] =
    aya::include_bytes_aligned!("../../../../sensor-ebpf/prebuilt/sensor.bpfel.o");

/// The kernel wants a power of two and whole pages, of whatever size.
const LEAST_RING: u32 = 1 << 16;

/// Programs by what becomes of the packet: it passes on, or (on a tap) it goes no further.
const XDP: [&str; 2] = ["sensor_xdp", "sensor_xdp_tap"];
const XDP_FRAGS: [&str; 2] = ["sensor_xdp_frags", "sensor_xdp_frags_tap"];
const TC_INGRESS: [&str; 2] = ["sensor_tc_ingress", "sensor_tc_tap"];
const TC_EGRESS: &str = "sensor_tc_egress";
const CLOCK: &str = "sensor_clock";

#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    #[error(transparent)]
    Cpus(#[from] CpusError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("the eBPF object can't be loaded: {0}")]
    Load(#[from] EbpfError),
    #[error("the eBPF object has no {kind} {name}: rebuild it with cargo xtask build-ebpf --bless")]
    Missing {
        kind: &'static str,
        name: &'static str,
    },
    #[error("program {name} is refused by the kernel: {}", verdict::of(.error))]
    Program {
        name: &'static str,
        error: ProgramError,
    },
    #[error(transparent)]
    Mapping(#[from] MappingError),
    #[error(transparent)]
    Filter(#[from] FilterLoadError),
    #[error(
        "the eBPF object asks for constant {number}, which nobody knows: rebuild it with cargo xtask build-ebpf --bless"
    )]
    Constant { number: u16 },
    #[error("the table of interfaces can't be written: {0}")]
    Slots(#[from] aya::maps::MapError),
    #[error(
        "interface index {ifindex} shares its place in the kernel's table with a monitored interface"
    )]
    SlotTaken { ifindex: u32 },
}

/// What the programs do, apart from how much room they have.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    pub seeds: &'a HashSeeds,
    pub filter: Option<&'a KernelFilter>,
    /// The first payloads of each flow are handed over.
    pub samples: bool,
}

/// The loaded object. Programs are loaded into the kernel when they are first attached.
pub struct Object {
    ebpf: Ebpf,
    slots: Array<MapData, [u16; SLOT_TABLE]>,
    slot_of: [u16; SLOT_TABLE],
    /// The highest slot that was ever assigned, plus one.
    slots_used: u32,
    pub maps: Maps,
    pub size: TableSize,
    /// Which of the programs by what becomes of packets.
    tap: usize,
}

impl Object {
    pub fn load(size: TableSize, task: Task<'_>) -> Result<Self, ObjectError> {
        Self::load_as(Role::Host, size, task)
    }

    pub fn load_as(role: Role<'_>, size: TableSize, task: Task<'_>) -> Result<Self, ObjectError> {
        // Without a filter too: kernels before 6.8 verify the stub that stands in its place, though nothing calls it.
        let everything = KernelFilter::everything();
        let filter = task.filter.unwrap_or(&everything);
        let mut object = filter.put_into(OBJECT, task.samples)?;
        let tables =
            Tables::create(&size).map_err(|error| tables::explained(error.into(), &size))?;
        let constants = constants(role, &size, &task, filter, &tables);
        let missing = |number| ObjectError::Constant { number };
        constants.put_into(&mut object).map_err(missing)?;
        let (filter_lines, home_lines) = (filter.lines(), role.lines());
        let sets = if tables.are_direct() { 1 } else { size.sets() };
        let mut ebpf = EbpfLoader::new()
            .btf(None) // nothing in the object needs relocation against the kernel's types
            .map_max_entries("CONTROL", size.cpus * size.slots * role.ways())
            .map_max_entries("SETS", sets)
            .map_max_entries("LOG", size.regions() * size.log)
            .map_max_entries("OCCUPIED", size.sets() / (64 / WAYS as u32))
            .map_max_entries("FILTER_LINES", filter_lines.len().max(1) as u32)
            .map_max_entries("HOME_LINES", home_lines.len().max(1) as u32)
            .map_max_entries(
                "TAGS",
                if task.samples {
                    size.cpus << size.set_bits
                } else {
                    1
                },
            )
            .map_max_entries(
                "SAMPLES",
                if task.samples {
                    SAMPLE_RING
                } else {
                    LEAST_RING
                },
            )
            .load(&object)
            .map_err(|error| tables::explained(error, &size))?;
        fill_lines(&mut ebpf, "FILTER_LINES", filter_lines)?;
        fill_lines(&mut ebpf, "HOME_LINES", home_lines)?;
        let maps = tables.mapped(&mut ebpf)?;
        Ok(Object {
            slots: Array::try_from(taken(&mut ebpf, ".data")?)?,
            ebpf,
            slot_of: [NO_SLOT; SLOT_TABLE],
            slots_used: 0,
            maps,
            size,
            tap: usize::from(role.is_tap()),
        })
    }

    /// From now on packets of this interface count for `slot`.
    pub fn assign(
        &mut self,
        ifindex: u32,
        slot: u8,
        starts_with_ip: bool,
    ) -> Result<(), ObjectError> {
        let place = place_of(ifindex);
        let value = u16::from(slot) | if starts_with_ip { SLOT_L3 } else { 0 };
        if self.slot_of[place] != NO_SLOT && self.slot_of[place] != value {
            return Err(ObjectError::SlotTaken { ifindex });
        }
        self.slot_of[place] = value;
        self.slots_used = self.slots_used.max(u32::from(slot) + 1);
        Ok(self.slots.set(0, self.slot_of, 0)?)
    }

    /// As many slots, from 0 on, may have counts.
    pub fn slots_used(&self) -> u32 {
        self.slots_used
    }

    /// The interface is gone; its index may come again. A place that another interface has is left to it.
    pub fn release(&mut self, ifindex: u32, slot: u8) -> Result<(), ObjectError> {
        let place = place_of(ifindex);
        if self.slot_of[place] & !SLOT_L3 == u16::from(slot) {
            self.slot_of[place] = NO_SLOT;
        }
        Ok(self.slots.set(0, self.slot_of, 0)?)
    }

    pub(super) fn run_time(&self) -> RunTime {
        let mut sum = RunTime::default();
        let ours = [XDP, XDP_FRAGS, TC_INGRESS].map(|names| names[self.tap]);
        for name in ours.into_iter().chain([TC_EGRESS]) {
            // What is not loaded has no information.
            if let Some(Ok(info)) = self.ebpf.program(name).map(aya::programs::Program::info) {
                sum += RunTime {
                    runs: info.run_count(),
                    nanoseconds: u64::try_from(info.run_time().as_nanos()).unwrap_or(u64::MAX),
                };
            }
        }
        sum
    }

    /// Has the kernel verify a program, before anything depends on it.
    pub(super) fn prepare(&mut self, program: Program) -> Result<(), ObjectError> {
        match program {
            Program::Xdp { frags } => self.xdp(frags).map(drop),
            Program::Tc { egress } => self.tc(egress).map(drop),
        }
    }

    /// The XDP program with multi-buffer support, or the one without.
    pub fn xdp(&mut self, frags: bool) -> Result<&mut Xdp, ObjectError> {
        let name = if frags { XDP_FRAGS } else { XDP }[self.tap];
        let program: &mut Xdp = self.program(name)?;
        loaded(undisturbed(|| program.load()), name)?;
        Ok(program)
    }

    pub(super) fn tc_name(&self, egress: bool) -> &'static str {
        if egress {
            TC_EGRESS
        } else {
            TC_INGRESS[self.tap]
        }
    }

    pub fn tc(&mut self, egress: bool) -> Result<&mut SchedClassifier, ObjectError> {
        self.classifier(self.tc_name(egress))
    }

    /// The ring buffer with the payloads; it can be taken once.
    pub(super) fn samples(&mut self) -> Result<Samples, ObjectError> {
        Samples::new(taken(&mut self.ebpf, "SAMPLES")?)
    }

    /// Whether programs can be run and tables written with the capabilities in effect.
    pub fn can_be_read(&mut self) -> bool {
        self.ticks().is_ok() && self.slots.set(0, self.slot_of, 0).is_ok()
    }

    /// What time it is in the programs' ticks.
    pub fn ticks(&mut self) -> Result<u32, ObjectError> {
        let program = self.classifier(CLOCK)?;
        let packet = [0; 64];
        let options = TestRunOptions {
            data_in: Some(&packet),
            ..TestRunOptions::default()
        };
        match program.test_run(options) {
            Ok(result) => Ok(result.return_value),
            Err(error) => Err(ObjectError::Program { name: CLOCK, error }),
        }
    }

    fn classifier(&mut self, name: &'static str) -> Result<&mut SchedClassifier, ObjectError> {
        let program: &mut SchedClassifier = self.program(name)?;
        loaded(undisturbed(|| program.load()), name)?;
        Ok(program)
    }

    fn program<'a, P>(&'a mut self, name: &'static str) -> Result<&'a mut P, ObjectError>
    where
        &'a mut P: TryFrom<&'a mut aya::programs::Program, Error = ProgramError>,
    {
        let program = self.ebpf.program_mut(name).ok_or(ObjectError::Missing {
            kind: "program",
            name,
        })?;
        program
            .try_into()
            .map_err(|error| ObjectError::Program { name, error })
    }
}

/// An interface's place in the kernel's table of slots.
pub(super) fn place_of(ifindex: u32) -> usize {
    ifindex as usize & (SLOT_TABLE - 1)
}

/// What is known of a run when its programs are loaded.
fn constants(
    role: Role<'_>,
    size: &TableSize,
    task: &Task<'_>,
    filter: &KernelFilter,
    tables: &Tables,
) -> Constants {
    let mut constants = Constants::default();
    constants.seeds(task.seeds);
    tables.tell(&mut constants);
    for (constant, value) in [
        (Constant::SlotWays, u64::from(size.slots * role.ways())),
        (Constant::Cpus, u64::from(size.cpus)),
        (Constant::SetBits, u64::from(size.set_bits)),
        (Constant::SetShift, u64::from(u64::BITS - size.set_bits)),
        (Constant::Sets, u64::from(size.sets())),
        (Constant::LogSize, u64::from(size.log)),
        (Constant::Sampling, u64::from(task.samples)),
        (Constant::Home, u64::from(role.knows_home())),
        (Constant::Filtering, u64::from(filter.asks())),
        (Constant::FilterLink, u64::from(filter.asks_link())),
    ] {
        constants.number(constant, value);
    }
    constants
}

/// A table that programs look into.
fn fill_lines(ebpf: &mut Ebpf, name: &'static str, lines: &[Line]) -> Result<(), ObjectError> {
    let missing = ObjectError::Missing { kind: "map", name };
    let map = ebpf.map_mut(name).ok_or(missing)?;
    let mut map: Array<_, [u64; 8]> = Array::try_from(map)?;
    for (index, line) in lines.iter().enumerate() {
        map.set(index as u32, line.0, 0)?;
    }
    Ok(())
}

fn loaded(result: Result<(), ProgramError>, name: &'static str) -> Result<(), ObjectError> {
    match result {
        Ok(()) | Err(ProgramError::AlreadyLoaded) => Ok(()),
        Err(error) => Err(ObjectError::Program { name, error }),
    }
}

fn taken(ebpf: &mut Ebpf, name: &'static str) -> Result<Map, ObjectError> {
    let map = ebpf.take_map(name);
    map.ok_or(ObjectError::Missing { kind: "map", name })
}
