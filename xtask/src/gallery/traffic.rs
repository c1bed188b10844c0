//! Ten minutes of a small office: people browse, a backup goes out, a film comes in, somebody fetches a large file.

use super::capture::{Flow, Packet, TCP, UDP, Way, pcapng};

/// 2026-03-02T09:00:00Z
const START: u64 = 1_772_442_000_000_000;
const SECOND: u64 = 1_000_000;
const MINUTES: u64 = 10;
const HOST: [u8; 16] = v4(192, 0, 2, 10);
const HOST6: [u8; 16] = v6(0x10);
const RESOLVER: [u8; 16] = v4(192, 0, 2, 53);

const fn v4(a: u8, b: u8, c: u8, d: u8) -> [u8; 16] {
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d]
}

const fn v6(last: u8) -> [u8; 16] {
    [
        0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0x51, 0, 0, 0, 0, 0, 0, 0, last,
    ]
}

/// The whole capture, as a file.
pub(super) fn office() -> Vec<u8> {
    let mut office = Office {
        packets: Vec::new(),
        random: 0x9e37_79b9_7f4a_7c15,
        port: 49_152,
    };
    office.browse();
    office.backup();
    office.film();
    office.download();
    office.chores();
    pcapng(office.packets)
}

struct Office {
    packets: Vec<Packet>,
    random: u64,
    /// Of the next connection.
    port: u16,
}

/// What a transfer looks like: bytes a second, in whole seconds from the start.
struct Transfer {
    from: u64,
    to: u64,
    rate: u64,
    way: Way,
}

impl Office {
    fn browse(&mut self) {
        let sites = [
            ("www.example.com", v4(198, 51, 100, 7)),
            ("cdn.example.net", v4(198, 51, 100, 80)),
            ("mail.example.org", v4(203, 0, 113, 25)),
            ("docs.example.com", v4(198, 51, 100, 31)),
        ];
        for second in (0..MINUTES * 60).step_by(4) {
            let (name, server) = sites[self.below(4) as usize];
            self.ask(second, name, server);
            let flow = self.connect(server, 443, TCP);
            self.say(second, &flow, Way::Out, &client_hello(name));
            // Mornings begin slowly.
            let rate = 40_000 + self.below(90_000) * (second + 60) / 300;
            let to = second + 1 + self.below(5);
            self.transfer(
                &flow,
                &Transfer {
                    from: second,
                    to,
                    rate,
                    way: Way::In,
                },
            );
        }
    }

    fn backup(&mut self) {
        let server = v4(203, 0, 113, 90);
        self.ask(128, "backup.example.org", server);
        let flow = self.connect(server, 22, TCP);
        self.say(128, &flow, Way::In, b"SSH-2.0-OpenSSH_9.6\r\n");
        self.say(128, &flow, Way::Out, b"SSH-2.0-OpenSSH_9.6\r\n");
        self.transfer(
            &flow,
            &Transfer {
                from: 129,
                to: 262,
                rate: 260_000,
                way: Way::Out,
            },
        );
    }

    fn film(&mut self) {
        let mut flow = self.connect(v6(0x77), 443, UDP);
        (flow.src.0, flow.is_v6) = (HOST6, true);
        // A segment every six seconds, as players do.
        for from in (230..560).step_by(6) {
            self.transfer(
                &flow,
                &Transfer {
                    from,
                    to: from + 3,
                    rate: 300_000,
                    way: Way::In,
                },
            );
        }
    }

    fn download(&mut self) {
        let server = v4(198, 51, 100, 200);
        self.ask(350, "mirror.example.net", server);
        let flow = self.connect(server, 80, TCP);
        let request = b"GET /images/installer.iso HTTP/1.1\r\nHost: mirror.example.net\r\n\r\n";
        self.say(350, &flow, Way::Out, request);
        self.say(
            350,
            &flow,
            Way::In,
            b"HTTP/1.1 200 OK\r\nContent-Length: 90000000\r\n\r\n",
        );
        self.transfer(
            &flow,
            &Transfer {
                from: 351,
                to: 398,
                rate: 950_000,
                way: Way::In,
            },
        );
    }

    fn chores(&mut self) {
        let database = self.connect(v4(192, 0, 2, 33), 5432, TCP);
        let printer = self.connect(v4(192, 0, 2, 44), 631, TCP);
        let lookups = ["time.example.org", "api.example.com", "status.example.net"];
        for second in 0..MINUTES * 60 {
            let rate = 9000 + self.below(16_000);
            let way = if second % 3 == 0 { Way::Out } else { Way::In };
            self.transfer(
                &database,
                &Transfer {
                    from: second,
                    to: second + 1,
                    rate,
                    way,
                },
            );
            let name = lookups[self.below(3) as usize];
            self.ask(second, name, v4(203, 0, 113, 123));
        }
        self.transfer(
            &printer,
            &Transfer {
                from: 470,
                to: 490,
                rate: 120_000,
                way: Way::Out,
            },
        );
    }

    fn connect(&mut self, server: [u8; 16], port: u16, protocol: u8) -> Flow {
        self.port += 1;
        Flow {
            src: (HOST, self.port),
            dst: (server, port),
            protocol,
            is_v6: false,
        }
    }

    /// A DNS query, and its answer.
    fn ask(&mut self, second: u64, name: &str, address: [u8; 16]) {
        let flow = self.connect(RESOLVER, 53, UDP);
        let id = self.port.to_be_bytes();
        let question = question(name);
        let query = [&id[..], &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0], &question].concat();
        let answer = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4];
        let header = [0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
        let reply = [&id[..], &header, &question, &answer, &address[12..]].concat();
        self.say(second, &flow, Way::Out, &query);
        self.say(second, &flow, Way::In, &reply);
    }

    /// Within the first tenth of the second, one after the other.
    fn say(&mut self, second: u64, flow: &Flow, way: Way, payload: &[u8]) {
        let order = (self.packets.len() as u64 % 50) * 1000;
        self.add(second * SECOND + order, flow, way, (payload, 0));
    }

    /// Full packets one way, and one of eight acknowledged.
    fn transfer(&mut self, flow: &Flow, transfer: &Transfer) {
        const FULL: u64 = 1440;
        let back = match transfer.way {
            Way::In => Way::Out,
            Way::Out => Way::In,
        };
        for second in transfer.from..transfer.to.min(MINUTES * 60) {
            let rate = transfer.rate * (75 + self.below(50)) / 100;
            for n in 0..rate / FULL {
                let at = second * SECOND + 100_000 + self.below(900_000);
                self.add(at, flow, transfer.way, (&[], FULL as usize));
                if n % 8 == 0 {
                    self.add(at + 200, flow, back, (&[], 0));
                }
            }
        }
    }

    /// `flow` is as the host sends it.
    fn add(&mut self, at: u64, flow: &Flow, way: Way, (payload, more): (&[u8], usize)) {
        let flow = match way {
            Way::Out => *flow,
            Way::In => flow.back(),
        };
        let kept = flow.frame(payload, more);
        self.packets.push(Packet {
            at: START + at,
            way,
            wire_len: kept.len() + more,
            kept,
        });
    }

    /// Xorshift: the same on every machine.
    fn below(&mut self, limit: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % limit
    }
}

/// A name as DNS has it, type A, class IN.
fn question(name: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in name.split('.') {
        wire.push(label.len() as u8);
        wire.extend(label.as_bytes());
    }
    wire.extend([0, 0, 1, 0, 1]);
    wire
}

/// As short as one can be that names its server.
fn client_hello(name: &str) -> Vec<u8> {
    let server = with_length(name.as_bytes());
    let names = with_length(&[&[0], &server[..]].concat());
    let sni = [&[0, 0], &with_length(&names)[..]].concat();
    let versions = [0, 43, 0, 3, 2, 3, 4];
    let extensions = with_length(&[&sni[..], &versions].concat());
    let mut hello = vec![3, 3];
    hello.extend([0x5a; 32]); // random
    hello.push(0); // no session
    hello.extend([0, 2, 0x13, 1]); // TLS_AES_128_GCM_SHA256
    hello.extend([1, 0]); // no compression
    hello.extend(extensions);
    let handshake = [&[1, 0], &with_length(&hello)[..]].concat();
    [&[22, 3, 1], &with_length(&handshake)[..]].concat()
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_machine_makes_the_same_traffic() {
        let file = office();
        assert_eq!(file, office());
        assert!(
            (10_000_000..60_000_000).contains(&file.len()),
            "{}",
            file.len()
        );
    }

    #[test]
    fn a_hello_has_the_lengths_it_says() {
        let hello = client_hello("a.example");
        let length = |at: usize| usize::from(u16::from_be_bytes([hello[at], hello[at + 1]]));
        assert_eq!(length(3), hello.len() - 5);
        assert_eq!(length(7), hello.len() - 9);
        assert!(hello.windows(9).any(|part| part == b"a.example"));
    }
}
