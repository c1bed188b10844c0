//! What the page looks like: on a screen, a phone and paper, to those who see little, and for times of every length.

use serde_json::{Value, json};

use super::{calm, datagram, opened, page, page_of};
use crate::support::browser::Browser;
use crate::support::capture::{ETHERNET, Endian, PcapNg, Record};
use crate::support::packets::at;

/// Keeps what is written on canvases in `window.written`: axes are nowhere else.
const LISTEN: &str = "window.written = []; const write = CanvasRenderingContext2D.prototype.fillText; \
                      CanvasRenderingContext2D.prototype.fillText = function (text, ...more) { window.written.push(text); \
                      return write.call(this, text, ...more); };";

/// A packet of this many bytes on the wire.
fn packet(second: i64, bytes: usize) -> Record {
    // Ethernet, IPv4 and UDP have 42.
    datagram(second, at("10.0.0.1:4000"), at("10.0.0.2:5000"), bytes - 42)
}

/// An enhanced packet block that says which way the packet went.
fn with_way(file: PcapNg, record: &Record, way: u8) -> PcapNg {
    let units = record.at as u64 / 1000;
    let mut body = Vec::new();
    for word in [0, (units >> 32) as u32, units as u32] {
        body.extend(word.to_le_bytes());
    }
    for length in [record.data.len() as u32, record.wire_len] {
        body.extend(length.to_le_bytes());
    }
    body.extend(&record.data);
    body.resize(body.len().next_multiple_of(4), 0);
    body.extend([2, 0, 4, 0, way, 0, 0, 0]); // epb_flags
    body.extend([0; 4]); // opt_endofopt
    file.block(6, body)
}

fn listening() -> Option<Browser> {
    let mut browser = Browser::start()?;
    let listen = json!({"source": LISTEN});
    browser.call("Page.addScriptToEvaluateOnNewDocument", listen);
    Some(browser)
}

fn written(browser: &mut Browser) -> Vec<String> {
    let texts = browser.value("window.written");
    serde_json::from_value(texts).unwrap()
}

/// What the chart tells those who don't see it, at its next point.
fn next_told(browser: &mut Browser) -> String {
    browser.value("document.getElementById('chart').focus()");
    browser.key("ArrowRight", 39);
    browser.text("#chart-told")
}

fn media(browser: &mut Browser, scheme: &str) {
    let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
    browser.call("Emulation.setEmulatedMedia", features);
}

#[test]
fn ingress_is_up_and_egress_down_as_in_the_charts() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut browser) = listening() else {
        return;
    };
    let mut file = PcapNg::new(Endian::Little).interface(ETHERNET, 0);
    for second in 0..60 {
        file = with_way(file, &packet(second, 1000), 1);
        file = with_way(file, &packet(second, 400), 2);
    }
    let (html, _) = page_of(folder.path(), "ways.pcapng", &file.finish(), &[]);
    browser.open(&html);
    let told = next_told(&mut browser);
    assert!(
        told.ends_with("ingress, up 8.00 kbit/s; egress, down 3.20 kbit/s"),
        "{told}"
    );
    let written = written(&mut browser);
    let twice = |text: &String| written.iter().filter(|one| *one == text).count() == 2;
    let mirrored = written.iter().filter(|text| twice(text));
    assert!(
        mirrored.into_iter().any(|text| text.ends_with("kbit/s")),
        "{written:?}"
    );
    assert!(
        !written.iter().any(|text| text.contains('-')),
        "{written:?}"
    );
    calm(&browser);
}

#[test]
fn a_long_time_is_told_by_its_means_and_its_busiest_intervals() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let records: Vec<Record> = (0..2000).map(|n| packet(n * 5, 1000)).collect();
    let (html, _) = page(folder.path(), "long.pcap", &records, &[]);
    browser.open(&html);
    let told = next_told(&mut browser);
    assert!(
        told.ends_with("all packets: busiest 1 s 8.00 kbit/s; mean of 15 s 1.60 kbit/s"),
        "{told}"
    );
    // Near by, every interval can be seen.
    for _ in 0..5 {
        browser.value("document.getElementById('span-in').click()");
    }
    let legend = browser.text("#chart .u-legend");
    assert!(
        legend.contains("all packets") && !legend.contains("busiest"),
        "{legend}"
    );
    calm(&browser);
}

#[test]
fn an_axis_of_years_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut browser) = listening() else {
        return;
    };
    let year = 365 * 86_400;
    let records = [0, 7 * year, 20 * year].map(|second| packet(second, 100));
    let (html, _) = page(folder.path(), "years.pcap", &records, &[]);
    browser.open(&html);
    let written = written(&mut browser);
    let is_year = |text: &&String| text.len() == 4 && text.starts_with("20");
    assert!(written.iter().filter(is_year).count() > 3, "{written:?}");
    assert!(
        written.iter().any(|text| text == "800 bit/s"),
        "{written:?}"
    );
    assert!(!written.iter().any(|text| text == "01-01"), "{written:?}");
    calm(&browser);
}

#[test]
fn where_nobody_looked_is_grey_and_not_zero() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let seconds = (0..100).filter(|second| !(30..40).contains(second));
    let records: Vec<Record> = seconds.map(|second| packet(second, 1000)).collect();
    let (html, _) = page(folder.path(), "gap.pcap", &records, &[]);
    let text = std::fs::read_to_string(&html).unwrap();
    let nothing = "\"not_observed\":[]";
    assert!(text.contains(nothing));
    let gap = json!([{"start": "2023-11-14T22:13:50Z", "end": "2023-11-14T22:14:00Z"}]);
    let text = text.replacen(nothing, &format!("\"not_observed\":{gap}"), 1);
    std::fs::write(&html, text).unwrap();
    browser.open(&html);
    assert_eq!(
        browser.value("document.getElementById('chart-gaps').hidden"),
        false
    );
    let mut told = next_told(&mut browser);
    for _ in 0..31 {
        if told.contains("22:13:50") {
            break;
        }
        assert!(told.ends_with("all packets 8.00 kbit/s"), "{told}");
        told = next_told(&mut browser);
    }
    assert!(told.ends_with("22:13:50.000: all packets –"), "{told}");
    assert!(next_told(&mut browser).ends_with("22:14:00.000: all packets 8.00 kbit/s"));
    let corner = "(() => { const canvas = document.querySelector('#chart canvas'); const over = document.querySelector('.u-over'); \
                  const x = (over.offsetLeft + over.offsetWidth * 0.35) * devicePixelRatio; \
                  return [...canvas.getContext('2d').getImageData(x, (over.offsetTop + 3) * devicePixelRatio, 1, 1).data]; })()";
    assert_eq!(browser.value(corner), json!([0xee, 0xef, 0xf1, 255]));
    calm(&browser);
}

#[test]
fn nothing_at_all_is_said_and_not_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let (html, _) = page(folder.path(), "none.pcap", &[], &[]);
    browser.open(&html);
    assert_eq!(browser.text("#chart"), "No packets.");
    let help = browser.value("document.getElementById('chart-help').getClientRects().length");
    assert_eq!(
        (help, browser.text("#span-told")),
        (json!(0), String::new())
    );
    assert!(browser.text("#layers").contains("No packets."));
    calm(&browser);
}

#[test]
fn paper_is_white_whatever_the_theme() {
    let folder = tempfile::tempdir().unwrap();
    let Some((mut browser, _)) = opened(folder.path(), "plain.pcap", &[]) else {
        return;
    };
    media(&mut browser, "dark");
    let ground = "getComputedStyle(document.getElementById('bandwidth')).backgroundColor";
    let dark = browser.value(ground);
    browser.value("window.dispatchEvent(new Event('beforeprint'))");
    assert_eq!(browser.value(ground), "rgb(255, 255, 255)");
    browser.value("window.dispatchEvent(new Event('afterprint'))");
    assert_eq!(browser.value(ground), dark);
    assert_ne!(dark, "rgb(255, 255, 255)");
    calm(&browser);
}

#[test]
fn a_phone_shows_a_number_beside_each_address() {
    let folder = tempfile::tempdir().unwrap();
    let Some((mut browser, _)) = opened(folder.path(), "plain.pcap", &[]) else {
        return;
    };
    let size = json!({"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": true});
    browser.call("Emulation.setDeviceMetricsOverride", size);
    browser.until("document.querySelector('#endpoints tbody tr').offsetHeight === 46");
    let sideways = browser.value("document.documentElement.scrollWidth");
    assert!(sideways.as_u64().unwrap() <= 400, "{sideways}");
    let inside = "(() => { const pane = document.querySelector('#endpoints .pane').getBoundingClientRect(); \
                  return document.querySelector('#endpoints tbody tr td:nth-child(2)').getBoundingClientRect().right <= pane.right; })()";
    assert_eq!(browser.value(inside), true);
    calm(&browser);
}

/// WCAG 2, level AA.
#[test]
fn text_stands_out_from_its_ground_in_both_themes() {
    let folder = tempfile::tempdir().unwrap();
    let Some((mut browser, _)) = opened(folder.path(), "plain.pcap", &[]) else {
        return;
    };
    for scheme in ["light", "dark"] {
        media(&mut browser, scheme);
        let texts = browser.value(include_str!("contrast.js"));
        let texts: Vec<(f64, String)> = serde_json::from_value(texts).unwrap();
        assert!(texts.len() > 100, "{scheme}: {}", texts.len());
        let pale: Vec<_> = texts.iter().filter(|(ratio, _)| *ratio < 4.5).collect();
        assert!(pale.is_empty(), "{scheme}: {pale:?}");
    }
}

/// Asked of the tree that screen readers are given.
#[test]
fn whatever_takes_the_focus_has_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let Some((mut browser, _)) = opened(folder.path(), "plain.pcap", &[]) else {
        return;
    };
    let tree = browser.call("Accessibility.getFullAXTree", json!({}));
    let is_focusable = |node: &&Value| {
        let properties = node["properties"].as_array().into_iter().flatten();
        let mut focusable = properties.filter(|one| one["name"] == "focusable");
        focusable.any(|one| one["value"]["value"] == true) && node["ignored"] == false
    };
    let nodes = tree["nodes"].as_array().unwrap();
    let focusable: Vec<&Value> = nodes.iter().filter(is_focusable).collect();
    assert!(focusable.len() > 30, "{}", focusable.len());
    for node in focusable {
        let name = node["name"]["value"].as_str().unwrap_or_default();
        assert!(!name.is_empty(), "{node}");
    }
    let roles = |role: &str| {
        nodes
            .iter()
            .filter(|node| node["role"]["value"] == role)
            .count()
    };
    assert!(roles("rowheader") > 5 && roles("columnheader") > 20);
    calm(&browser);
}
