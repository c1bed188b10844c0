//! The maps that programs and agent share, in this process's memory.
//!
//! The value of an array map that has only one is at an address that programs know when they are loaded, so nothing is looked
//! up. Kernels do not make such values as large as one likes; then the sets are an array as usual.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use aya::Ebpf;
use aya::maps::{Map, MapData, MapError};
use sensor_common::abi::{Control, Cpu, Record, Set};
use sensor_common::constant::Constant;

use super::constants::Constants;
use super::mapping::Mapped;
use super::object::{ObjectError, TableSize};

/// The maps as the agent sees them; the descriptors must outlive the mappings' use by programs, not by us.
pub struct Maps {
    pub control: Mapped<Control>,
    pub cpu: Mapped<Cpu>,
    pub sets: Mapped<Set>,
    pub log: Mapped<Record>,
    pub occupied: Mapped<u64>,
    _held: Tables,
}

/// Maps that exist before the programs, whose instructions name their descriptors.
pub(super) struct Tables {
    cpu: MapData,
    sets: Option<MapData>,
}

impl Tables {
    pub(super) fn create(size: &TableSize) -> Result<Self, MapError> {
        let cpus = u64::from(size.cpus) * size_of::<Cpu>() as u64;
        Ok(Tables {
            cpu: of_one_value("CPU", cpus)?,
            sets: match size.is_direct() {
                true => sets(size)?,
                false => None,
            },
        })
    }

    pub(super) fn are_direct(&self) -> bool {
        self.sets.is_some()
    }

    pub(super) fn tell(&self, constants: &mut Constants) {
        constants.table(Constant::CpuTable, self.cpu.fd().as_fd().as_raw_fd());
        constants.number(Constant::Direct, u64::from(self.are_direct()));
        match &self.sets {
            Some(sets) => constants.table(Constant::SetTable, sets.fd().as_fd().as_raw_fd()),
            None => constants.number(Constant::SetTable, 0),
        }
    }

    pub(super) fn mapped(self, ebpf: &mut Ebpf) -> Result<Maps, ObjectError> {
        Ok(Maps {
            control: mapped(ebpf, "CONTROL")?,
            cpu: values(&self.cpu, "CPU")?,
            sets: match &self.sets {
                Some(sets) => values(sets, "SETS")?,
                None => mapped(ebpf, "SETS")?,
            },
            log: mapped(ebpf, "LOG")?,
            occupied: mapped(ebpf, "OCCUPIED")?,
            _held: self,
        })
    }
}

/// `None` where the kernel does not make values of that size.
fn sets(size: &TableSize) -> Result<Option<MapData>, MapError> {
    match of_one_value("SETS", size.set_bytes()) {
        Ok(sets) => Ok(Some(sets)),
        Err(MapError::CreateError { io_error, .. }) if is_too_big(&io_error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_too_big(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::E2BIG)
}

fn of_one_value(name: &'static str, bytes: u64) -> Result<MapData, MapError> {
    /// `BPF_MAP_TYPE_ARRAY`.
    const ARRAY: u32 = 2;
    /// `BPF_F_MMAPABLE`.
    const MMAPABLE: u32 = 1 << 10;
    const KEY: u32 = size_of::<u32>() as u32;
    let Ok(bytes) = u32::try_from(bytes) else {
        return Err(MapError::CreateError {
            name: name.to_owned(),
            io_error: io::Error::from_raw_os_error(libc::E2BIG),
        });
    };
    let map = aya_obj::Map::new_from_params(ARRAY, KEY, bytes, 1, MMAPABLE);
    MapData::create(map, name, None)
}

/// The one value of a map as many.
fn values<T>(data: &MapData, name: &'static str) -> Result<Mapped<T>, ObjectError> {
    let len = data.info()?.value_size() / size_of::<T>() as u32;
    Ok(Mapped::new(
        data.fd().as_fd(),
        name,
        size_of::<T>() as u32,
        len,
    )?)
}

fn mapped<T>(ebpf: &mut Ebpf, name: &'static str) -> Result<Mapped<T>, ObjectError> {
    match ebpf.map(name) {
        Some(Map::Array(data)) => {
            let info = data.info()?;
            let (size, len) = (info.value_size(), info.max_entries());
            Ok(Mapped::new(data.fd().as_fd(), name, size, len)?)
        }
        _ => Err(ObjectError::Missing { kind: "map", name }),
    }
}
