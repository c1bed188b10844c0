//! What stands outside the config file: variables, and the files that it names.

use super::*;

#[test]
fn files_of_filters_are_checked_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("good"), "# web\nport 80 # http\n").unwrap();
    std::fs::write(path("bad"), "# web\ntcp and\nprot 80\n").unwrap();
    let check_all = |good: &str, bad: &str| {
        let text = format!("[run]\nfilter-file = '{good}'\n[read]\nfilter-file = '{bad}'\n");
        let gathered = gather(None, &Fake::default().file(DEFAULT_PATH, &text));
        assert_eq!(gathered.errors, []);
        let errors = check(&gathered).into_iter();
        errors.map(|error| error.to_string()).collect::<Vec<_>>()
    };
    let errors = check_all(&path("good"), &path("bad"));
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(errors[0].starts_with("/etc/sensor/sensor.toml:4:15: filter-file: in "));
    assert!(
        errors[0].ends_with("line 3: unknown word 'prot': did you mean 'port'?"),
        "{errors:?}"
    );
    let errors = check_all(&path("none"), &path("good"));
    assert!(errors.len() == 1 && errors[0].contains(":2:15: filter-file: can't read the filter"));
    let around = Fake::default().var("SENSOR_FILTER_FILE", "/none/at/all");
    let errors = check(&gather(None, &around));
    assert!(
        errors.len() == 1
            && errors[0]
                .to_string()
                .starts_with("SENSOR_FILTER_FILE: filter-file: can't")
    );
}

#[test]
fn numbers_of_variables_have_their_range_said() {
    let around = Fake::default().var("SENSOR_TOP", "-1");
    let errors = around.errors("sensor read x.pcap");
    assert_eq!(
        errors,
        ["SENSOR_TOP: top: `-1`: it must be a whole number, 0 = all"]
    );
}

#[test]
fn unknown_variables_are_a_warning() {
    let around = Fake::default()
        .var("SENSOR_TPO", "5")
        .var("SENSOR_CONFIG", "")
        .var("SENSOR_EMPTY", "")
        .var("SENSOR_SOMETHING_ELSE", "5")
        .var("OTHER", "5")
        .var("SENSOR_QUIET", "1");
    assert_eq!(
        around.load("sensor read x.pcap").unwrap().warnings,
        [
            "SENSOR_SOMETHING_ELSE: no setting has this variable",
            "SENSOR_TPO: no setting has this variable: did you mean SENSOR_TOP?",
        ]
    );
}
