//! Snapshots of this test's own sockets: needs no rights.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;

use sensor_common::protocol::ip;

use super::*;
use crate::report::Process;

fn inode(socket: &impl AsRawFd) -> u64 {
    let link = format!("/proc/self/fd/{}", socket.as_raw_fd());
    let target = fs::read_link(link).unwrap();
    let digits: String = target
        .to_str()
        .unwrap()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    digits.parse().unwrap()
}

fn owner(
    processes: &Processes,
    transport: u8,
    local: SocketAddr,
    far: SocketAddr,
) -> Option<Process> {
    let known = processes.known();
    let ends = |end: SocketAddr| (end.ip(), end.port());
    let found = known.memory.owner(transport, ends(local), ends(far));
    found.map(|owner| Process::clone(owner))
}

#[test]
fn a_snapshot_finds_our_own_sockets() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let client = TcpStream::connect(at).unwrap();
    let (server, from) = listener.accept().unwrap();
    let bound = UdpSocket::bind("0.0.0.0:0").unwrap();
    let connected = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = bound.local_addr().unwrap().port();
    let bound_at = SocketAddr::from(([127, 0, 0, 1], port));
    connected.connect(bound_at).unwrap();
    let sender = connected.local_addr().unwrap();

    let listed = match sockets::list() {
        Ok(found) => found.sockets,
        Err(error) => {
            println!("skipped: {error}");
            return;
        }
    };
    for inode in [
        inode(&listener),
        inode(&client),
        inode(&server),
        inode(&bound),
        inode(&connected),
    ] {
        assert!(
            listed.iter().any(|one| one.inode == inode),
            "{inode} of {listed:?}"
        );
    }

    let watch = Watch::start(LONGEST);
    let processes = watch.processes();
    let me = Some(std::process::id());
    let comm = fs::read_to_string("/proc/self/comm").unwrap();
    let cases = [
        (ip::TCP, at, from),
        (ip::TCP, from, at),
        (ip::TCP, at, SocketAddr::from(([127, 0, 0, 1], 1))), // by the listener
        (ip::UDP, sender, bound_at),
        (ip::UDP, bound_at, sender),
    ];
    for (transport, local, far) in cases {
        let found = owner(&processes, transport, local, far).unwrap();
        assert_eq!(found.pid, me, "{local} {far}");
        assert_eq!(found.name.as_deref(), Some(comm.trim_end()));
        assert!(found.cgroup.is_some());
    }
    assert_eq!(owner(&processes, ip::UDP, at, from), None);
    let status = processes.status();
    assert!(status.sockets >= 5 && status.failed.is_none(), "{status:?}");
}

#[test]
fn proc_net_says_the_same() {
    let listener = TcpListener::bind("[::1]:0")
        .or_else(|_| TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let Ok(by_file) = proc_net::sockets(sockets::MOST) else {
        println!("skipped: /proc/net can't be read");
        return;
    };
    let by_diag = sockets::list().unwrap().sockets;
    for wanted in [inode(&listener), inode(&client)] {
        let of = |list: &[sockets::Socket]| {
            let mut found = list.iter().find(|one| one.inode == wanted).unwrap().clone();
            found.cgroup_id = None;
            found
        };
        assert_eq!(of(&by_file), of(&by_diag));
    }
}

#[test]
fn a_closed_socket_keeps_its_owner() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let client = TcpStream::connect(at).unwrap();
    let from = client.local_addr().unwrap();
    let processes = Processes::default();
    let mut snapshots = Snapshots::default();
    snapshots.take(&processes);
    drop((client, listener));
    snapshots.take(&processes);
    assert_eq!(
        owner(&processes, ip::TCP, from, at).unwrap().pid,
        Some(std::process::id())
    );
}

/// `cargo test -p sensor --release --lib processes::tests::cost -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn cost() {
    let mut sleepers: Vec<_> = (0..500)
        .map(|_| {
            std::process::Command::new("sleep")
                .arg("600")
                .spawn()
                .unwrap()
        })
        .collect();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let sockets: Vec<_> = (0..500)
        .map(|_| (TcpStream::connect(at).unwrap(), listener.accept().unwrap()))
        .collect();
    println!("{}", cost_note());
    println!("{}", cost_note());
    let processes = Processes::default();
    let mut snapshots = Snapshots::default();
    for _ in 0..12 {
        println!("{:?}", snapshots.take(&processes));
    }
    let more = TcpStream::connect(at).unwrap();
    println!("one new: {:?}", snapshots.take(&processes));
    drop((more, sockets));
    for sleeper in &mut sleepers {
        let _ = sleeper.kill();
        let _ = sleeper.wait();
    }
}
