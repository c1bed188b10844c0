//! What a packet costs, in instructions: counted by valgrind in the build that the tests make anyway, so neither a busy
//! machine nor another processor changes it. Code that asks for more work shows; what the optimiser makes of it does not.
//! And the size of the eBPF programs.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::{BINARY, file_in};
use crate::support::baseline::{self, Held};
use crate::support::capture::{Pcap, Record};
use crate::support::packets::{at, ethernet_ip, tcp, udp};

const FLOWS: usize = 500;
/// Two captures that differ in how often the flows come: the start of the program and the report cancel out.
const TIMES: [usize; 2] = [10, 30];

#[test]
fn reading_a_packet_costs_the_instructions_it_is_known_to() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: there is no valgrind (Debian package valgrind)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let captures = TIMES.map(|times| {
        let capture = Pcap::default().write(&records(times));
        file_in(folder.path(), &times.to_string(), &capture)
    });
    let compiler = compiler();
    let held =
        [("names off", &["--max-names", "0"][..]), ("default", &[])].map(|(name, options)| {
            let [few, many] = captures
                .each_ref()
                .map(|path| instructions(folder.path(), path, options));
            let packets = FLOWS * (TIMES[1] - TIMES[0]);
            let name =
                format!("sensor read, {name}, {compiler}: instructions a packet, unoptimised");
            baseline::hold(&name, (many - few) / packets as u64, 3)
        });
    baseline::check(held.into());
}

#[test]
fn the_ebpf_programs_are_as_large_as_they_are_known_to_be() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../sensor-ebpf/prebuilt/sensor.bpfel.o"
    );
    let object = fs::read(path).unwrap();
    let held: Vec<Held> = code_sections(&object)
        .into_iter()
        .map(|(name, bytes)| {
            let name = format!("eBPF object, section {name}: instructions");
            baseline::hold(&name, bytes / 8, 3)
        })
        .collect();
    assert!(held.len() >= 3, "XDP, XDP with fragments, TC");
    baseline::check(held);
}

/// Each flow as often as another, one after the other.
fn records(times: usize) -> Vec<Record> {
    let frames: Vec<Vec<u8>> = (0..FLOWS).map(frame).collect();
    let packets = (0..times).flat_map(|_| frames.iter().cloned());
    let start = 1_700_000_000_000_000_000;
    packets
        .enumerate()
        .map(|(number, frame)| Record::new(start + number as i64 * 10_000, frame).cut(96))
        .collect()
}

/// TCP, UDP, IPv4 and IPv6.
fn frame(flow: usize) -> Vec<u8> {
    let port = 20_000 + flow as u16;
    let v4 = (at(&format!("10.0.0.1:{port}")), at("10.0.1.2:443"));
    let v6 = (
        at(&format!("[2001:db8::1]:{port}")),
        at("[2001:db8::2]:9999"),
    );
    match flow % 4 {
        0 => ethernet_ip(&udp(v6.0, v6.1, 100)),
        1 => ethernet_ip(&udp(v4.0, v4.1, 200)),
        _ => ethernet_ip(&tcp(v4.0, v4.1, "A", 1000)),
    }
}

/// Of the program itself: the C library chooses its functions by processor, so what happens there is left out.
fn instructions(folder: &Path, capture: &Path, options: &[&str]) -> u64 {
    let out = folder.join("callgrind");
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", out.display()))
        // valgrind is of the same process
        .args([
            BINARY,
            "read",
            "--no-sandbox",
            "-q",
            "--threads",
            "1",
            "--json",
        ])
        .arg(folder.join("report"))
        .args(options)
        .arg(capture)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let own = Path::new(BINARY).canonicalize().unwrap();
    instructions_in(&fs::read_to_string(out).unwrap(), &own.to_string_lossy())
}

/// Sums the lines of callgrind's output that belong to an object: `ob=(1) /path` begins its part, and later `ob=(1)`
/// does; the line behind `calls=` is the cost of what is called, which stands elsewhere again. `cob=` says whose function
/// is called, and may be where a number is explained first.
fn instructions_in(profile: &str, object: &str) -> u64 {
    let (mut number, mut within, mut of_call, mut sum) = (None, false, false, 0);
    for line in profile.lines() {
        let (own, callee) = (line.strip_prefix("ob="), line.strip_prefix("cob="));
        if let Some(name) = own.or(callee) {
            let (id, path) = name.split_once(' ').unwrap_or((name, ""));
            if path == object {
                number = Some(id.to_owned());
            }
            if own.is_some() {
                within = number.as_deref() == Some(id);
            }
        } else if line.starts_with("calls=") {
            of_call = true;
        } else if line.starts_with(|c: char| c.is_ascii_digit() || "+-*".contains(c)) {
            let cost = line.split_whitespace().nth(1);
            if within && !of_call {
                sum += cost.and_then(|cost| cost.parse::<u64>().ok()).unwrap_or(0);
            }
            of_call = false;
        }
    }
    assert!(sum > 0, "no instructions of {object}");
    sum
}

/// `rustc 1.95.0`.
fn compiler() -> String {
    let output = Command::new("rustc").arg("-V").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace()
        .take(2)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Names and bytes of the sections of a 64-bit ELF file that hold code.
fn code_sections(object: &[u8]) -> Vec<(String, u64)> {
    let word = |at: usize| u64::from_le_bytes(object[at..at + 8].try_into().unwrap());
    let short = |at: usize| usize::from(u16::from_le_bytes(object[at..at + 2].try_into().unwrap()));
    let header = |index: usize| word(0x28) as usize + index * short(0x3a);
    let names = word(header(short(0x3e)) + 24) as usize;
    let mut found = Vec::new();
    for index in 0..short(0x3c) {
        let header = header(index);
        let executable = word(header + 8) & 4 != 0;
        if executable {
            let name = names + (word(header) & 0xffff_ffff) as usize;
            let name = object[name..].split(|byte| *byte == 0).next().unwrap();
            found.push((String::from_utf8_lossy(name).into(), word(header + 32)));
        }
    }
    found
}

#[test]
fn only_what_the_program_itself_does_counts() {
    let profile = "\
events: Ir
ob=(2) /lib/libc.so.6
fn=(2) start
cob=(1) /bin/sensor
calls=1 20
0 1000
0 900
ob=(1)
fn=(1) main
10 5
cob=(2)
calls=1 20
11 1000
+3 7
ob=(2)
fn=(2)
0 900
ob=(1)
fn=(1)
* 1
";
    assert_eq!(instructions_in(profile, "/bin/sensor"), 13);
}
