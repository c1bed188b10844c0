//! What reads captures: sensor, the limits, and peers as a user would call them.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::walk;
use crate::capture::Capture;
use crate::child::{self, Ran};
use crate::figures::Part;

pub(super) const ONE_CORE: &str = "sensor read, one thread, names off";
pub(super) const TWO_CORES: &str = "sensor read, two threads, names off";
pub(super) const TCPDUMP: &str = "tcpdump -w /dev/null (computes nothing)";
pub(super) const TOOLKIT: &str = "pcap-toolkit stats";
pub(super) const WALK: &str = "bare walk, sensor's reader";
pub(super) const SOFTFLOWD: &str = "softflowd";
pub(super) const TSHARK: &str = "tshark -q -z io,phs -z conv,ip";

/// Runs on a capture.
pub(super) struct Program {
    pub name: &'static str,
    how: How,
}

enum How {
    /// A program and its arguments; `{}` stands for the file, `{folder}` for a folder that goes away, `{out}` for a name in
    /// it, `{port}` for a UDP port of this machine whose packets nobody reads.
    Child(&'static str, &'static [&'static str]),
    /// This program itself, see [`walk`].
    Walk(&'static str),
}

impl Program {
    pub(super) fn run(&self, capture: &Capture) -> Ran {
        self.run_in(tempfile::tempdir().unwrap().path(), capture)
    }

    /// `folder`: where it may leave something.
    pub(super) fn run_in(&self, folder: &Path, capture: &Capture) -> Ran {
        match &self.how {
            How::Child(program, arguments) => {
                // what softflowd sends goes here.
                let sink = UdpSocket::bind("127.0.0.1:0").unwrap();
                let port = sink.local_addr().unwrap().port().to_string();
                let words = arguments.iter().map(|word| {
                    word.replace("{}", &capture.path.to_string_lossy())
                        .replace("{out}", &folder.join("out").to_string_lossy())
                        .replace("{folder}", &folder.to_string_lossy())
                        .replace("{port}", &port)
                });
                child::run(Command::new(path_of(program)).args(words)).unwrap()
            }
            How::Walk(how) => {
                let own = std::env::current_exe().unwrap();
                let packets = capture.packets.to_string();
                let words = [OsStr::new("walk"), how.as_ref(), packets.as_ref()];
                child::run(Command::new(own).args(words).arg(&capture.path)).unwrap()
            }
        }
    }
}

const SENSOR: &str = env!("CARGO_BIN_EXE_sensor");
const ONE: &[&str] = &[
    "read",
    "{}",
    "-q",
    "--max-names",
    "0",
    "--json",
    "{out}",
    "--threads",
    "1",
];
const TWO: &[&str] = &[
    "read",
    "{}",
    "-q",
    "--max-names",
    "0",
    "--json",
    "{out}",
    "--threads",
    "2",
];
const NAMED: &[&str] = &["read", "{}", "-q", "--json", "{out}", "--threads", "1"];
const ONE_KEPT: &[&str] = &[
    "read",
    "{}",
    "-q",
    "--max-names",
    "0",
    "--json",
    "{out}",
    "--threads",
    "1",
    "--parquet",
    "{folder}/history",
];
const NAMED_KEPT: &[&str] = &[
    "read",
    "{}",
    "-q",
    "--json",
    "{out}",
    "--threads",
    "1",
    "--parquet",
    "{folder}/history",
];

const fn own(name: &'static str, arguments: &'static [&'static str]) -> Program {
    Program {
        name,
        how: How::Child(SENSOR, arguments),
    }
}

/// Sensor, the limits, and the peers that read millions of packets a second.
pub(super) fn fast(part: &mut Part) -> Vec<Program> {
    let mut programs = vec![
        own(ONE_CORE, ONE),
        own("sensor read, one thread, names on", NAMED),
        own(TWO_CORES, TWO),
        Program {
            name: "cat > /dev/null",
            how: How::Child("cat", &["{}"]),
        },
        Program {
            name: "bare walk, mapped file",
            how: How::Walk(walk::MAPPED),
        },
        Program {
            name: WALK,
            how: How::Walk(walk::READER),
        },
    ];
    let peers = [
        (
            TCPDUMP,
            "tcpdump",
            &["-r", "{}", "-w", "/dev/null"][..],
            "tcpdump",
        ),
        (
            "capinfos, no hashes",
            "capinfos",
            &["-c", "-d", "-u", "-i", "{}"],
            "wireshark-common",
        ),
        ("tcpstat (totals only)", "tcpstat", &["-r", "{}"], "tcpstat"),
        (
            TOOLKIT,
            "pcap-toolkit",
            &["stats", "{}"],
            "cargo install pcap-toolkit",
        ),
    ];
    add_those_there(part, &mut programs, &peers);
    programs
}

/// In pairs: without history, and with it.
pub(super) fn with_history() -> Vec<Program> {
    vec![
        own("names on", NAMED),
        own("names on, --parquet", NAMED_KEPT),
        own("names off", ONE),
        own("names off, --parquet", ONE_KEPT),
    ]
}

/// Sensor and the peers that take microseconds a packet.
pub(super) fn slow(part: &mut Part) -> Vec<Program> {
    let mut programs = vec![own(ONE_CORE, ONE)];
    let peers = [
        (
            SOFTFLOWD,
            "softflowd",
            &[
                "-r",
                "{}",
                "-n",
                "127.0.0.1:{port}",
                "-d",
                "-p",
                "{out}.pid",
                "-c",
                "none",
            ][..],
            "softflowd",
        ),
        (
            "nfpcapd",
            "nfpcapd",
            &["-r", "{}", "-w", "{folder}"],
            "nfdump",
        ),
        (
            "argus",
            "argus",
            &["-F", "/dev/null", "-r", "{}", "-w", "{out}"],
            "argus-server",
        ),
        (
            TSHARK,
            "tshark",
            &["-q", "-r", "{}", "-z", "io,phs", "-z", "conv,ip"],
            "tshark",
        ),
    ];
    add_those_there(part, &mut programs, &peers);
    programs
}

type Peer = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
);

fn add_those_there(part: &mut Part, programs: &mut Vec<Program>, peers: &[Peer]) {
    for (name, program, arguments, package) in peers {
        if !path_of(program).is_file() {
            part.missing(*name, format!("not installed: {package}"));
            continue;
        }
        programs.push(Program {
            name,
            how: How::Child(program, arguments),
        });
    }
}

/// In the project's own folder of tools, in `PATH`, or in those of system tools.
fn path_of(program: &str) -> PathBuf {
    let own = std::env::var_os("XTASK_BENCH_TOOLS").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    own.into_iter()
        .chain(std::env::split_paths(&path))
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .unwrap_or_else(|| program.into())
}

type Decode = fn(&Path) -> f64;

/// Name, what compresses, and nanoseconds of decoding.
pub(super) const COMPRESSIONS: [(&str, &str, Decode); 2] = [
    ("gzip -6", "gzip", |path| {
        drained(flate2::read::MultiGzDecoder::new(open(path)))
    }),
    ("zstd -3", "zstd", |path| {
        drained(ruzstd::decoding::StreamingDecoder::new(open(path)).unwrap())
    }),
];

fn open(path: &Path) -> io::BufReader<File> {
    io::BufReader::with_capacity(1 << 18, File::open(path).unwrap())
}

fn drained(mut from: impl Read) -> f64 {
    let start = Instant::now();
    let mut buffer = vec![0; 1 << 18];
    while from.read(&mut buffer).unwrap() > 0 {}
    start.elapsed().as_nanos() as f64
}

/// Where the compressed file is; `None` without the program.
pub(super) fn compress(program: &str, plain: &Path) -> Option<PathBuf> {
    if !child::exists(program) {
        return None;
    }
    let to = plain.with_extension(program);
    let status = Command::new(program)
        .args(["-c", "-q"])
        .arg(plain)
        .stdout(File::create(&to).unwrap())
        .status();
    status.unwrap().success().then_some(to)
}

/// Nanoseconds by the clock of all that the default does with it, names off.
pub(super) fn sensor_wall(path: &Path) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(SENSOR);
    command
        .args(["read", "-q", "--max-names", "0", "--json"])
        .arg(folder.path().join("out"))
        .arg(path);
    let ran = child::run(&mut command).unwrap();
    assert_eq!(ran.status, 0);
    ran.wall
}
