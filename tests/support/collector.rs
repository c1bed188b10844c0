//! Collectors of IPFIX: nfcapd, and one of our own for TCP, which nfcapd does not speak.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use netflow_parser::variable_versions::ipfix::FlowSetBody;
use netflow_parser::{NetflowPacket, NetflowParser};

use super::report::Counts;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why there is no nfcapd, if there is none.
pub(crate) fn missing() -> Option<String> {
    let there = |program: &str| Command::new(program).arg("-V").output().is_ok();
    (!there("nfcapd") || !there("nfdump"))
        .then(|| "there is no nfcapd or nfdump (Debian package nfdump)".to_owned())
}

/// A running nfcapd, on a port of its own of 127.0.0.1.
pub(crate) struct Nfcapd {
    process: Child,
    output: BufReader<Box<dyn Read + Send>>,
    folder: tempfile::TempDir,
    pub(crate) port: u16,
}

/// What it has received, all in all.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Collected {
    pub(crate) flows: u64,
    pub(crate) total: Counts,
    /// By source, destination, their ports and the protocol's number, as nfdump writes them.
    pub(crate) by_flow: BTreeMap<String, Counts>,
}

impl Nfcapd {
    /// `command` runs the program that it is given; there where the sensor's packets to 127.0.0.1 go.
    pub(crate) fn start(command: impl Fn(&str) -> Command, free: impl Fn() -> u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free();
        let mut process = command("nfcapd")
            .args([
                "-b",
                "127.0.0.1",
                "-p",
                &port.to_string(),
                "-t",
                "86400",
                "-w",
            ])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr: Box<dyn Read + Send> = Box::new(process.stderr.take().unwrap());
        let mut started = Nfcapd {
            process,
            output: BufReader::new(stderr),
            folder,
            port,
        };
        started.wait_for("Startup nfcapd");
        started
    }

    pub(crate) fn url(&self) -> String {
        format!("udp://127.0.0.1:{}", self.port)
    }

    /// Its last lines, and what it wrote; fails where it says that something was lost. `sockets` is /proc/net/udp as
    /// it sees it.
    pub(crate) fn stop(mut self, sockets: impl Fn() -> String) -> Collected {
        let start = Instant::now();
        while self.unread(&sockets()) > 0 {
            assert!(start.elapsed() < PATIENCE, "nfcapd does not read");
            std::thread::sleep(Duration::from_millis(10));
        }
        // SAFETY: the process is our own child and has not been waited for.
        unsafe { libc::kill(self.process.id() as i32, libc::SIGTERM) };
        let mut said = String::new();
        self.output.read_to_string(&mut said).unwrap();
        assert!(self.process.wait().unwrap().success(), "{said}");
        let mut idents = said.lines().filter(|line| line.starts_with("Ident:"));
        assert!(
            idents.clone().next().is_some()
                && idents.all(|line| line.contains("Sequence Errors: 0, Bad Packets: 0")),
            "{said}"
        );
        self.collected()
    }

    /// Bytes in its socket's buffer.
    fn unread(&self, sockets: &str) -> u64 {
        let address = format!("0100007F:{:04X}", self.port);
        let mut lines = sockets.lines().map(|line| line.split_whitespace());
        let socket = lines.find_map(|mut fields| (fields.nth(1)? == address).then_some(fields));
        let fields: Vec<&str> = socket.unwrap().collect();
        assert_eq!(fields.last(), Some(&"0"), "datagrams were dropped");
        let (_, unread) = fields[2].split_once(':').unwrap();
        u64::from_str_radix(unread, 16).unwrap()
    }

    fn wait_for(&mut self, text: &str) {
        let mut said = String::new();
        while !said.contains(text) {
            let read = self.output.read_line(&mut said).unwrap();
            assert!(read > 0, "nfcapd ended: {said}");
        }
    }

    fn collected(&self) -> Collected {
        let output = Command::new("nfdump")
            .arg("-R")
            .arg(self.folder.path())
            .args(["-6", "-q", "-N", "-o", "fmt:%sa,%da,%sp,%dp,%pr,%pkt,%byt"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut collected = Collected::default();
        for line in text.lines().filter(|line| line.contains(',')) {
            let fields: Vec<&str> = line.split(',').map(str::trim).collect();
            let [key @ .., packets, bytes] = &fields[..] else {
                panic!("{line}");
            };
            let counts = Counts(packets.parse().unwrap(), bytes.parse().unwrap());
            collected.flows += 1;
            collected.total += counts;
            *collected.by_flow.entry(key.join(" ")).or_default() += counts;
        }
        collected
    }
}

impl Drop for Nfcapd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A UDP port that nobody has.
pub(crate) fn free_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

/// Hears messages by TCP.
pub(crate) struct Listener(pub(crate) TcpListener);

impl Listener {
    pub(crate) fn url(&self) -> String {
        let SocketAddr::V4(address) = self.0.local_addr().unwrap() else {
            panic!("not IPv4");
        };
        format!("tcp://{address}")
    }

    /// Takes one connection and hears all of it. Records must follow each other.
    pub(crate) fn collect(&self) -> (u64, Counts) {
        let (mut stream, _) = self.0.accept().unwrap();
        let mut parser = NetflowParser::default();
        let (mut flows, mut total) = (0, Counts::default());
        let mut sequence = 0;
        let mut header = [0; 4];
        while stream.read_exact(&mut header).is_ok() {
            let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
            let mut message = header.to_vec();
            message.resize(length, 0);
            stream.read_exact(&mut message[4..]).unwrap();
            let parsed = parser.parse_bytes(&message);
            let [NetflowPacket::IPFix(message)] = &parsed.packets[..] else {
                panic!("{parsed:?}");
            };
            assert_eq!(message.header.sequence_number, sequence);
            for set in &message.flowsets {
                match &set.body {
                    FlowSetBody::Data(data) => {
                        sequence += data.fields.len() as u32;
                        flows += data.fields.len() as u64;
                        total += data.fields.iter().map(counts).sum::<Counts>();
                    }
                    FlowSetBody::OptionsData(data) => sequence += data.fields.len() as u32,
                    FlowSetBody::NoTemplate(_) => panic!("no template yet"),
                    _ => {}
                }
            }
        }
        (flows, total)
    }
}

impl std::ops::Add for Counts {
    type Output = Counts;

    fn add(mut self, more: Counts) -> Counts {
        self += more;
        self
    }
}

/// `record`: pairs of an element's name and its value.
fn counts<'a, Name: serde::Serialize + 'a, Of: serde::Serialize + 'a>(
    record: impl IntoIterator<Item = &'a (Name, Of)>,
) -> Counts {
    let mut counts = Counts::default();
    for (name, value) in record {
        let name = serde_json::to_value(name).unwrap();
        let value = serde_json::to_value(value).unwrap();
        let number = || value["DataNumber"]["U64"].as_u64();
        match name["IANA"].as_str() {
            Some("PacketDeltaCount") => counts.0 = number().unwrap(),
            Some("OctetDeltaCount") => counts.1 = number().unwrap(),
            _ => {}
        }
    }
    counts
}
