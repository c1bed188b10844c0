//! What the kernel or the device did to packets before we saw them: joined segments, stripped tags.

use super::*;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

#[test]
fn super_packets_tell_their_segments() {
    const BYTES: usize = 4 << 20;
    let Some(pair) = VethPair::new() else { return };
    let (at_a, at_b) = (open(&pair.a, "veth0"), open(&pair.b, "veth1"));
    let counters = |netns: &Netns, name: &str| {
        netns.run(|| {
            link::counters(index(name))
                .expect("an answer")
                .expect("an interface")
        })
    };
    let before = counters(&pair.a, "veth0");
    let listener = pair
        .b
        .run(|| TcpListener::bind("10.9.0.2:9999").expect("bind"));
    let mut stream = pair
        .a
        .run(|| TcpStream::connect("10.9.0.2:9999").expect("connect"));
    let received = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("accept");
        std::io::copy(&mut stream, &mut std::io::sink()).expect("read")
    });
    stream.write_all(&vec![7; BYTES]).expect("write");
    stream
        .shutdown(std::net::Shutdown::Write)
        .expect("shutdown");
    assert_eq!(received.join().expect("receiver"), BYTES as u64);
    assert_eq!(stream.read(&mut [0]).expect("the end"), 0);
    let after = counters(&pair.a, "veth0");
    let sent: Vec<_> = finish(at_a)
        .into_iter()
        .filter(|frame| frame.packet_type == OUTGOING)
        .collect();
    let arrived: Vec<_> = finish(at_b)
        .into_iter()
        .filter(|frame| frame.packet_type == HOST)
        .collect();

    assert_eq!(sent.len() as u64, after.tx.packets - before.tx.packets);
    let bytes: u64 = sent.iter().map(|frame| u64::from(frame.len)).sum();
    assert_eq!(bytes, after.tx.bytes - before.tx.bytes);
    assert_eq!(wire_packets(&sent), wire_packets(&arrived));
    let supers: Vec<_> = sent.iter().filter(|frame| frame.gso_size != 0).collect();
    assert!(
        !supers.is_empty(),
        "no super-packet in {} frames",
        sent.len()
    );
    for frame in supers {
        assert_eq!(
            (frame.gso_kind & 0x7f, frame.gso_size),
            (1, 1448),
            "TCP over IPv4, MTU 1500 and timestamps"
        );
        assert!(frame.len > 1514);
    }
    // Every byte in segments of 1448, and few packets besides: SYN, FIN, ends of super-packets.
    let needed = BYTES.div_ceil(1448);
    assert!(
        (needed..needed + needed / 4).contains(&wire_packets(&sent)),
        "{} for {needed}",
        wire_packets(&sent)
    );
}

/// What the frames are on the wire; Ethernet, IPv4 and TCP headers are 66 bytes here.
fn wire_packets(frames: &[Seen]) -> usize {
    let segments = |frame: &Seen| match frame.gso_size {
        0 => 1,
        size => (frame.len as usize - 66).div_ceil(size.into()),
    };
    frames.iter().map(segments).sum()
}

#[test]
fn a_stripped_tag_is_restored_and_not_counted_in_the_length() {
    let Some(pair) = VethPair::new() else { return };
    let (at_a, at_b) = (open(&pair.a, "veth0"), open(&pair.b, "veth1"));
    for tpid in [0x81, 0x88] {
        let second = if tpid == 0x81 { 0x00 } else { 0xa8 };
        let mut after_addresses = vec![tpid, second, 0x60, 5, 0x88, 0xb5];
        after_addresses.resize(100, 1);
        inject(&pair.a, "veth0", &ethernet(MAC_B, &after_addresses));
    }
    // A raw socket sends the tag in the packet, and the receiving side strips it.
    let sent: Vec<_> = finish(at_a)
        .into_iter()
        .map(|frame| (frame.len, frame.vlan))
        .collect();
    assert_eq!(sent, [(112, None), (112, None)]);
    let arrived = finish(at_b);
    let tags: Vec<_> = arrived
        .iter()
        .map(|frame| (frame.len, frame.vlan))
        .collect();
    let tag = |tpid| Some(Vlan { tpid, tci: 0x6005 });
    assert_eq!(tags, [(108, tag(0x8100)), (108, tag(0x88a8))]);
    assert_eq!(arrived[0].data[12..16], [0x88, 0xb5, 1, 1]);
}

#[test]
fn the_tag_of_a_vlan_interface_is_seen_in_both_directions() {
    let Some(pair) = VethPair::new() else { return };
    if let Err(error) = pair
        .a
        .try_ip("link add link veth0 name veth0.5 type vlan id 5")
    {
        return skipped(&format!("no VLAN interfaces: {error}"));
    }
    pair.a.ip("link set veth0.5 up");
    let rings = [open(&pair.a, "veth0"), open(&pair.b, "veth1")];
    inject(&pair.a, "veth0.5", &ethernet(MAC_B, &[0x88, 0xb5, 1, 2, 3]));
    for seen in rings.map(finish) {
        assert_eq!(seen.len(), 1);
        assert_eq!(
            (seen[0].len, seen[0].vlan),
            (
                17,
                Some(Vlan {
                    tpid: 0x8100,
                    tci: 5
                })
            )
        );
    }
}
