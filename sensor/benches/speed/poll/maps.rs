//! A hash map of the kernel read by bare system calls: what a lean agent would do.

use std::os::fd::{AsFd, AsRawFd};

use aya::maps::{Map, MapData};

const BPF_MAP_LOOKUP_ELEM: libc::c_int = 1;
const BPF_MAP_GET_NEXT_KEY: libc::c_int = 4;
const BPF_MAP_LOOKUP_BATCH: libc::c_int = 24;
const KEY: usize = 5;
const VALUE: usize = 5;
const BATCH: usize = 4096;

/// The part of `union bpf_attr` for one element.
#[repr(C)]
#[derive(Default)]
struct Element {
    map: u32,
    pad: u32,
    key: u64,
    /// Where the value or the next key goes.
    to: u64,
    flags: u64,
}

/// The part of `union bpf_attr` for many.
#[repr(C)]
#[derive(Default)]
struct Batch {
    from: u64,
    to: u64,
    keys: u64,
    values: u64,
    count: u32,
    map: u32,
    element_flags: u64,
    flags: u64,
}

pub(super) struct HashMap {
    data: MapData,
    /// Values of a key: one, or one for each possible CPU.
    copies: usize,
}

impl HashMap {
    pub(super) fn new(map: Map, copies: usize) -> Self {
        let (Map::HashMap(data) | Map::PerCpuHashMap(data)) = map else {
            panic!("no hash map");
        };
        HashMap { data, copies }
    }

    fn fd(&self) -> u32 {
        self.data.fd().as_fd().as_raw_fd() as u32
    }

    /// Two system calls a flow.
    pub(super) fn one_by_one(&self) -> u64 {
        let mut key = [0u64; KEY];
        let mut next = [0u64; KEY];
        let mut value = vec![0u64; VALUE * self.copies];
        let (mut flows, mut first) = (0, true);
        loop {
            let mut element = Element {
                map: self.fd(),
                key: if first { 0 } else { key.as_ptr() as u64 },
                to: next.as_mut_ptr() as u64,
                ..Element::default()
            };
            if !bpf(BPF_MAP_GET_NEXT_KEY, &mut element) {
                return flows;
            }
            (key, first) = (next, false);
            let mut element = Element {
                map: self.fd(),
                key: key.as_ptr() as u64,
                to: value.as_mut_ptr() as u64,
                ..Element::default()
            };
            flows += u64::from(bpf(BPF_MAP_LOOKUP_ELEM, &mut element));
        }
    }

    /// A system call for some thousand flows.
    pub(super) fn in_batches(&self) -> u64 {
        let mut keys = vec![[0u64; KEY]; BATCH];
        let mut values = vec![0u64; BATCH * VALUE * self.copies];
        let (mut from, mut to) = ([0u8; 64], [0u8; 64]);
        let (mut flows, mut first) = (0, true);
        loop {
            let mut batch = Batch {
                from: if first { 0 } else { from.as_ptr() as u64 },
                to: to.as_mut_ptr() as u64,
                keys: keys.as_mut_ptr() as u64,
                values: values.as_mut_ptr() as u64,
                count: BATCH as u32,
                map: self.fd(),
                ..Batch::default()
            };
            let more = bpf(BPF_MAP_LOOKUP_BATCH, &mut batch);
            flows += u64::from(batch.count);
            if !more {
                return flows;
            }
            (from, first) = (to, false);
        }
    }
}

/// False at the end of the map; anything else that goes wrong is a mistake here.
fn bpf<T>(command: libc::c_int, attributes: &mut T) -> bool {
    let (pointer, size) = (&raw mut *attributes, size_of::<T>());
    // SAFETY: the attributes are of the kernel's layout, and what they point to lives through the call.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, pointer, size) };
    let error = std::io::Error::last_os_error();
    assert!(
        result == 0 || error.raw_os_error() == Some(libc::ENOENT),
        "bpf({command}): {error}"
    );
    result == 0
}
