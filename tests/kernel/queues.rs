//! AF_XDP on interfaces with several receive queues, or with fewer than it takes.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;

use crate::harness::{Namespace, Pair, Sensor, ip, need_kernel, refused};
use crate::traffic;

const SOCKETS: [&str; 5] = ["-i", "b0", "--tap", "--backend", "af-xdp"];

/// `a0` with so many transmit queues, and `b0` with so many receive queues.
fn pair(transmit: &str, receive: &str) -> Pair {
    let pair = Pair {
        a: Namespace::new(),
        b: Namespace::new(),
    };
    let (a, b) = (&pair.a.name, &pair.b.name);
    let of_a = ["numtxqueues", transmit, "numrxqueues", "4", "netns", a];
    let of_b = ["numtxqueues", "4", "numrxqueues", receive, "netns", b];
    let add = [
        &["link", "add", "a0"],
        &of_a[..],
        &["type", "veth", "peer", "name", "b0"],
        &of_b[..],
    ];
    ip(&add.concat());
    ip(&["-n", a, "link", "set", "a0", "up"]);
    ip(&["-n", b, "link", "set", "b0", "up"]);
    pair
}

/// Packets that each receive queue of `b0` has handed to XDP; `None` where nobody can be asked.
fn by_queue(namespace: &Namespace) -> Option<Vec<u64>> {
    let output = namespace.command("ethtool").args(["-S", "b0"]).output();
    let output = output.ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).unwrap();
    let packets = |line: &str| -> Option<u64> {
        let (name, number) = line.trim().split_once(": ")?;
        let wanted = name.starts_with("rx_queue_") && name.ends_with("_xdp_packets");
        wanted.then(|| number.parse().unwrap())
    };
    Some(text.lines().filter_map(packets).collect())
}

#[test]
fn each_of_several_queues_is_counted() {
    need_kernel!();
    let pair = pair("4", "4");
    let mut sensor = Sensor::start(&pair.b, &SOCKETS);
    let how = "XDP (native) hands over whole packets, 4 x 65536 frames of 2048 bytes, each copied once, as the driver \
               gave no zero-copy";
    assert!(sensor.greeting.contains(how), "{}", sensor.greeting);
    // Flows find their queue by their hash.
    traffic::send(&pair.a, "a0", &traffic::frames(1000), 40);
    sensor.counted(40_000);
    match by_queue(&pair.b) {
        Some(queues) => {
            assert_eq!(queues.len(), 4, "{queues:?}");
            assert!(queues.iter().all(|packets| *packets > 1000), "{queues:?}");
            assert_eq!(queues.iter().sum::<u64>(), 40_000);
        }
        None => println!("skipped: no ethtool to ask how many packets came in which queue"),
    }
    let report = sensor.stop().checked();
    assert_eq!(report["totals"]["packets"], 40_000);
    assert_eq!(report["flows"].as_array().unwrap().len(), 1000);
    let flows = report["flows"].as_array().unwrap().iter();
    assert!(
        flows
            .map(|flow| &flow["packets"])
            .all(|packets| *packets == 40)
    );
    assert_eq!(report["accounting"]["lost"]["af-xdp"], 0);
    assert_eq!(report["source"]["interfaces"][0]["ingress"]["mode"], "copy");
}

#[test]
fn fewer_queues_than_its_peer_sends_by_are_said_with_what_to_do() {
    need_kernel!();
    let pair = pair("4", "1");
    let (code, said) = refused(&pair.b, &SOCKETS);
    assert_eq!(code, Some(4), "{said}");
    let why = "veth has XDP only with as many receive queues as its peer has transmit queues, and b0 has 1: ethtool -L b0 \
               rx N, or at the peer ethtool -L PEER tx 1";
    assert!(said.contains(&format!("no AF_XDP: {why}; try")), "{said}");
    let (code, said) = refused(&pair.b, &["-i", "b0", "--tap", "--backend", "xdp"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains(&format!("no XDP: {why}; try")), "{said}");
    let mut ethtool = pair.a.command("ethtool");
    if !ethtool
        .args(["-L", "a0", "tx", "1"])
        .status()
        .is_ok_and(|status| status.success())
    {
        return println!("skipped: no ethtool");
    }
    Sensor::start(&pair.b, &SOCKETS).stop().checked();
}

#[test]
fn one_queue_that_is_taken_is_named() {
    need_kernel!();
    let pair = pair("4", "4");
    let _other = pair.b.inside(|| bound("b0", 2));
    let (code, said) = refused(&pair.b, &SOCKETS);
    assert_eq!(code, Some(4), "{said}");
    let why = "no AF_XDP: receive queue 2 belongs to another AF_XDP socket: end that program";
    assert!(said.contains(why), "{said}");
}

/// An AF_XDP socket of somebody else.
fn bound(interface: &str, queue: u32) -> OwnedFd {
    const LEN: usize = 64 << 10;
    let done =
        |what: &str, status: i32| assert!(status >= 0, "{what}: {}", io::Error::last_os_error());
    let name = std::ffi::CString::new(interface).unwrap();
    // SAFETY: plain system calls on values that live through them; the memory stays for as long as the process.
    unsafe {
        let fd = libc::socket(libc::AF_XDP, libc::SOCK_RAW, 0);
        done("socket", fd);
        let socket = OwnedFd::from_raw_fd(fd);
        let (access, kind) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
        );
        let memory = libc::mmap(ptr::null_mut(), LEN, access, kind, -1, 0);
        assert_ne!(memory, libc::MAP_FAILED);
        let mut registration: libc::xdp_umem_reg = std::mem::zeroed();
        registration.addr = memory as u64;
        registration.len = LEN as u64;
        registration.chunk_size = 4096;
        let size = size_of_val(&registration) as u32;
        let umem = (&raw const registration).cast();
        let set = |name, value, size| libc::setsockopt(fd, libc::SOL_XDP, name, value, size);
        done("memory", set(libc::XDP_UMEM_REG, umem, size));
        let entries = 16_u32;
        for ring in [
            libc::XDP_UMEM_FILL_RING,
            libc::XDP_UMEM_COMPLETION_RING,
            libc::XDP_RX_RING,
        ] {
            done("ring", set(ring, (&raw const entries).cast(), 4));
        }
        let mut address: libc::sockaddr_xdp = std::mem::zeroed();
        address.sxdp_family = libc::AF_XDP as u16;
        address.sxdp_ifindex = libc::if_nametoindex(name.as_ptr());
        address.sxdp_queue_id = queue;
        let size = size_of_val(&address) as u32;
        done(
            "bind",
            libc::bind(socket.as_raw_fd(), (&raw const address).cast(), size),
        );
        socket
    }
}
