//! The dashboard in a real browser: what is written by `--html` opens from disk, shows the report's figures, and does what
//! its controls promise.

mod live;
mod looks;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{file_in, sensor};
use crate::support::browser::Browser;
use crate::support::capture::{Pcap, Record};
use crate::support::packets::{at, ethernet_ip, udp};
use crate::support::report;

const SECOND: i64 = 1_000_000_000;
const START: i64 = 1_700_000_000 * SECOND;
/// Ends the data and begins a script, if it can; and an image, if it can't.
const HOSTILE: &str =
    "<script>document.title='owned'<_script>\"><img src=x onerror=document.title='owned'>.pcap";

/// The page of these packets, and the report of the same ones as JSON.
fn page(folder: &Path, name: &str, records: &[Record], more: &[&str]) -> (PathBuf, Value) {
    page_of(folder, name, &Pcap::default().write(records), more)
}

fn page_of(folder: &Path, name: &str, capture: &[u8], more: &[&str]) -> (PathBuf, Value) {
    let capture = file_in(folder, name, capture);
    let (html, json) = (folder.join("page.html"), folder.join("report.json"));
    let files = [&capture, &html, &json].map(|path| path.to_str().unwrap().to_owned());
    let arguments = [
        "read", &files[0], "--html", &files[1], "--json", &files[2], "-n", "0",
    ];
    sensor(arguments.iter().chain(more)).run().ended(0);
    let report = report::parse(&std::fs::read(json).unwrap());
    (html, report)
}

fn datagram(second: i64, from: SocketAddr, to: SocketAddr, payload: usize) -> Record {
    Record::new(
        START + second * SECOND,
        ethernet_ip(&udp(from, to, payload)),
    )
}

/// A hundred seconds: one pair in the first half, another in the second, a third throughout; one request with a hostile
/// client in it.
fn hundred_seconds() -> Vec<Record> {
    let mut records = Vec::new();
    for second in 0..100 {
        let (from, to, payload) = match second < 50 {
            true => ("10.0.0.1:4000", "10.0.0.2:5000", 100),
            false => ("10.0.0.3:4000", "10.0.0.4:53000", 200),
        };
        records.push(datagram(second, at(from), at(to), payload));
        records.push(datagram(second, at("10.0.0.9:1900"), at("10.0.0.8:7"), 10));
    }
    records.push(request());
    records
}

fn request() -> Record {
    let head = format!(
        "GET / HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: =cmd|' /C calc'!A0 \"></td>{HOSTILE}</script><script>document.title='owned'</script>\r\n\r\n"
    );
    let mut packet = Vec::new();
    let built = etherparse::PacketBuilder::ethernet2([2; 6], [4; 6])
        .ipv4([10, 0, 0, 7], [10, 0, 0, 6], 64)
        .tcp(50_000, 80, 1, 1024)
        .psh()
        .ack(1);
    built.write(&mut packet, head.as_bytes()).unwrap();
    Record::new(START + 99 * SECOND, packet)
}

fn opened(folder: &Path, name: &str, more: &[&str]) -> Option<(Browser, Value)> {
    let mut browser = Browser::start()?;
    let (html, report) = page(folder, name, &hundred_seconds(), more);
    browser.open(&html);
    Some((browser, report))
}

/// Nothing went wrong that only the console says, and nobody was asked for anything but the file.
fn calm(browser: &Browser) {
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
    let strange = browser
        .requests
        .iter()
        .find(|url| !url.starts_with("file://"));
    assert_eq!(strange, None);
}

fn first_cell(browser: &mut Browser, list: &str, column: usize) -> String {
    browser.text(&format!(
        "#{list} tbody tr[aria-rowindex='2'] td:nth-child({column})"
    ))
}

#[test]
fn the_page_opens_from_disk_and_shows_the_reports_figures() {
    let folder = tempfile::tempdir().unwrap();
    let Some((mut browser, report)) = opened(folder.path(), "plain.pcap", &[]) else {
        return;
    };
    let bytes = report["totals"]["bytes"].as_u64().unwrap();
    let cards = browser.text("#cards").replace(',', "");
    assert!(cards.contains(&format!("{bytes} on the wire")), "{cards}");
    assert!(cards.contains("201") && cards.contains("holds"), "{cards}");
    assert_eq!(browser.text("#span-told"), "The whole time.");
    assert_eq!(first_cell(&mut browser, "flows", 2), "10.0.0.4:53000");
    assert!(browser.text("#flows tfoot").contains("201"));
    // The network is off and there is none to miss: a request would fail, and be a complaint.
    let refused =
        browser.value("fetch('https://example.com/').then(() => 'answered', () => 'refused')");
    assert_eq!(refused, "refused");
    let complaint = browser
        .complaints
        .iter()
        .any(|one| one.contains("Content Security Policy"));
    assert!(complaint, "{:#?}", browser.complaints);
    browser.complaints.clear();
    calm(&browser);
}

#[test]
fn a_drag_over_the_chart_filters_everything_and_a_double_click_undoes_it() {
    let folder = tempfile::tempdir().unwrap();
    let Some((mut browser, _)) = opened(folder.path(), "plain.pcap", &[]) else {
        return;
    };
    // From the left edge over the first ten seconds and a bit.
    let place = browser.value("(() => { const r = document.querySelector('.u-over').getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; })()");
    let edge = |at: usize| place[at].as_f64().unwrap();
    let x = |second: f64| edge(0) + edge(2) * second / 100.0;
    let y = edge(1) + edge(3) / 2.0;
    browser.drag((x(10.3), y), (x(29.7), y));
    browser.until("document.getElementById('span-told').textContent.startsWith('Span')");
    // Twenty seconds, two packets each: 142 and 52 bytes.
    let told = browser.text("#span-told");
    assert!(told.contains("20 s; 40 packets, 3.88 kB"), "{told}");
    assert!(browser.text("#cards").contains("3,880 on the wire"));
    assert!(browser.text("#flows-told").starts_with("2 flows"));
    assert_eq!(first_cell(&mut browser, "endpoints", 1), "10.0.0.1");
    assert_eq!(browser.text("#flows tfoot tr.strong td.number"), "3.88 kB");
    assert!(!browser.text("#layers").contains("http"));
    browser.value("document.getElementById('span-on').click()");
    assert!(
        browser
            .text("#span-told")
            .contains("22:13:50.000 to 22:14:10.000"),
        "{}",
        browser.text("#span-told")
    );
    browser.value("document.querySelector('.u-over').dispatchEvent(new MouseEvent('dblclick', {bubbles: true}))");
    browser.until("document.getElementById('span-told').textContent === 'The whole time.'");
    assert!(browser.text("#cards").contains("201"));
    calm(&browser);
}

#[test]
fn the_span_can_be_chosen_by_keyboard_alone() {
    let folder = tempfile::tempdir().unwrap();
    let Some((mut browser, _)) = opened(folder.path(), "plain.pcap", &[]) else {
        return;
    };
    browser.value("document.querySelectorAll('#span input')[0].focus()");
    for _ in 0..60 {
        browser.key("ArrowRight", 39);
    }
    let told = browser.text("#span-told");
    assert!(told.contains("40 s; 81 packets"), "{told}");
    let spoken = browser.value("document.activeElement.getAttribute('aria-valuetext')");
    assert_eq!(spoken, "2023-11-14 22:14:20.000");
    browser.value("document.getElementById('chart').focus()");
    browser.key("ArrowRight", 39);
    browser.key("ArrowRight", 39);
    browser.until(
        "document.querySelector('#chart .u-value').textContent.startsWith('2023-11-14 22:14:2')",
    );
    calm(&browser);
}

#[test]
fn lists_are_sorted_searched_and_copied() {
    let folder = tempfile::tempdir().unwrap();
    let Some((mut browser, _)) = opened(folder.path(), "plain.pcap", &[]) else {
        return;
    };
    let head = "document.querySelector('#flows thead th:nth-child(6)')";
    browser.value(&format!("{head}.querySelector('button').click()"));
    assert_eq!(
        browser.value(&format!("{head}.getAttribute('aria-sort')")),
        "descending"
    );
    assert_eq!(first_cell(&mut browser, "flows", 6), "100");
    browser.value(&format!("{head}.querySelector('button').click()"));
    assert_eq!(
        browser.value(&format!("{head}.getAttribute('aria-sort')")),
        "ascending"
    );
    assert_eq!(first_cell(&mut browser, "flows", 6), "1");
    browser.value("document.getElementById('flows-search').focus()");
    browser.call(
        "Input.insertText",
        serde_json::json!({"text": "tcp 10.0.0.7"}),
    );
    assert!(
        browser.text("#flows-told").starts_with("1 match"),
        "{}",
        browser.text("#flows-told")
    );
    browser.value("navigator.clipboard.writeText = async (text) => { window.copied = text; }");
    browser.value("document.getElementById('flows-copy').click()");
    browser.until("window.copied !== undefined");
    let csv = browser.value("window.copied");
    let csv = csv.as_str().unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let titles = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1);
    let cell = |title: &str| &rows[0][titles.iter().position(|one| one == title).unwrap()];
    assert_eq!(
        (cell("src"), cell("src_port"), cell("protocol")),
        ("10.0.0.7", "50000", "http")
    );
    assert!(cell("details").contains("=cmd|"), "{csv}");
    let formula = browser.value("document.getElementById('flows-told').textContent");
    assert!(formula.as_str().unwrap().contains("1 match"));
    calm(&browser);
}

#[test]
fn a_copied_cell_is_never_a_formula() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let table = include_str!("../../../sensor/src/dashboard/assets/page-table.js");
    let mut cell = |text: &str| {
        let expression = format!("{table}; Csv.cell({})", serde_json::json!(text));
        let made = browser.value(&format!(
            "(() => {{ return eval({}); }})()",
            serde_json::json!(expression)
        ));
        made.as_str().unwrap().to_owned()
    };
    assert_eq!(cell("web1.example"), "web1.example");
    assert_eq!(cell("a,\"b\""), "\"a,\"\"b\"\"\"");
    for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "|x", "%x"] {
        assert_eq!(cell(formula), format!("\"'{formula}\""));
    }
}

#[test]
fn paper_has_the_first_rows_and_no_controls() {
    let folder = tempfile::tempdir().unwrap();
    let Some((mut browser, _)) = opened(folder.path(), "plain.pcap", &[]) else {
        return;
    };
    browser.call(
        "Emulation.setEmulatedMedia",
        serde_json::json!({"media": "print"}),
    );
    browser.value("window.dispatchEvent(new Event('beforeprint'))");
    let hidden = browser.value("getComputedStyle(document.getElementById('span')).display");
    assert_eq!(hidden, "none");
    assert!(
        browser
            .value("document.querySelectorAll('#flows tbody tr').length")
            .as_u64()
            .unwrap()
            <= 40
    );
    let printed = browser.call("Page.printToPDF", serde_json::json!({}));
    assert!(
        printed["data"]
            .as_str()
            .is_some_and(|data| data.len() > 10_000)
    );
    calm(&browser);
}

#[test]
fn the_theme_follows_the_system_and_the_switch() {
    let folder = tempfile::tempdir().unwrap();
    let Some((mut browser, _)) = opened(folder.path(), "plain.pcap", &[]) else {
        return;
    };
    let ground = "getComputedStyle(document.body).backgroundColor";
    let light = browser.value(ground);
    let dark = serde_json::json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]});
    browser.call("Emulation.setEmulatedMedia", dark);
    let auto = browser.value(ground);
    assert_ne!(light, auto);
    let press = "document.getElementById('theme').click()";
    browser.value(press);
    assert_eq!(
        (browser.text("#theme").as_str(), browser.value(ground)),
        ("Theme: light", light)
    );
    browser.value(press);
    assert_eq!(
        (browser.text("#theme").as_str(), browser.value(ground)),
        ("Theme: dark", auto)
    );
    calm(&browser);
}

#[test]
fn hostile_text_is_text() {
    let folder = tempfile::tempdir().unwrap();
    let Some((mut browser, _)) = opened(folder.path(), HOSTILE, &[]) else {
        return;
    };
    assert!(browser.text("h1").contains(HOSTILE));
    let row = browser.text("#flows");
    assert!(
        row.contains("</script><script>document.title='owned'</script>"),
        "{row}"
    );
    assert!(browser.text("title").ends_with("sensor report"));
    let strangers = browser.value(
        "document.querySelectorAll('main img, main script, header script, header img').length",
    );
    assert_eq!(strangers, 0);
    assert_eq!(browser.value("document.scripts.length"), 3);
    calm(&browser);
}

#[test]
fn a_hundred_thousand_flows_open_at_once_and_scroll() {
    const FLOWS: u32 = 100_000;
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let flow = |n: u32| {
        let from = Ipv4Addr::from_bits(0x0a00_0000 + n / 200);
        let from = SocketAddr::from((from, 1024 + (n % 200) as u16));
        datagram(
            i64::from(n / 500),
            from,
            at("192.0.2.1:9999"),
            (n % 700) as usize,
        )
    };
    let records: Vec<Record> = (0..FLOWS).map(flow).collect();
    let (html, _) = page(folder.path(), "many.pcap", &records, &["--html-rows", "0"]);
    // The best of three: other work on the machine is not the page's doing.
    let mut best = u64::MAX;
    for _ in 0..3 {
        browser.open(&html);
        best = best.min(browser.text_number("document.documentElement.dataset.ready"));
        if best < 2000 {
            break;
        }
    }
    println!("100,000 flows: ready {best} ms after the page was asked for");
    assert!(best < 2000, "{best} ms");
    assert!(browser.text("#flows-told").starts_with("100,000 flows"));
    assert!(
        browser
            .value("document.querySelectorAll('#flows tbody tr').length")
            .as_u64()
            .unwrap()
            < 100
    );
    browser.value("(() => { const pane = document.querySelector('#flows .pane'); pane.scrollTop = pane.scrollHeight; })()");
    browser.until("document.querySelector('#flows tbody tr[aria-rowindex=\"100001\"]') !== null");
    let took = browser.text_number("(() => { const begin = performance.now(); document.getElementById('span-in').click(); return String(Math.round(performance.now() - begin)); })()");
    println!("100,000 flows: another span after {took} ms");
    assert!(
        browser
            .text("#flows-told")
            .starts_with("50,000 flows (one direction each), with packets in"),
        "{}",
        browser.text("#flows-told")
    );
    calm(&browser);
}

impl Browser {
    fn text_number(&mut self, expression: &str) -> u64 {
        let value = self.value(expression);
        value
            .as_str()
            .and_then(|text| text.parse().ok())
            .unwrap_or(u64::MAX)
    }
}
