//! docs/labels.md names every label, with the ports that it is expected on.

use std::collections::BTreeMap;

use sensor_common::application::Application;
use sensor_common::classify::by_port;
use sensor_common::protocol::ip;

use crate::support::document;

#[test]
fn the_document_has_every_label_and_its_ports() {
    let document = document::read("docs/labels.md");
    let mut rows = BTreeMap::new();
    for line in document.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", label, ports, how, ""] = cells[..]
            && let Some(label) = label
                .strip_prefix('`')
                .and_then(|one| one.strip_suffix('`'))
        {
            assert!(!how.is_empty(), "{label}: how is it recognised?");
            assert!(rows.insert(label, ports).is_none(), "{label} stands twice");
        }
    }
    let expected = Application::ALL.iter().map(|one| (one.name(), ports(*one)));
    let wrong: Vec<String> = expected
        .filter(|(name, ports)| rows.remove(name) != Some(ports.as_str()))
        .map(|(name, ports)| format!("| `{name}` | {ports} |"))
        .collect();
    assert!(wrong.is_empty(), "missing or wrong:\n{}", wrong.join("\n"));
    assert!(rows.is_empty(), "no such labels: {rows:?}");
}

/// `tcp 80, 8080; udp 443`, or `-`.
fn ports(application: Application) -> String {
    let of = |protocol: u8, name: &str| {
        let has = |port: &u16| by_port(protocol, *port, *port) == Some(application);
        let ports: Vec<u16> = (0..=u16::MAX).filter(has).collect();
        let runs = ports.chunk_by(|one, next| one + 1 == *next);
        let runs = runs.flat_map(|run| match run {
            [first, _, .., last] => vec![format!("{first}-{last}")],
            _ => run.iter().map(u16::to_string).collect(),
        });
        let runs: Vec<String> = runs.collect();
        (!runs.is_empty()).then(|| format!("{name} {}", runs.join(", ")))
    };
    let all = [(ip::TCP, "tcp"), (ip::UDP, "udp"), (ip::SCTP, "sctp")];
    let all: Vec<String> = all
        .into_iter()
        .filter_map(|(number, name)| of(number, name))
        .collect();
    if all.is_empty() {
        return "-".to_owned();
    }
    all.join("; ")
}
