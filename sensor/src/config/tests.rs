mod around;

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::cli::{self, Backend, Command};

/// Surroundings that a test makes up.
#[derive(Default)]
struct Fake {
    env: BTreeMap<&'static str, &'static str>,
    files: BTreeMap<&'static str, Vec<u8>>,
    dangerous: bool,
}

impl Surroundings for Fake {
    fn env(&self, name: &str) -> Option<OsString> {
        self.env.get(name).map(Into::into)
    }

    fn variables(&self) -> Vec<OsString> {
        self.env.keys().map(Into::into).collect()
    }

    fn read(&self, path: &Path) -> io::Result<Found> {
        let bytes = path.to_str().and_then(|path| self.files.get(path));
        let bytes = bytes.ok_or(io::ErrorKind::NotFound)?.clone();
        let dangerous = self.dangerous;
        Ok(Found { bytes, dangerous })
    }
}

impl Fake {
    fn file(mut self, path: &'static str, text: &str) -> Self {
        self.files.insert(path, text.into());
        self
    }

    fn var(mut self, name: &'static str, value: &'static str) -> Self {
        self.env.insert(name, value);
        self
    }

    fn load(&self, line: &str) -> Result<Loaded, LoadError> {
        let arguments: Vec<OsString> = line.split(' ').map(Into::into).collect();
        load(&arguments, self)
    }

    fn run(&self, line: &str) -> cli::Run {
        match self.load(line).unwrap().cli.command {
            Command::Run(run) => *run,
            other => panic!("{other:?}"),
        }
    }

    fn read_command(&self, line: &str) -> cli::Read {
        match self.load(line).unwrap().cli.command {
            Command::Read(read) => read,
            other => panic!("{other:?}"),
        }
    }

    fn errors(&self, line: &str) -> Vec<String> {
        match self.load(line) {
            Err(LoadError::Config(errors)) => errors.iter().map(ToString::to_string).collect(),
            other => panic!("{other:?}"),
        }
    }
}

const OTHER: &str = "other.toml";

#[test]
fn each_source_gives_way_to_the_one_before() {
    let named = "sensor run --config other.toml";
    let mut around = Fake::default();
    assert_eq!(around.run("sensor run").counting.top, 10, "default");
    around = around.file(DEFAULT_PATH, "top = 1");
    assert_eq!(around.run("sensor run").counting.top, 1, "the default path");
    around = around.file(OTHER, "top = 2");
    assert_eq!(around.run(named).counting.top, 2, "--config");
    around = around.file(OTHER, "top = 2\n[run]\ntop = 3\n[read]\ntop = 4");
    assert_eq!(around.run(named).counting.top, 3, "the command's table");
    around = around.var("SENSOR_TOP", "5");
    assert_eq!(around.run(named).counting.top, 5, "the environment");
    let typed = around.run("sensor run --config other.toml -n 6");
    assert_eq!(typed.counting.top, 6, "a flag");
}

#[test]
fn the_variable_names_the_file_unless_a_flag_does() {
    let around = Fake::default()
        .var("SENSOR_CONFIG", OTHER)
        .file(OTHER, "top = 2")
        .file("third.toml", "top = 3");
    assert_eq!(around.run("sensor run").counting.top, 2);
    let third = around.run("sensor --config third.toml run");
    assert_eq!(third.counting.top, 3);
    let around = Fake::default().var("SENSOR_CONFIG", "none.toml");
    let errors = around.errors("sensor run");
    assert_eq!(errors, ["none.toml: there is no such config file"]);
}

#[test]
fn every_kind_of_value_arrives() {
    let text = r#"
quiet = true
interval = "10s"
json = ["a.json", "-"]
[run]
interface = "eth0"
kernel-flows = 0x1_000
backend = 'af-packet'
duration = "1m"
out = "/var/lib/sensor"
"#;
    let around = Fake::default().file(DEFAULT_PATH, text);
    let run = around.run("sensor run");
    assert_eq!(run.interfaces, ["eth0"]);
    assert_eq!(run.kernel_flows, 4096);
    assert_eq!(run.backend, Backend::AfPacket);
    assert_eq!(run.duration, Some(Duration::from_secs(60)));
    assert_eq!(run.out, Path::new("/var/lib/sensor"));
    assert_eq!(run.counting.interval, Duration::from_secs(10));
    assert_eq!(run.outputs.json.len(), 2);
    let typed = around.run("sensor run -i wg0 --json x");
    assert_eq!(typed.interfaces, ["wg0"], "typed ones replace the list");
    assert_eq!(typed.outputs.json, [Path::new("x")]);
    assert!(around.load("sensor run").unwrap().cli.quiet);
    assert!(!around.load("sensor run").unwrap().cli.verbose);
    assert!(around.load("sensor interfaces").unwrap().cli.quiet);
}

#[test]
fn variables_have_lists_and_switches_and_may_be_empty() {
    let around = Fake::default()
        .var("SENSOR_INTERFACE", "eth0, wg0")
        .var("SENSOR_VERBOSE", "1")
        .var("SENSOR_TOP", "")
        .var("SENSOR_FILTER", "port in {80,443}");
    let run = around.run("sensor run");
    assert_eq!(run.interfaces, ["eth0", "wg0"]);
    assert_eq!(run.counting.top, 10);
    let filter = run.expression.option.filter;
    assert_eq!(filter.as_deref(), Some("port in {80,443}"), "not a list");
    assert!(around.load("sensor run").unwrap().cli.verbose);
}

#[test]
fn a_bad_variable_is_named() {
    let around = Fake::default()
        .var("SENSOR_INTERVAL", "5ms")
        .var("SENSOR_QUIET", "perhaps");
    let errors = around.errors("sensor read x.pcap");
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].starts_with("SENSOR_QUIET: quiet: `perhaps`"));
    assert!(
        errors[1].starts_with("SENSOR_INTERVAL: interval: `5ms`: it must be from 10ms"),
        "{errors:?}"
    );
}

#[test]
fn what_is_typed_drives_out_what_excludes_it() {
    let around = Fake::default().file(DEFAULT_PATH, "filter = \"port 80\"");
    let read = around.read_command("sensor read x.pcap");
    assert_eq!(read.filter.filter.as_deref(), Some("port 80"));
    let read = around.read_command("sensor read x.pcap -F web.filter");
    assert_eq!(read.filter.filter, None);
    assert_eq!(read.filter.filter_file, Some("web.filter".into()));
    let run = around.run("sensor run udp port 53");
    assert_eq!(run.expression.option.filter, None);
    assert_eq!(run.expression.words, ["udp", "port", "53"]);
    // The better source's, and of equal ones neither.
    let around = around.var("SENSOR_FILTER_FILE", "v.filter");
    let read = around.read_command("sensor read x.pcap");
    assert_eq!(read.filter.filter, None);
    assert_eq!(read.filter.filter_file, Some("v.filter".into()));
    let text = "filter = \"tcp\"\nfilter-file = \"x\"";
    let around = Fake::default().file(DEFAULT_PATH, text);
    let errors = around.errors("sensor read x.pcap");
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].contains(":2:1: filter-file: it can't stand together with filter, which line 1")
    );
}

#[test]
fn commands_that_only_show_take_no_settings_but_must_not_run_on_a_broken_file() {
    let around = Fake::default().var("SENSOR_JSON", "report.json").file(
        DEFAULT_PATH,
        "filter = \"port 80\"\n[filters]\nweb = \"port 80\"",
    );
    let loaded = around.load("sensor interfaces").unwrap();
    assert!(matches!(loaded.cli.command, Command::Interfaces(args) if !args.json));
    let loaded = around.load("sensor filter @web").unwrap();
    use crate::filter::Library;
    assert_eq!(loaded.library.named("web"), Some("port 80"));
    let Command::Filter(filter) = loaded.cli.command else {
        panic!("another command");
    };
    assert_eq!(filter.expression.option.filter, None);
    let broken = around.file(DEFAULT_PATH, "top = ");
    assert_eq!(broken.errors("sensor interfaces").len(), 1);
    assert!(broken.load("sensor config check").is_ok());
}

#[test]
fn usage_is_judged_before_any_file_is_read() {
    let around = Fake::default().file(DEFAULT_PATH, "broken");
    for line in [
        "sensor",
        "sensor --help",
        "sensor run --help",
        "sensor red",
        "sensor help run",
    ] {
        assert!(
            matches!(around.load(line), Err(LoadError::Usage(_))),
            "{line}"
        );
    }
}

#[test]
fn places_are_lines_and_columns_of_characters() {
    let text = "\u{feff}# caf\u{e9}\r\n'caf\u{e9}' = 1\r\njson = ['\u{e9}', 3]\r\n";
    let around = Fake::default().file(DEFAULT_PATH, text);
    let errors = around.errors("sensor run");
    assert!(errors[0].starts_with("/etc/sensor/sensor.toml:2:1: no option is called `café`"));
    assert!(errors[1].starts_with("/etc/sensor/sensor.toml:3:14: json: expected a string"));
    assert_eq!(errors.len(), 2);
}

#[test]
fn keys_in_the_wrong_place_are_led_to_the_right_one() {
    let text = "run = 5\nconfig = 'x.toml'\n[read]\nquiet = true\nbackend = 'tc'\n[top]\n[filtres]\n[[run.x]]";
    let errors = Fake::default()
        .file(DEFAULT_PATH, text)
        .errors("sensor run");
    for (error, part) in errors.iter().zip([
        "run: expected a table, as in [run], found an integer",
        "a config file can't name a further one",
        "above the first table",
        "move it to [run]",
        "`top` is an option",
        "did you mean `[filters]`?",
    ]) {
        assert!(error.contains(part), "{part}: {errors:#?}");
    }
}

#[test]
fn a_dangerous_file_is_followed_with_a_warning() {
    let mut around = Fake::default().file(DEFAULT_PATH, "top = 7");
    around.dangerous = true;
    let loaded = around.load("sensor run").unwrap();
    assert_eq!(loaded.warnings.len(), 1);
    assert!(loaded.warnings[0].contains("chmod o-w"));
    assert_eq!(around.run("sensor run").counting.top, 7);
}

#[test]
fn any_bytes_are_survived() {
    use proptest::prelude::*;
    let words = "(run|read|filters|top|interval|=|\\[|\\]|\\.|\"|'|\n|\\{|\\}|,|1|x| |#|\\\\|true|é|\u{0}){0,40}";
    proptest!(|(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in words)| {
        for bytes in [bytes, text.into_bytes()] {
            let mut around = Fake::default();
            around.files.insert(DEFAULT_PATH, bytes);
            let _any = gather(None, &around);
        }
    });
    let deep = format!("json = {}", "[".repeat(100_000));
    assert!(
        !Fake::default()
            .file(DEFAULT_PATH, &deep)
            .errors("sensor run")
            .is_empty()
    );
}

#[test]
fn the_sample_sets_every_option_to_its_default() {
    let parameters = parameters(&Cli::command());
    let sample = sample(&parameters);
    let uncommented: String = sample
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') && !setting.ends_with("# not set") => {
                setting
            }
            _ => line,
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let around = Fake::default().file(DEFAULT_PATH, &uncommented);
    let gathered = gather(None, &around);
    assert_eq!(gathered.errors, []);
    assert_eq!(check(&gathered), []);
    for setting in &gathered.settings.values {
        let parameter = &setting.parameter;
        assert_eq!(setting.values, parameter.defaults, "{}", parameter.name);
        let unset = format!("\n#{} = # not set\n", parameter.name);
        assert!(
            setting.origin != Origin::Default || sample.contains(&unset),
            "{} isn't in the sample",
            parameter.name
        );
    }
}

#[test]
fn the_shipped_sample_is_the_generated_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/sensor.toml");
    let shipped = std::fs::read_to_string(path).unwrap();
    assert!(
        shipped == sample(&parameters(&Cli::command())),
        "write it anew: sensor config show --sample > docs/sensor.toml"
    );
}

#[test]
fn values_are_written_so_that_they_are_read_again() {
    let evil = "a\"b\\c\n\u{202e}\u{7f}é";
    let text = format!("[filters]\nx = {}", toml_string(evil));
    let gathered = gather(None, &Fake::default().file(DEFAULT_PATH, &text));
    assert_eq!(gathered.errors, []);
    assert_eq!(gathered.settings.filters["x"].text, evil);
}

#[test]
fn what_is_there_twice_is_named_with_its_first_place() {
    for (text, place, key, first) in [
        ("top = 1\n[run]\ntop = 2\n'top' = 3", "4:1", "'top'", 3),
        ("[run]\ntop = 1\n[read]\n[run]\n", "4:2", "run", 1),
        ("run.top = 1\n[run]\n", "2:2", "run", 1),
        ("[filters]\nweb = '1'\n\"web\" = '2'", "3:1", "\"web\"", 2),
    ] {
        let errors = Fake::default()
            .file(DEFAULT_PATH, text)
            .errors("sensor run");
        let expected = format!(
            "{DEFAULT_PATH}:{place}: `{key}` is there twice, first in line {first}: remove one of them"
        );
        assert_eq!(errors, [expected], "{text}");
    }
}

#[test]
fn filters_are_checked_where_they_stand() {
    let text = "filter = \"tcp prot 80\"\n[run]\nfilter = '''\ntcp and\n'''\n[filters]\nweb = \"\\\"\"\nok = \"@good\"\ngood = \"port 80\"\nself = \"@self\"\nlist = 'net in file /none/at/all'\n";
    let around = Fake::default()
        .file(DEFAULT_PATH, text)
        .var("SENSOR_FILTER", "prt 80");
    let gathered = gather(None, &around);
    assert_eq!(gathered.errors, []);
    let errors: Vec<String> = check(&gathered).iter().map(ToString::to_string).collect();
    let starts = [
        "SENSOR_FILTER: filter: ",
        "/etc/sensor/sensor.toml:1:15: filter: ",
        "/etc/sensor/sensor.toml:5:1: filter: ", // where the text ends
        "/etc/sensor/sensor.toml:7:7: @web: ",
        "/etc/sensor/sensor.toml:10:9: @self: ",
        "/etc/sensor/sensor.toml:11:9: @list: ",
    ];
    assert_eq!(errors.len(), starts.len(), "{errors:#?}");
    for (error, start) in errors.iter().zip(starts) {
        assert!(error.starts_with(start), "{start}: {errors:#?}");
    }
}
