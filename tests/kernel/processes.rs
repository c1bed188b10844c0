//! `--processes` names who sends and receives, live.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::Value;

use crate::harness::{Namespace, Pair, Sensor, need_kernel};

/// A UDP echo that answers each line of its standard input once its packet has come back, then keeps its sockets.
const TALKER: &str = r#"
import socket, sys
open("/proc/self/comm", "w").write("talk\x1ber")
far = sys.argv[1]
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((far, 0))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect(server.getsockname())
print(client.getsockname()[1], server.getsockname()[1], flush=True)
for line in sys.stdin:
    client.send(b"x" * 1000)
    data, back = server.recvfrom(2000)
    server.sendto(b"y" * 500, back)
    client.recv(2000)
    print("done", flush=True)
"#;

/// Sends to a far address that need not answer.
const SENDER: &str = r#"
import socket, sys
open("/proc/self/comm", "w").write("hog")
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect((sys.argv[1], 9))
print(client.getsockname()[1], flush=True)
for line in sys.stdin:
    for _ in range(10):
        try:
            client.send(b"x" * 1000)
        except ConnectionRefusedError:
            client.send(b"x" * 1000)
    print("done", flush=True)
"#;

struct Talker {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    ports: Vec<u64>,
}

impl Talker {
    /// `None` without python3.
    #[allow(clippy::print_stdout, reason = "says why a test is skipped")]
    fn start(namespace: &Namespace, script: &str, far: &str) -> Option<Self> {
        let python = std::process::Command::new("python3").arg("-V").output();
        if python.is_err() {
            println!("skipped: there is no python3");
            return None;
        }
        let mut child = namespace
            .command("python3")
            .args(["-c", script, far])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut talker = Talker {
            to: child.stdin.take().unwrap(),
            from: BufReader::new(child.stdout.take().unwrap()),
            child,
            ports: Vec::new(),
        };
        let line = talker.line();
        talker.ports = line
            .split_whitespace()
            .map(|port| port.parse().unwrap())
            .collect();
        Some(talker)
    }

    fn talk(&mut self) {
        self.to.write_all(b"go\n").unwrap();
        assert_eq!(self.line(), "done\n");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        line
    }

    /// `ip netns exec` becomes the program, so this is its pid.
    fn pid(&self) -> u64 {
        self.child.id().into()
    }
}

impl Drop for Talker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn row<'a>(report: &'a Value, name: &str) -> &'a Value {
    let rows = report["processes"]["list"].as_array().unwrap();
    let found = rows.iter().find(|row| row["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {rows:#?}"))
}

fn flow(report: &Value, src_port: u64) -> &Value {
    let flows = report["flows"].as_array().unwrap();
    let found = flows.iter().find(|flow| flow["src_port"] == src_port);
    found.unwrap_or_else(|| panic!("no {src_port} in {flows:#?}"))
}

/// Packets and bytes of all rows, with what is beside the list.
fn all(report: &Value) -> (u64, u64) {
    let counts = |value: &Value| {
        (
            value["packets"].as_u64().unwrap(),
            value["bytes"].as_u64().unwrap(),
        )
    };
    let processes = &report["processes"];
    let rows = processes["list"].as_array().unwrap().iter();
    let of_rows = rows.flat_map(|row| [counts(&row["sent"]), counts(&row["received"])]);
    let rest = [counts(&processes["others"]), counts(&processes["unknown"])];
    of_rows
        .chain(rest)
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

#[test]
fn on_loopback_one_process_sends_and_receives() {
    need_kernel!();
    let namespace = Namespace::new();
    let Some(mut talker) = Talker::start(&namespace, TALKER, "127.0.0.1") else {
        return;
    };
    let mut sensor = Sensor::start(&namespace, &["-i", "lo", "--processes"]);
    for _ in 0..5 {
        talker.talk();
    }
    sensor.counted(10);
    let report = sensor.stop().checked();
    let name = "talk\u{1b}er";
    for port in &talker.ports {
        let process = &flow(&report, *port)["process"];
        assert_eq!(process["pid"], talker.pid(), "{process}");
        assert_eq!(process["name"], name);
        assert!(process["cgroup"].is_string(), "{process}");
    }
    let row = row(&report, name);
    assert_eq!(row["pid"], talker.pid());
    assert_eq!(row["sent"]["packets"], 10);
    assert_eq!(row["received"]["packets"], 10);
    assert_eq!(row["sent"], row["received"]);
    let in_flows = report["accounting"]["in_flows"]["packets"]
        .as_u64()
        .unwrap();
    assert_eq!(all(&report).0, 2 * in_flows, "each is sent and received");
}

#[test]
fn a_process_that_hogs_the_link_is_named_and_one_that_ended_too() {
    need_kernel!();
    let pair = Pair::new(1500);
    let Some(mut hog) = Talker::start(&pair.a, SENDER, "10.9.0.2") else {
        return;
    };
    let arguments = ["-i", "a0", "--processes", "-v"];
    let mut sensor = Sensor::start(&pair.a, &arguments);
    assert!(
        sensor.greeting.contains("local sockets"),
        "{}",
        sensor.greeting
    );
    hog.talk();
    sensor.counted(10);
    let (pid, port) = (hog.pid(), hog.ports[0]);
    drop(hog);
    let ended = sensor.stop();
    let report = ended.checked();
    let process = &flow(&report, port)["process"];
    assert_eq!(process["pid"], pid, "{process}");
    assert_eq!(process["name"], "hog");
    let row = row(&report, "hog");
    assert!(row["sent"]["packets"].as_u64().unwrap() >= 10, "{row}");
    assert_eq!(row["flows"], 1);
    let in_flows = &report["accounting"]["in_flows"];
    let expected = (
        in_flows["packets"].as_u64().unwrap(),
        in_flows["bytes"].as_u64().unwrap(),
    );
    assert_eq!(all(&report), expected, "each has one local end");
}

#[test]
fn nobody_is_named_who_was_not_asked_for() {
    need_kernel!();
    let namespace = Namespace::new();
    let Some(mut talker) = Talker::start(&namespace, TALKER, "127.0.0.1") else {
        return;
    };
    let mut sensor = Sensor::start(&namespace, &["-i", "lo"]);
    talker.talk();
    sensor.counted(2);
    let report = sensor.stop().checked();
    assert!(report["processes"].is_null());
    assert!(flow(&report, talker.ports[0])["process"].is_null());
}
