use std::net::IpAddr;

use proptest::prelude::*;

use super::*;

/// Writes databases, by the specification and with whatever content.
struct Writer {
    record_bits: usize,
    ip_version: u16,
    /// Left and right: a node, or what a leaf says.
    nodes: Vec<[Option<Child>; 2]>,
    values: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Child {
    Node(usize),
    Value(usize),
}

fn head(kind: u8, size: usize) -> Vec<u8> {
    assert!(size < 285);
    let low = size.min(29) as u8;
    let mut bytes = match kind {
        0..=7 => vec![kind << 5 | low],
        _ => vec![low, kind - 7],
    };
    if size >= 29 {
        bytes.push((size - 29) as u8);
    }
    bytes
}

fn text(value: &str) -> Vec<u8> {
    [head(2, value.len()), value.as_bytes().to_vec()].concat()
}

fn number(value: u32) -> Vec<u8> {
    [head(6, 4), value.to_be_bytes().to_vec()].concat()
}

fn map(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let pairs = entries
        .iter()
        .map(|(key, value)| [text(key), value.clone()].concat());
    [head(7, entries.len()), pairs.collect::<Vec<_>>().concat()].concat()
}

fn array(entries: &[Vec<u8>]) -> Vec<u8> {
    [head(11, entries.len()), entries.concat()].concat()
}

/// Of two bytes, within the first 2048.
fn pointer(to: usize) -> Vec<u8> {
    vec![1 << 5 | (to >> 8) as u8, to as u8]
}

impl Writer {
    fn new(record_bits: usize, ip_version: u16) -> Self {
        Writer {
            record_bits,
            ip_version,
            nodes: vec![[None; 2]],
            values: Vec::new(),
        }
    }

    fn value(&mut self, bytes: &[u8]) -> usize {
        self.values.extend(bytes);
        self.values.len() - bytes.len()
    }

    fn network(&mut self, addr: &str, prefix: u32, value: usize) {
        let (bits, prefix) = match addr.parse().unwrap() {
            IpAddr::V4(addr) if self.ip_version == 4 => (u128::from(addr.to_bits()) << 96, prefix),
            IpAddr::V4(addr) => (u128::from(addr.to_bits()), prefix + 96),
            IpAddr::V6(addr) => (addr.to_bits(), prefix),
        };
        let mut node = 0;
        for number in 0..prefix {
            let side = (bits >> (127 - number) & 1) as usize;
            if number + 1 == prefix {
                self.nodes[node][side] = Some(Child::Value(value));
            } else if let Some(Child::Node(next)) = self.nodes[node][side] {
                node = next;
            } else {
                self.nodes.push([None; 2]);
                let next = self.nodes.len() - 1;
                self.nodes[node][side] = Some(Child::Node(next));
                node = next;
            }
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let count = self.nodes.len();
        let mut bytes = Vec::new();
        for node in &self.nodes {
            let [left, right] = node.map(|child| match child {
                Some(Child::Node(next)) => next,
                Some(Child::Value(at)) => count + 16 + at,
                None => count,
            });
            let (l, r) = ((left as u32).to_be_bytes(), (right as u32).to_be_bytes());
            match self.record_bits {
                24 => bytes.extend([&l[1..], &r[1..]].concat()),
                28 => {
                    bytes.extend(&l[1..]);
                    bytes.push(l[0] << 4 | r[0]);
                    bytes.extend(&r[1..]);
                }
                _ => bytes.extend([l, r].concat()),
            }
        }
        bytes.extend([0; 16]);
        bytes.extend(&self.values);
        bytes.extend(b"\xab\xcd\xefMaxMind.com");
        bytes.extend(map(&[
            ("binary_format_major_version", number(2)),
            ("binary_format_minor_version", number(0)),
            ("build_epoch", [head(9, 4), vec![1; 4]].concat()),
            ("database_type", text("Test")),
            ("description", map(&[("en", text("a test"))])),
            ("ip_version", number(self.ip_version.into())),
            ("languages", array(&[text("en")])),
            ("node_count", number(count as u32)),
            ("record_size", number(self.record_bits as u32)),
        ]));
        bytes
    }
}

fn city(record_bits: usize, ip_version: u16) -> Vec<u8> {
    let mut writer = Writer::new(record_bits, ip_version);
    let shared = writer.value(&map(&[("de", text("Schweden")), ("en", text("Sweden"))]));
    let swedish = writer.value(&map(&[
        ("city", map(&[("names", map(&[("en", text("Linköping"))]))])),
        (
            "country",
            map(&[("iso_code", text("SE")), ("names", pointer(shared))]),
        ),
        ("subdivisions", array(&[map(&[("iso_code", text("E"))])])),
        ("registered_country", map(&[("iso_code", text("DE"))])),
    ]));
    let registered = map(&[("registered_country", map(&[("iso_code", text("DE"))]))]);
    let german = writer.value(&registered);
    writer.network("89.160.20.0", 24, swedish);
    writer.network("192.0.2.128", 25, german);
    if ip_version == 6 {
        writer.network("2001:db8::", 32, german);
    }
    writer.bytes()
}

fn systems() -> Vec<u8> {
    let mut writer = Writer::new(24, 6);
    let one = writer.value(&map(&[
        ("autonomous_system_number", number(29_518)),
        (
            "autonomous_system_organization",
            text("Bredband2 \u{1b}[31mAB"),
        ),
    ]));
    writer.network("89.160.0.0", 16, one);
    writer.bytes()
}

fn geo(databases: Vec<Vec<u8>>) -> Geo {
    let databases = databases.into_iter().map(|bytes| Mmdb::new(bytes).unwrap());
    Geo {
        databases: databases.collect(),
    }
}

fn addr(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn an_address_is_placed_by_every_database() {
    for bits in [24, 28, 32] {
        let geo = geo(vec![city(bits, 6), systems()]);
        let place = geo.lookup(addr("89.160.20.112")).unwrap();
        let expected = Place {
            country: Some("SE".into()),
            country_name: Some("Sweden".into()),
            city: Some("Linköping".into()),
            asn: Some(29_518),
            as_org: Some("Bredband2 \u{1b}[31mAB".into()),
        };
        assert_eq!(place, expected, "{bits}");
        let german = geo.lookup(addr("2001:db8:1::1")).unwrap();
        assert_eq!((german.country.as_deref(), german.asn), (Some("DE"), None));
        assert_eq!(geo.lookup(addr("192.0.2.200")), Some(german));
        let other = geo.lookup(addr("89.160.21.1")).unwrap();
        assert_eq!((other.country, other.asn), (None, Some(29_518)));
        for unknown in ["192.0.2.1", "10.0.0.1", "::1", "2001:db9::"] {
            assert_eq!(geo.lookup(addr(unknown)), None, "{unknown}");
        }
    }
}

#[test]
fn a_database_of_ipv4_knows_no_ipv6() {
    let geo = geo(vec![city(28, 4)]);
    assert!(geo.lookup(addr("89.160.20.1")).is_some());
    assert_eq!(geo.lookup(addr("2001:db8::1")), None);
}

#[test]
fn the_usual_reader_says_the_same() {
    for bits in [24, 28, 32] {
        let bytes = city(bits, 6);
        let theirs = maxminddb::Reader::from_source(bytes.clone()).unwrap();
        let ours = geo(vec![bytes]);
        for one in [
            "89.160.20.112",
            "192.0.2.128",
            "192.0.2.127",
            "2001:db8::1",
            "::",
        ] {
            let place = ours.lookup(addr(one)).unwrap_or_default();
            let found = theirs.lookup(addr(one)).unwrap();
            let city: maxminddb::geoip2::City = found.decode().unwrap().unwrap_or_default();
            let country = city.country.iso_code.or(city.registered_country.iso_code);
            assert_eq!(place.country.as_deref(), country, "{one}");
            assert_eq!(place.city.as_deref(), city.city.names.english, "{one}");
        }
    }
}

#[test]
fn what_is_no_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no.mmdb");
    let told = |path: &Path| Geo::open(&[path]).err().unwrap().to_string();
    assert!(
        told(&path).contains("can't read the database"),
        "{}",
        told(&path)
    );
    assert!(told(folder.path()).contains("it is not a file"));
    let whole = city(24, 6);
    let cases: [(&[u8], &str); 3] = [
        (b"", "no metadata"),
        (b"\xab\xcd\xefMaxMind.com", "incomplete"),
        (&whole[300..], "larger than the file"),
    ];
    for (bytes, why) in cases {
        fs::write(&path, bytes).unwrap();
        assert!(told(&path).contains(why), "{}", told(&path));
    }
    fs::write(&path, whole).unwrap();
    assert!(Geo::open(&[&path]).is_ok());
}

#[test]
fn a_pointer_in_a_circle_ends() {
    let mut writer = Writer::new(24, 4);
    let itself = writer.value(&pointer(0));
    writer.network("10.0.0.0", 8, itself);
    // An array of itself, to be stepped over on the way to the country.
    let at = writer.values.len();
    let circle = array(&vec![pointer(at); 20]);
    writer.value(&circle);
    let record = map(&[
        ("a", pointer(at)),
        ("country", map(&[("iso_code", text("XX"))])),
    ]);
    let record = writer.value(&record);
    writer.network("11.0.0.0", 8, record);
    // More entries than there are bytes.
    let endless = writer.value(&[7 << 5 | 31, 0xff, 0xff, 0xff]);
    writer.network("12.0.0.0", 8, endless);
    let geo = geo(vec![writer.bytes()]);
    assert_eq!(geo.lookup(addr("10.0.0.1")), None);
    assert_eq!(
        geo.lookup(addr("11.0.0.1")).unwrap().country.as_deref(),
        Some("XX")
    );
    assert_eq!(geo.lookup(addr("12.0.0.1")), None);
}

proptest! {
    #[test]
    fn no_bytes_are_too_bad(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<prop::sample::Index>(),
        cut_it in prop::bool::weighted(0.2),
        asked in any::<[u8; 16]>(),
    ) {
        for bits in [24, 28, 32] {
            let mut bytes = city(bits, 6);
            for (place, byte) in &changes {
                let place = place.index(bytes.len());
                bytes[place] = *byte;
            }
            if cut_it {
                bytes.drain(..cut.index(bytes.len()));
            }
            if let Ok(database) = Mmdb::new(bytes) {
                let geo = Geo { databases: vec![database] };
                for one in ["89.160.20.112", "192.0.2.200", "2001:db8::1", "::"] {
                    let _ = geo.lookup(addr(one));
                }
                let _ = geo.lookup(asked.into());
            }
        }
    }
}
