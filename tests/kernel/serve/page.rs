//! The live page in Chromium, on a run between two namespaces: what it shows is the report, to the packet and byte.

use serde_json::Value;

use super::{address, get};
use crate::harness::{Pair, Sensor, eventually, need_kernel};
use crate::support::browser::Browser;
use crate::support::report::number;
use crate::traffic::{self, LEN};

const FLOWS: u16 = 40;

/// Figures without their thousands' separators.
fn figures(browser: &mut Browser, selector: &str) -> String {
    browser.text(selector).replace(',', "")
}

/// Everything on the page that stands for a number of packets or bytes is that of the report.
fn same(browser: &mut Browser, report: &Value) {
    let totals = &report["totals"];
    let cards = figures(browser, "#cards");
    for expected in [
        format!("{} on the wire", totals["bytes"]),
        format!("Packets{}", totals["packets"]),
        format!("Flows{}", report["flows_total"]),
        format!("Endpoints{}", report["endpoints_total"]),
    ] {
        assert!(cards.contains(&expected), "{expected}: {cards}");
    }
    let sums = figures(browser, "#accounting table");
    for row in ["in_flows", "not_ip", "seen"] {
        let counts = &report["accounting"][row];
        let expected = format!("{}{}", counts["packets"], counts["bytes"]);
        assert!(sums.contains(&expected), "{row} {expected}: {sums}");
    }
    for layer in ["network", "transport", "application"] {
        let shown = rows(browser, &format!(".layer.{layer} tbody tr"));
        let told = report["protocols"][layer].as_array().unwrap();
        assert_eq!(shown.len(), told.len(), "{layer}");
        for (cells, row) in shown.iter().zip(told) {
            assert!(
                cells[0].starts_with(row["name"].as_str().unwrap()),
                "{cells:?} {row}"
            );
            assert_eq!(
                cells[3].replace(',', ""),
                row["packets"].to_string(),
                "{cells:?}"
            );
        }
    }
    let shown = rows(browser, "#flows tbody tr[aria-rowindex]");
    let told = report["flows"].as_array().unwrap();
    assert!(!shown.is_empty());
    for (cells, flow) in shown.iter().zip(told) {
        let end = |side: &str| {
            format!(
                "{}:{}",
                flow[format!("{side}_addr")].as_str().unwrap(),
                flow[format!("{side}_port")]
            )
        };
        assert_eq!((&cells[0], &cells[1]), (&end("src"), &end("dst")));
        assert!(
            cells.contains(&flow["packets"].to_string()),
            "{cells:?} {flow}"
        );
    }
}

/// The cells' texts.
fn rows(browser: &mut Browser, selector: &str) -> Vec<Vec<String>> {
    let expression = format!(
        "[...document.querySelectorAll({selector:?})].map((row) => [...row.children].map((cell) => cell.textContent))"
    );
    serde_json::from_value(browser.value(&expression)).unwrap()
}

#[test]
fn the_live_page_shows_the_report_goes_on_and_says_the_end() {
    need_kernel!();
    let pair = Pair::new(1500);
    let Some(mut browser) = Browser::start_by(pair.b.command("sh")) else {
        return;
    };
    let arguments = ["-i", "b0", "--interval", "500ms", "--listen", "0"];
    let mut sensor = Sensor::start(&pair.b, &arguments);
    let served = address(&sensor, "live page");
    assert!(served.ip().is_loopback());
    let frames = traffic::frames(FLOWS);
    traffic::send(&pair.a, "a0", &frames, 3);
    sensor.counted(3 * u64::from(FLOWS));
    browser.go_online();
    browser.visit(&format!("http://{served}/"));
    shows(&mut browser, 3 * u64::from(FLOWS));
    assert_eq!(browser.text("#feed"), "live");
    let report: Value = serde_json::from_str(&get(&pair.b, served, "/report.json")).unwrap();
    assert_eq!(
        number(&report["totals"]["bytes"]),
        3 * u64::from(FLOWS) * LEN
    );
    same(&mut browser, &report);

    // Paused it stays, and then catches up.
    browser.value("document.getElementById('pause').click()");
    traffic::send(&pair.a, "a0", &frames, 2);
    eventually("the rest in the report", || {
        let report: Value = serde_json::from_str(&get(&pair.b, served, "/report.json")).unwrap();
        number(&report["totals"]["packets"]) == 5 * u64::from(FLOWS)
    });
    assert_eq!(browser.text("#feed"), "paused");
    assert!(figures(&mut browser, "#cards").contains("Packets120"));
    browser.value("document.getElementById('pause').click()");
    shows(&mut browser, 5 * u64::from(FLOWS));

    // A reload of the settings ends no counting and no page.
    sensor.signal(libc::SIGHUP);
    sensor.wait_for_line("SIGHUP");
    traffic::send(&pair.a, "a0", &frames, 1);
    shows(&mut browser, 6 * u64::from(FLOWS));
    let whole = sensor.stop().checked();
    browser.until("document.getElementById('feed').textContent === 'the run has ended'");
    same(&mut browser, &whole);
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
    let strange = browser
        .requests
        .iter()
        .find(|url| !url.starts_with(&format!("http://{served}/")));
    assert_eq!(strange, None);
}

/// Waits until the headline says so many packets.
fn shows(browser: &mut Browser, packets: u64) {
    let told = format!(
        "document.getElementById('cards').textContent.replaceAll(',', '').includes('Packets{packets}')"
    );
    browser.until(&told);
}

#[test]
fn a_window_that_is_followed_moves_and_a_server_that_dies_is_said() {
    need_kernel!();
    let pair = Pair::new(1500);
    let Some(mut browser) = Browser::start_by(pair.b.command("sh")) else {
        return;
    };
    let arguments = ["-i", "b0", "--interval", "500ms", "--listen", "0"];
    let mut sensor = Sensor::start(&pair.b, &arguments);
    let served = address(&sensor, "live page");
    traffic::send(&pair.a, "a0", &traffic::frames(FLOWS), 1);
    sensor.counted(u64::from(FLOWS));
    browser.go_online();
    browser.visit(&format!("http://{served}/"));
    // Two seconds in place of the minute, as nobody waits that long here.
    browser.value("(() => { const follow = document.getElementById('follow'); follow.options[3].value = '2'; follow.value = '2'; follow.dispatchEvent(new Event('change')); })()");
    browser.until("document.getElementById('span-told').textContent.includes('2 s; 0 packets')");
    let first = browser.text("#span-told");
    browser.until(&format!(
        "document.getElementById('span-told').textContent !== {first:?}"
    ));
    browser.value("document.getElementById('span-back').click()");
    assert_eq!(
        browser.value("document.getElementById('follow').value"),
        "chosen"
    );
    browser.value("document.getElementById('span-whole').click()");
    assert_eq!(
        browser.value("document.getElementById('follow').value"),
        "whole"
    );
    sensor.signal(libc::SIGKILL);
    browser.until("document.getElementById('feed').dataset.state === 'lost'");
    let told = browser.text("#feed");
    assert_eq!(told, "connection lost, trying again");
    assert!(
        figures(&mut browser, "#cards").contains(&format!("Packets{FLOWS}")),
        "its figures stay"
    );
    drop(sensor);
}
