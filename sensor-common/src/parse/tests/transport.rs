//! Ports and TCP flags.

use super::*;

const TCP: &str = "10.0.0.1:1000 > 10.0.0.2:443 6";

#[test]
fn tcp_flags_as_they_are() {
    for flags in 0..=255 {
        let packet = parsed(&ethernet(0x0800, &ipv4(6, &tcp(flags, 0))));
        assert_eq!(packet.tcp_flags, flags);
        assert_eq!(flow(&packet), TCP);
    }
}

#[test]
fn tcp_options_count_as_headers() {
    for options in (0..=40).step_by(4) {
        let packet = parsed(&ethernet(0x0800, &ipv4(6, &tcp(0x10, options))));
        assert_eq!(packet.header_len as usize, 14 + 20 + 20 + options);
    }
}

#[test]
fn tcp_cut_off_before_its_flags() {
    let whole = ethernet(0x0800, &ipv4(6, &tcp(0x12, 0)));
    for present in 0..20 {
        let packet = parsed(&whole[..34 + present]);
        assert_eq!(packet.key.has_ports(), present >= 4, "{present} bytes");
        assert_eq!(packet.tcp_flags, if present >= 14 { 0x12 } else { 0 });
        assert_eq!(packet.cut, present < 14, "{present} bytes");
    }
}

#[test]
fn tcp_whose_packet_ends_before_its_flags() {
    for present in 0..14 {
        let mut frame = ethernet(0x0800, &ipv4(6, &tcp(0x12, 0)[..present]));
        frame.resize(64, 0x3f); // padding that must not be read as flags
        let packet = parsed(&frame);
        assert_eq!(packet.key.has_ports(), present >= 4, "{present} bytes");
        assert_eq!(
            (packet.tcp_flags, packet.cut),
            (0, false),
            "{present} bytes"
        );
    }
}

#[test]
fn what_has_ports() {
    let ports = |protocol: u8| {
        parsed(&ethernet(0x0800, &ipv4(protocol, &udp(&[0; 20]))))
            .key
            .has_ports()
    };
    let with_ports: Vec<u8> = (0..=255).filter(|protocol| ports(*protocol)).collect();
    assert_eq!(
        with_ports,
        [
            proto::TCP,
            proto::UDP,
            proto::DCCP,
            proto::SCTP,
            proto::UDP_LITE
        ]
    );
}

#[test]
fn udp_cut_off() {
    let whole = ethernet(0x86dd, &udp6());
    for present in 0..8 {
        let packet = parsed(&whole[..54 + present]);
        assert_eq!(packet.key.has_ports(), present >= 4);
        assert_eq!(packet.cut, present < 4);
    }
}

#[test]
fn ports_of_zero_are_ports() {
    let packet = parsed(&ethernet(0x0800, &ipv4(17, &[0; 8])));
    assert!(packet.key.has_ports());
    assert_eq!(flow(&packet), "10.0.0.1:0 > 10.0.0.2:0 17");
}
