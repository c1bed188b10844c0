//! Devices whose packets start at the IP header (tun, and so WireGuard and tunnels), and tap, whose driver has native XDP.

use std::fs::File;
use std::io::{self, Write};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

use serde_json::{Value, json};

use crate::harness::{Namespace, Sensor, ip, kernel_before, need_kernel, refused};
use crate::traffic::{self, LEN};

const ETHERNET: usize = 14;

#[test]
fn a_tun_device_is_counted_from_the_ip_header_on() {
    need_kernel!();
    for backend in ["auto", "tc", "af-packet"] {
        let namespace = Namespace::new();
        let mut tun = match device(&namespace, "tun0", libc::IFF_TUN) {
            Ok(tun) => tun,
            Err(error) => return println!("skipped: no tun device: {error}"),
        };
        ip(&[
            "-n",
            &namespace.name,
            "addr",
            "add",
            "10.20.0.1/24",
            "dev",
            "tun0",
        ]);
        let mut sensor = Sensor::start(&namespace, &["-i", "tun0", "--backend", backend]);
        for frame in traffic::frames(50) {
            tun.write_all(&frame[ETHERNET..]).unwrap();
        }
        namespace.inside(|| {
            let socket = UdpSocket::bind("10.20.0.1:5000").unwrap();
            for _ in 0..30 {
                socket.send_to(&[7; 100], "10.20.0.9:53").unwrap();
            }
        });
        sensor.counted(80);
        let report = sensor.stop().checked();
        let len = LEN - ETHERNET as u64;
        let counts = |packets: u64| json!({"packets": packets, "bytes": packets * len});
        assert_eq!(report["totals"]["ingress"], counts(50), "{backend}");
        assert_eq!(report["totals"]["egress"], counts(30), "{backend}");
        assert_eq!(report["protocols"]["network"][0]["name"], "ipv4");
        assert_eq!(report["protocols"]["network"][0]["packets"], 80);
        let flow = &report["flows"][0];
        assert_eq!(flow["src_addr"], "10.20.0.1", "{flow}");
        assert_eq!(
            (&flow["src_port"], &flow["dst_port"]),
            (&json!(5000), &json!(53))
        );
        assert_eq!(flow["packets"], 30, "{flow}");
        assert_eq!(report["flows"].as_array().unwrap().len(), 51);
    }
}

#[test]
fn xdp_on_a_tun_device_is_refused() {
    need_kernel!();
    let namespace = Namespace::new();
    let Ok(_tun) = device(&namespace, "tun0", libc::IFF_TUN) else {
        return println!("skipped: no tun device");
    };
    let (code, said) = refused(&namespace, &["-i", "tun0", "--backend", "xdp"]);
    assert_eq!(code, Some(4), "{said}");
    let reason =
        "tun0 can't be counted: no XDP: the device has no link-layer header; try --backend tc";
    assert!(said.contains(reason), "{said}");
}

/// The one driver at hand, beside veth, that has native XDP: the first rung of the ladder, and the next one where that
/// is taken.
#[test]
fn a_tap_device_gets_native_xdp_and_the_second_sensor_gets_what_is_left() {
    need_kernel!();
    // By clsact only one can count, and the first does so on egress.
    let left = if kernel_before(6, 6) {
        "af-packet"
    } else {
        "tcx"
    };
    let namespace = Namespace::new();
    let mut tap = match device(&namespace, "tap0", libc::IFF_TAP) {
        Ok(tap) => tap,
        Err(error) => return println!("skipped: no tap device: {error}"),
    };
    let first = Sensor::start(&namespace, &["-i", "tap0"]);
    let second = Sensor::start(&namespace, &["-v", "-i", "tap0"]);
    assert!(
        second
            .greeting
            .contains("tap0: no XDP: the XDP hook is taken by program id "),
        "{}",
        second.greeting
    );
    for frame in traffic::frames(50) {
        tap.write_all(&frame).unwrap();
    }
    traffic::send(&namespace, "tap0", &traffic::frames(30), 1);
    for (mut sensor, hook, mode) in [(first, "xdp", json!("native")), (second, left, Value::Null)] {
        sensor.counted(80);
        let report = sensor.stop().checked();
        let one = &report["source"]["interfaces"][0];
        assert_eq!(one["ingress"]["hook"], hook);
        assert_eq!(one["ingress"]["mode"], mode);
        let counts = |packets: u64| json!({"packets": packets, "bytes": packets * LEN});
        assert_eq!(report["totals"]["ingress"], counts(50), "{hook}");
        assert_eq!(report["totals"]["egress"], counts(30), "{hook}");
    }
}

/// A new device in the namespace, up, gone when the file is closed. What is written to the file arrives on the device.
fn device(namespace: &Namespace, name: &str, kind: i32) -> io::Result<File> {
    let file = namespace.inside(|| -> io::Result<File> {
        let file = File::options()
            .read(true)
            .write(true)
            .open("/dev/net/tun")?;
        // SAFETY: all zero is a valid value of the request.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (to, byte) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *to = byte as libc::c_char;
        }
        request.ifr_ifru.ifru_flags = (kind | libc::IFF_NO_PI) as libc::c_short;
        // SAFETY: the request lives through the call, which reads and writes one ifreq.
        let result = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
        match result {
            0 => Ok(file),
            _ => Err(io::Error::last_os_error()),
        }
    })?;
    ip(&["-n", &namespace.name, "link", "set", name, "up"]);
    Ok(file)
}
