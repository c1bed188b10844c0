//! What happens when things go wrong: no room, no permission, no interface, odd packets.

use super::*;
use std::io::Write;

#[test]
fn a_full_ring_counts_what_it_loses() {
    let Some(pair) = VethPair::new() else { return };
    let config = RingConfig {
        block_size: 4096,
        block_count: 2,
        ..RingConfig::new(pair.b.run(|| index("veth1")))
    };
    let mut ring = pair.b.run(|| Ring::open(&config).expect("a ring"));
    let receiver = pair
        .b
        .run(|| UdpSocket::bind("10.9.0.2:9999").expect("bind"));
    let send = |packets| {
        pair.a.run(|| {
            let sender = UdpSocket::bind("10.9.0.1:0").expect("bind");
            for _ in 0..packets {
                sender.send_to(&[0; 100], "10.9.0.2:9999").expect("send");
            }
        });
    };
    send(500);
    let full = ring.statistics();
    assert_eq!(full.packets, 500);
    assert!(full.drops > 400 && full.freezes > 0, "{full:?}");
    let mut frames = ring.drain(usize::MAX, |_| {});
    assert_eq!(
        frames as u64,
        full.packets - full.drops,
        "both blocks are full, none is being filled"
    );
    // The ring goes on once there is room again, and its blocks come round.
    for _ in 0..10 {
        send(5);
        poll(&ring);
        frames += ring.drain(usize::MAX, |_| {});
    }
    frames += ring.drain_all(|_| {}).expect("drained");
    let end = ring.statistics();
    assert_eq!(end.packets, 550);
    assert_eq!(frames as u64, end.packets - end.drops);
    assert!(end.drops < full.drops + 50, "{end:?}");
    drop(receiver);
}

#[test]
fn a_deleted_interface_is_an_error_once() {
    let Some(pair) = VethPair::new() else { return };
    let ring = open(&pair.a, "veth0");
    assert!(ring.take_error().is_none());
    pair.a.ip("link del veth0");
    assert_ne!(poll(&ring) & libc::POLLERR, 0);
    assert_eq!(
        ring.take_error().and_then(|error| error.raw_os_error()),
        Some(libc::ENETDOWN)
    );
    assert!(ring.take_error().is_none());
}

#[test]
fn an_interface_that_is_down_is_captured_once_it_is_up() {
    let Some(pair) = VethPair::new() else { return };
    pair.b.ip("link set veth1 down");
    let ring = open(&pair.b, "veth1");
    assert_eq!(
        ring.take_error().and_then(|error| error.raw_os_error()),
        Some(libc::ENETDOWN)
    );
    pair.b.ip("link set veth1 up");
    inject(&pair.a, "veth0", &ethernet(MAC_B, &[0x88, 0xb5, 0]));
    assert_eq!(finish(ring).len(), 1);
}

#[test]
fn refusals_say_what_was_refused() {
    let Some(netns) = Netns::new() else { return };
    let error = |config: RingConfig| netns.run(|| Ring::open(&config).expect_err("an error"));
    let lo = RingConfig::new(netns.run(|| index("lo")));
    assert!(matches!(
        error(small(4711)),
        RingError::NoSuchInterface { ifindex: 4711 }
    ));
    assert!(matches!(
        error(RingConfig {
            promiscuous: true,
            ..small(4711)
        }),
        RingError::NoSuchInterface { .. }
    ));
    assert!(matches!(
        error(RingConfig {
            promiscuous: true,
            ..small(0)
        }),
        RingError::PromiscuousOnAll
    ));
    for (block_size, block_count) in [(0, 8), (4096, 0), (1000, 8), (1 << 31, u32::MAX)] {
        let refused = error(RingConfig {
            block_size,
            block_count,
            ..lo.clone()
        });
        assert!(
            matches!(refused, RingError::Refused { .. }),
            "{block_size} {block_count}: {refused}"
        );
    }
    let denied = netns.run(|| {
        // SAFETY: plain system call; made directly, it changes this thread only.
        let status = unsafe { libc::syscall(libc::SYS_setresuid, 65534, 65534, 65534) };
        assert_eq!(status, 0);
        Ring::open(&lo).expect_err("an error")
    });
    assert!(matches!(denied, RingError::NoPermission(_)));
    assert!(denied.to_string().contains("CAP_NET_RAW"), "{denied}");
}

#[test]
fn a_super_packet_that_cannot_be_described_is_lost_not_misread() {
    let Some(netns) = Netns::new() else { return };
    netns.ip("tuntap add tun0 mode tun vnet_hdr");
    netns.run(|| {
        let Some(mut tun) = open_tun("tun0") else {
            return skipped("no /dev/net/tun");
        };
        netns.ip("link set tun0 up");
        // A small ring, so that given-up slots come to lie on old frames, and a short timeout.
        let config = RingConfig {
            block_size: 4096,
            block_timeout_ms: 1,
            ..small(index("tun0"))
        };
        let mut ring = Ring::open(&config).expect("a ring");
        let plain = [&[0; 10], &ipv4_udp(8)[..]].concat();
        // UDP fragmentation offload, which the kernel accepts but doesn't hand out again.
        let ufo = [&[0, 3, 28, 0, 0xb8, 0x0b, 0, 0, 0, 0], &ipv4_udp(6000)[..]].concat();
        let mut seen = Vec::new();
        let mut keep =
            |frame: Frame<'_>| seen.push((frame.len, frame.arphrd, frame.gso_size, frame.data[0]));
        for n in 0..500 {
            tun.write_all(if n % 5 == 3 { &ufo } else { &plain })
                .expect("write");
            if n % 20 == 19 {
                poll(&ring);
                ring.drain(usize::MAX, &mut keep);
            }
        }
        ring.drain_all(&mut keep).expect("drained");
        assert_eq!(
            seen,
            [(36, 65534, 0, 0x45); 400],
            "no link-layer header on tun"
        );
        let statistics = ring.statistics();
        assert_eq!(
            (statistics.packets, statistics.drops, statistics.unreadable),
            (500, 100, 0)
        );
    });
}

fn open_tun(name: &str) -> Option<std::fs::File> {
    let file = std::fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/net/tun")
        .ok()?;
    // SAFETY: plain data for which zero is valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request
        .ifr_name
        .iter_mut()
        .zip(name.bytes())
        .for_each(|(to, from)| *to = from as libc::c_char);
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_VNET_HDR) as i16;
    // SAFETY: `request` is a valid ifreq and outlives the call.
    let status = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF as _, &raw mut request) };
    assert_eq!(status, 0, "{}", std::io::Error::last_os_error());
    Some(file)
}

fn ipv4_udp(payload: u16) -> Vec<u8> {
    let len = (payload + 28).to_be_bytes();
    let udp_len = (payload + 8).to_be_bytes();
    let mut packet = vec![
        0x45, 0, len[0], len[1], 0, 0, 0, 0, 64, 17, 0, 0, 10, 7, 0, 1, 10, 7, 0, 2,
    ];
    packet.extend([0x30, 0x39, 0x27, 0x0f, udp_len[0], udp_len[1], 0, 0]);
    packet.resize(usize::from(payload) + 28, 0);
    packet
}
