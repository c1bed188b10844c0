//! Live capture where it can't be had, and the list of interfaces.

use std::process::Command;

use crate::harness::{BINARY, sensor};

#[test]
fn interfaces_are_listed_for_people_and_programs() {
    let ran = sensor(["interfaces", "--json"]).run().ended(0);
    let list = ran.json();
    let loopback = list
        .as_array()
        .unwrap()
        .iter()
        .find(|interface| interface["name"] == "lo");
    let loopback = loopback.expect("lo is everywhere");
    assert_eq!(loopback["link_type"], "loopback");
    assert_eq!(loopback["ifindex"], 1);
    assert!(loopback["mtu"].as_u64().unwrap() >= 1500);
    let text = sensor(["interfaces"]).run().ended(0);
    assert!(text.text().starts_with("NAME "), "{}", text.text());
    assert!(
        text.text().lines().any(|line| line.starts_with("lo ")),
        "{}",
        text.text()
    );
}

#[test]
fn an_unknown_interface_gets_the_list_of_known_ones() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "nosuch0",
        "a-name-of-more-than-sixteen-bytes",
        "../../etc/passwd",
        "lo\u{1b}[31m",
    ] {
        let ran = sensor(["run", "-i", name])
            .folder(folder.path())
            .run()
            .ended(4);
        let shown = name.replace('\u{1b}', "\\u{1b}");
        let said = format!("no interface is called {shown}; there are: lo");
        assert!(ran.line().starts_with(&said), "{}", ran.stderr);
    }
    let ran = sensor(["run", "-i", ""])
        .folder(folder.path())
        .run()
        .ended(2);
    assert_eq!(ran.line(), "the interface name is empty");
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "a folder for reports that can't be"
    );
}

#[test]
fn a_folder_for_reports_that_cannot_be_is_said_before_counting() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let ran = sensor([
        "run".as_ref(),
        "-i".as_ref(),
        "lo".as_ref(),
        "--out".as_ref(),
        file.as_os_str(),
    ])
    .run()
    .ended(7);
    assert_eq!(
        ran.line(),
        format!("can't use folder {}: not a directory", file.display())
    );
}

#[test]
fn without_capabilities_the_missing_ones_and_the_remedy_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("auto", "CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON"),
        ("xdp", "CAP_BPF"),
        ("af-packet", "CAP_NET_RAW"),
    ];
    for (backend, missing) in cases {
        let mut bare = Command::new("setpriv");
        bare.args([
            "--bounding-set=-all",
            "--inh-caps=-all",
            BINARY,
            "run",
            "-i",
            "lo",
            "-d",
            "1s",
        ]);
        bare.args(["--backend", backend]).current_dir(folder.path());
        let Ok(output) = bare.output() else {
            println!("skipped: no setpriv(1) to run without capabilities");
            return;
        };
        let stderr = String::from_utf8(output.stderr).unwrap();
        if stderr.contains("setpriv:") {
            println!("skipped: only root can give capabilities away");
            return;
        }
        assert_eq!(output.status.code(), Some(3), "{stderr}");
        for part in [
            "no permission",
            missing,
            "sudo setcap cap_bpf,cap_net_admin,cap_perfmon,cap_net_raw+ep",
            BINARY,
        ] {
            assert!(
                stderr.contains(part),
                "{backend}: nothing about {part:?} in {stderr}"
            );
        }
        assert_eq!(stderr.lines().count(), 1, "{backend}: {stderr}");
    }
}

#[test]
fn what_is_for_mirror_ports_needs_one_by_name() {
    for (arguments, said) in [
        (&["--tap"][..], "--tap takes packets away from this host"),
        (&["--tap", "-i", "any"], "no pattern and not any"),
        (
            &["--tap", "-i", "lo", "-i", "veth*"],
            "no pattern and not any",
        ),
        (&["-i", "lo", "--force"], "--force is for --tap"),
        (
            &["-i", "lo", "--home-net", "10.0.0.0/8"],
            "--home-net is for mirror ports",
        ),
    ] {
        let ran = sensor([&["run"], arguments].concat()).run().ended(2);
        assert!(ran.line().contains(said), "{}", ran.stderr);
    }
    let ran = sensor(["read", "x.pcap", "--home-net", "10.0.0.1/8"])
        .run()
        .ended(2);
    assert!(ran.stderr.contains("write 10.0.0.0/8"), "{}", ran.stderr);
}
