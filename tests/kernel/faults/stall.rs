//! The agent is stopped for a while: the programs count on, and what they counted stands in a bucket that is told. And what
//! the agent says of itself.

use std::time::Duration;

use serde_json::Value;

use crate::harness::{Namespace, Pair, Sensor, eventually, need_kernel};
use crate::reports;
use crate::traffic::{self, Traffic};

#[test]
fn an_agent_that_is_stopped_for_ten_seconds_loses_no_packet_and_says_which_bucket_is_late() {
    need_kernel!();
    let pair = Pair::new(1500);
    let mut sensor = Sensor::start(&pair.a, &["-i", "a0", "--backend", "tc"]);
    let traffic = Traffic::start(&pair.a, "a0");
    eventually("packets", || traffic.sent() > 100);
    sensor.signal(libc::SIGSTOP);
    std::thread::sleep(Duration::from_secs(10));
    sensor.signal(libc::SIGCONT);
    let line = sensor.wait_for_line("late: the packets of that time stand in the bucket of");
    let sent = traffic.stop();
    sensor.counted(sent);
    let ended = sensor.stop();
    reports::add_up(&ended);
    let report = ended.checked();
    assert_eq!(report["totals"]["packets"], sent);
    assert_eq!(reports::lost(&report), 0);
    assert!(
        report["notes"]
            .to_string()
            .contains("stand in the bucket of")
    );
    let own = &report["self"];
    println!("{line}{own:#}");
    assert!(own["polls_late"].as_u64().unwrap() >= 1);
    let latest = own["poll_latest_seconds"].as_f64().unwrap();
    assert!((8.0..60.0).contains(&latest), "{latest} s");
}

#[test]
fn a_run_says_what_it_took_itself() {
    need_kernel!();
    let pair = Pair::new(1500);
    let arguments = ["-i", "a0", "--backend", "tc", "--report-every", "1s", "-v"];
    let mut sensor = Sensor::start(&pair.a, &[&arguments[..], &["--bpf-stats"]].concat());
    for _ in 0..3 {
        traffic::send(&pair.a, "a0", &traffic::frames(100), 10);
        let before = sensor.written().len();
        eventually("a report", || sensor.written().len() > before);
    }
    sensor.counted(3000);
    let ended = sensor.stop();
    assert!(
        ended.stderr.contains("sensor itself: CPU"),
        "{}",
        ended.stderr
    );
    let own = |report: &Value, field: &str| report["self"][field].as_f64().unwrap();
    let sum = |field| -> f64 { ended.periods.iter().map(|period| own(period, field)).sum() };
    for field in ["seconds", "cpu_user_seconds", "cpu_system_seconds", "polls"] {
        let (whole, periods) = (own(&ended.report, field), sum(field));
        assert!(
            whole >= periods - 1e-6 && periods > 0.0,
            "{field}: {whole} {periods}"
        );
    }
    let report = ended.checked();
    println!("{:#}", report["self"]);
    assert!(own(&report, "memory_peak_bytes") >= own(&report, "memory_bytes"));
    assert!(own(&report, "map_bytes") > 1e6);
    let programs = &report["self"]["programs"];
    assert_eq!(programs["runs"], 3000);
    let each = programs["nanoseconds_per_packet"].as_f64().unwrap();
    assert!((1.0..100_000.0).contains(&each), "{each}");
    assert_eq!(
        programs["nanoseconds_per_packet"],
        programs["nanoseconds_per_run"]
    );
}

#[test]
fn without_being_asked_the_kernel_measures_no_programs() {
    need_kernel!();
    let pair = Pair::new(1500);
    let report = Sensor::start(&pair.a, &["-i", "a0"]).stop().checked();
    assert_eq!(report["self"]["programs"], Value::Null);
}

/// Loading and verifying programs takes longer than counting for a moment does: it belongs to the time that it took.
#[test]
fn a_moment_of_counting_does_not_look_like_many_cpus() {
    need_kernel!();
    let namespace = Namespace::new();
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    // With /proc hidden nobody says when the process started.
    let hide = "mount -t tmpfs none /proc && exec \"$@\"";
    let mut command = namespace.command("unshare");
    command.args(["--mount", "sh", "-c", hide, "sh"]);
    command.args([
        env!("CARGO_BIN_EXE_sensor"),
        "run",
        "-i",
        "lo",
        "-d",
        "10ms",
    ]);
    command.arg("--no-history").arg("--out").arg(folder.path());
    let ran = command.arg("--json").arg(&report).output().unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let report: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    let own = &report["self"];
    println!("{} s: {own:#}", report["duration_seconds"]);
    assert_eq!(own["memory_bytes"], Value::Null, "/proc was hidden");
    let seconds = |field: &str| own[field].as_f64().unwrap();
    assert!(seconds("seconds") >= report["duration_seconds"].as_f64().unwrap());
    let cpus = std::thread::available_parallelism().unwrap().get() as f64;
    let cpu = seconds("cpu_user_seconds") + seconds("cpu_system_seconds");
    // What the loader takes before main is on no clock of ours.
    assert!(cpu <= seconds("seconds") * cpus + 0.1, "{own}");
}
