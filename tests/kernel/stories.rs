//! The live end of the last story of docs/workflows.md: what it asks of a report has an answer.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Pair, Sensor, need_kernel};
use crate::support::{document, shell};
use crate::traffic;

#[test]
fn a_run_says_what_was_lost() {
    need_kernel!();
    let page = document::read("docs/workflows.md");
    let asked = shell::blocks(&page)
        .into_iter()
        .find(|block| block.language == "sh live" && block.text.starts_with("jq "))
        .unwrap();
    let words = shell::simple_commands(&asked.text).remove(0);
    let [jq, program, _] = &words[..] else {
        panic!("not a simple line: {words:?}");
    };

    let pair = Pair::new(1500);
    let mut sensor = Sensor::start(&pair.b, &["-i", "b0"]);
    let frames = traffic::frames(64);
    traffic::send(&pair.a, "a0", &frames, 20);
    sensor.counted(20 * frames.len() as u64);
    let report = sensor.stop().checked();

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("now.json");
    fs::write(&path, report.to_string()).unwrap();
    let Ok(output) = Command::new(jq).args(["-c", program]).arg(&path).output() else {
        assert!(
            std::env::var_os("CI").is_none(),
            "CI is set and jq is missing"
        );
        println!("skipped: no jq");
        return;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [accounting, unnamed] = &answers[..] else {
        panic!("{text}{}", String::from_utf8_lossy(&output.stderr));
    };
    assert_eq!(accounting["lost"], serde_json::json!({}));
    assert_eq!(accounting["overflow"]["packets"], 0);
    assert_eq!(accounting["identity_holds"], true);
    let verdicts = accounting["verdicts"].as_array().unwrap();
    let equal = |verdict: &Value| verdict.as_str().unwrap().starts_with("b0 ingress: equal");
    assert!(verdicts.iter().any(equal), "{verdicts:?}");
    assert_eq!(*unnamed, 0);
}
