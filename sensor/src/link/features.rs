//! What a driver can do with XDP, in its own words: the kernel's `netdev` family tells it from 6.3 on, to anybody.

use super::LinkError;
use super::netlink::{self, Message, Request, attributes, u16_at, u32_at, u64_at};

/// The bits of `xdp-features` (linux/netdev.h).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct XdpFeatures(pub u64);

impl XdpFeatures {
    /// Programs run in the driver.
    pub fn native(self) -> bool {
        self.0 & 1 != 0
    }

    /// They may send a packet elsewhere, to an AF_XDP socket say.
    pub fn redirect(self) -> bool {
        self.0 >> 1 & 1 != 0
    }

    /// Packets of several buffers too: jumbo frames.
    pub fn multi_buffer(self) -> bool {
        self.0 >> 5 & 1 != 0
    }

    /// AF_XDP sockets without a copy.
    pub fn zero_copy(self) -> bool {
        self.0 >> 3 & 1 != 0
    }
}

/// `None` where the kernel has no such family (before 6.3), or the interface is gone.
pub fn xdp_features(ifindex: u32) -> Result<Option<XdpFeatures>, LinkError> {
    let Some(family) = family_id()? else {
        return Ok(None);
    };
    let request = Request::new(family, 0, &[DEV_GET, 1, 0, 0])
        .attribute(ATTR_IFINDEX, &ifindex.to_ne_bytes());
    netlink::one_from(libc::NETLINK_GENERIC, request, |message| {
        (message.kind == family)
            .then(|| features(message.payload))
            .flatten()
    })
}

/// Families are numbered when they are registered.
fn family_id() -> Result<Option<u16>, LinkError> {
    let request =
        Request::new(CONTROL, 0, &[GET_FAMILY, 1, 0, 0]).attribute(ATTR_FAMILY_NAME, b"netdev\0");
    let parse = |message: Message<'_>| {
        (message.kind == CONTROL)
            .then(|| family(message.payload))
            .flatten()
    };
    match netlink::one_from(libc::NETLINK_GENERIC, request, parse) {
        Err(LinkError::Refused(error)) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        found => found,
    }
}

fn family(payload: &[u8]) -> Option<u16> {
    attributes(payload.get(HEADER_LEN..)?)
        .find(|attribute| attribute.kind == ATTR_FAMILY_ID)
        .and_then(|attribute| u16_at(attribute.payload, 0))
}

fn features(payload: &[u8]) -> Option<XdpFeatures> {
    attributes(payload.get(HEADER_LEN..)?)
        .find(|attribute| attribute.kind == ATTR_XDP_FEATURES)
        .and_then(|attribute| {
            let narrow = || u32_at(attribute.payload, 0).map(u64::from);
            u64_at(attribute.payload, 0).or_else(narrow)
        })
        .map(XdpFeatures)
}

const HEADER_LEN: usize = 4; // struct genlmsghdr
const CONTROL: u16 = 0x10; // GENL_ID_CTRL
const GET_FAMILY: u8 = 3; // CTRL_CMD_GETFAMILY
const ATTR_FAMILY_ID: u16 = 1; // CTRL_ATTR_FAMILY_ID
const ATTR_FAMILY_NAME: u16 = 2; // CTRL_ATTR_FAMILY_NAME
const DEV_GET: u8 = 1; // NETDEV_CMD_DEV_GET
const ATTR_IFINDEX: u16 = 1; // NETDEV_A_DEV_IFINDEX
const ATTR_XDP_FEATURES: u16 = 3; // NETDEV_A_DEV_XDP_FEATURES

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_read_whatever_stands_around_them() {
        let mut message = vec![DEV_GET, 1, 0, 0];
        message.extend([8, 0, 1, 0, 2, 0, 0, 0]); // the index
        message.extend([12, 0, 3, 0]);
        message.extend(0b10_0001_u64.to_ne_bytes());
        let found = features(&message).unwrap();
        assert!(found.native() && found.multi_buffer() && !found.zero_copy());
        for cut in 0..message.len() {
            assert_eq!(features(&message[..cut]), None);
        }
    }

    #[test]
    fn veth_has_native_xdp_and_loopback_has_not() {
        let Ok(Some(loopback)) = xdp_features(1) else {
            return super::super::netns::skipped("this kernel has no netdev family");
        };
        assert!(!loopback.native());
        let Some(pair) = super::super::netns::VethPair::new() else {
            return;
        };
        let veth = pair.a.run(|| {
            let link = crate::link::by_name("veth0").unwrap().unwrap();
            xdp_features(link.index).unwrap().unwrap()
        });
        assert!(veth.native() && veth.multi_buffer() && !veth.zero_copy());
    }
}
