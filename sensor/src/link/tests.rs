use super::netns::{Netns, VethPair, eventually};
use super::*;

fn named(name: &str) -> Link {
    by_name(name)
        .expect("an answer")
        .unwrap_or_else(|| panic!("no interface {name}"))
}

#[test]
fn loopback_is_found_by_list_by_name_and_by_index() {
    let lo = named("lo");
    assert!(lo.loopback);
    assert_eq!((lo.name.as_str(), lo.arphrd, lo.xdp), ("lo", 772, None));
    let listed = links().expect("links");
    let same = |found: &Link| (found.index, found.name.clone()) == (lo.index, lo.name.clone());
    assert!(listed.iter().any(same));
    assert!(
        by_index(lo.index)
            .expect("an answer")
            .as_ref()
            .is_some_and(same)
    );
    assert!(counters(lo.index).expect("an answer").is_some());
}

#[test]
fn what_does_not_exist_is_none() {
    for name in [
        "",
        "no-such-if",
        "a name that is longer than any name",
        "a\0b",
        &"x".repeat(127),
        &"x".repeat(4096),
    ] {
        assert_eq!(by_name(name).expect("an answer"), None, "{name:?}");
    }
    for index in [0, 0x7fff_fff0, u32::MAX] {
        assert_eq!(counters(index).expect("an answer"), None, "{index}");
    }
}

#[test]
fn a_namespace_of_its_own_is_described_whole() {
    let Some(pair) = VethPair::new() else { return };
    pair.b.ip("link set veth1 down");
    pair.a
        .ip("link set veth0 mtu 1400 address 02:00:00:00:00:09");
    pair.a.ip("link add br0 type bridge");
    pair.a.ip("link set veth0 master br0");
    pair.a.ip("tuntap add tun0 mode tun");
    pair.a
        .ip("link property add dev br0 altname the-bridge-with-a-long-name");
    pair.a.run(|| {
        let veth = named("veth0");
        assert_eq!(veth.kind.as_deref(), Some("veth"));
        assert_eq!(
            (veth.up, veth.running),
            (true, false),
            "no carrier while the peer is down"
        );
        assert_eq!(
            (veth.mtu, veth.mac, veth.arphrd),
            (1400, Some([2, 0, 0, 0, 0, 9]), 1)
        );
        assert_eq!(veth.master, Some(named("br0").index));
        let tun = named("tun0");
        assert_eq!(
            (tun.kind.as_deref(), tun.mac, tun.arphrd),
            (Some("tun"), None, 65534)
        );
        assert_eq!(named("the-bridge-with-a-long-name").name, "br0");
        let names: Vec<_> = links()
            .expect("links")
            .into_iter()
            .map(|link| link.name)
            .collect();
        assert_eq!(names.len(), 4, "{names:?}");
        assert_eq!(driver("veth0").as_deref(), Some("veth"));
        assert_eq!(driver("br0").as_deref(), Some("bridge"));
        assert_eq!(driver("veth1"), None, "it lives in the other namespace");
    });
    pair.b.ip("link set veth1 up");
    assert!(pair.a.run(|| named("veth0").running));
}

#[test]
fn a_list_longer_than_one_datagram_is_whole_and_sorted() {
    let Some(netns) = Netns::new() else { return };
    for n in 0..60 {
        netns.ip(&format!("link add p{n} type veth peer name q{n}"));
    }
    let links = netns.run(|| links().expect("links"));
    assert_eq!(links.len(), 121);
    assert!(links.is_sorted_by_key(|link| link.index));
}

#[test]
fn counters_count_and_vanish_with_the_interface() {
    let Some(pair) = VethPair::new() else { return };
    pair.a.run(|| {
        let index = named("veth0").index;
        let before = counters(index).expect("an answer").expect("an interface");
        let socket = std::net::UdpSocket::bind("10.9.0.1:0").expect("bind");
        for _ in 0..5 {
            socket.send_to(&[0; 58], "10.9.0.2:9").expect("send");
        }
        let after = counters(index).expect("an answer").expect("an interface");
        assert_eq!(after.tx.packets - before.tx.packets, 5);
        assert_eq!(after.tx.bytes - before.tx.bytes, 500);
        let link = by_index(index).expect("an answer").expect("an interface");
        assert_eq!((link.rx, link.tx), (after.rx, after.tx));
        pair.a.ip("link del veth0");
        assert_eq!(counters(index).expect("an answer"), None);
    });
}

#[test]
fn the_default_route_is_the_one_with_the_lowest_metric() {
    let Some(pair) = VethPair::new() else { return };
    pair.a.ip("link add other type veth peer name far");
    pair.a.ip("link set other up");
    pair.a.ip("link set far up");
    pair.a.ip("addr add 10.10.0.1/24 dev other");
    let index = |name| pair.a.run(move || named(name).index);
    let route = || pair.a.run(|| default_route().expect("an answer"));
    assert_eq!(route(), None);
    pair.a.ip("route add default via 10.9.0.7 metric 100");
    assert_eq!(route(), Some(index("veth0")));
    pair.a.ip("route add default via 10.10.0.7 metric 50");
    assert_eq!(route(), Some(index("other")));
    pair.a.ip("route add unreachable default");
    assert_eq!(route(), Some(index("other")));
    pair.a
        .ip("route replace default metric 7 nexthop via 10.9.0.7 nexthop via 10.10.0.7");
    assert_eq!(route(), Some(index("veth0")));
}

#[test]
fn addresses_belong_to_their_interface() {
    let Some(pair) = VethPair::new() else { return };
    pair.a.ip("addr add 10.8.0.1 peer 10.8.0.2/32 dev veth0");
    pair.a.run(|| {
        let all = addresses().expect("addresses");
        let address = |addr: [u8; 4], prefix_len| Address {
            addr: addr.into(),
            prefix_len,
        };
        assert_eq!(
            all[&named("veth0").index],
            [address([10, 8, 0, 1], 32), address([10, 9, 0, 1], 24)]
        );
        assert_eq!(all[&named("lo").index], [address([127, 0, 0, 1], 8)]);
    });
}

#[test]
fn an_xdp_program_is_seen_with_its_mode() {
    let Some(pair) = VethPair::new() else { return };
    for (flags, mode) in [(2, XdpMode::Generic), (4, XdpMode::Native)] {
        pair.a.run(|| {
            let program = xdp_pass();
            let link = attach(program, named("veth0").index, flags);
            let found = named("veth0").xdp.expect("an attached program");
            assert_eq!(found.mode, mode);
            assert_ne!(found.prog_id, 0);
            // SAFETY: both descriptors are ours and closed once.
            unsafe { (libc::close(link), libc::close(program)) };
            assert!(eventually(|| named("veth0").xdp.is_none()));
        });
    }
}

/// Loads `return XDP_PASS` and gives its descriptor.
fn xdp_pass() -> libc::c_int {
    const PROG_LOAD: libc::c_long = 5;
    const PROG_TYPE_XDP: u64 = 6;
    let instructions: [u64; 2] = [0x0000_0002_0000_00b7, 0x0000_0000_0000_0095]; // r0 = 2; exit
    let attributes = [
        PROG_TYPE_XDP | 2 << 32,
        instructions.as_ptr() as u64,
        c"GPL".as_ptr() as u64,
        0,
        0,
        0,
        0,
        0,
        0,
    ];
    bpf(PROG_LOAD, &attributes)
}

fn attach(program: libc::c_int, ifindex: u32, flags: u64) -> libc::c_int {
    const LINK_CREATE: libc::c_long = 28;
    const ATTACH_XDP: u64 = 37;
    bpf(
        LINK_CREATE,
        &[
            program as u64 | u64::from(ifindex) << 32,
            ATTACH_XDP | flags << 32,
        ],
    )
}

fn bpf(command: libc::c_long, attributes: &[u64]) -> libc::c_int {
    // SAFETY: the attributes are as long as we say, and what they point to outlives the call.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            attributes.as_ptr(),
            size_of_val(attributes),
        )
    };
    assert!(fd >= 0, "bpf({command}): {}", io::Error::last_os_error());
    fd as libc::c_int
}
