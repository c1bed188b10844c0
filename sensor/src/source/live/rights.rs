//! What a live source needs to go on, once it counts.

use crate::cli::Backend;
use crate::privilege::{self, Capability};
use crate::sandbox::Bpf;

use super::Live;

impl Live {
    /// Whether tables and clock can be read with what is in effect now.
    pub fn can_read(&mut self) -> bool {
        self.kernel
            .as_mut()
            .is_none_or(|kernel| kernel.object.can_be_read())
    }

    /// To attach to an interface that has come back, and to load another filter.
    pub fn rights_to_attach(&self) -> Vec<Capability> {
        let backend = self.config.wish.backend;
        let ebpf = match backend {
            Backend::AfPacket => &[],
            Backend::Auto | Backend::Xdp | Backend::Tc | Backend::AfXdp => privilege::EBPF,
        };
        let packets = match backend {
            Backend::Auto | Backend::AfPacket => privilege::AF_PACKET,
            Backend::AfXdp => privilege::AF_XDP,
            Backend::Xdp | Backend::Tc => &[],
        };
        let promiscuous = match self.config.mirror {
            Some(_) => privilege::AF_PACKET,
            None => &[],
        };
        let mut all = [ebpf, packets, promiscuous].concat();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// To end: a hook that is no bpf_link has to be taken off.
    pub fn rights_to_end(&self) -> Vec<Capability> {
        let clsact = |name: Option<&str>| name == Some("clsact");
        let mut interfaces = self.interfaces.iter();
        match interfaces.any(|one| clsact(one.ingress.name) || clsact(one.egress.name)) {
            true => vec![privilege::NET_ADMIN],
            false => Vec::new(),
        }
    }

    /// How much of the eBPF system call is needed from now on.
    pub fn bpf(&self, strict: bool) -> Bpf {
        match (self.config.wish.backend, strict) {
            (Backend::AfPacket, _) => Bpf::Nothing,
            (_, true) => Bpf::Read,
            (_, false) => Bpf::Load,
        }
    }
}
