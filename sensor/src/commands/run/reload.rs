//! SIGHUP: filters and limits are read anew, and no packet is counted twice or not at all. What is wrong with the new
//! ones is said, and the old ones stay in force.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::super::live::names;
use super::recorder::Recorder;
use super::{Run, nanoseconds};
use crate::agent::Agent;
use crate::cli::{self, Command};
use crate::clock::Now;
use crate::config::{self, LoadError, Loaded, Process};
use crate::follow::Rules;
use crate::processes::Watch;
use crate::source::live::{Prepared, ReloadError, SETTLED};
use crate::status;

/// New settings on their way into force.
pub(super) struct Pending {
    args: cli::Run,
    rules: Rules,
    /// Gets the filter ready, which may take the kernel seconds.
    preparing: Option<JoinHandle<Result<Prepared, ReloadError>>>,
    /// Not before: what is in the packet rings was cut for the old filter.
    settled: Instant,
}

impl Run {
    /// The signal came.
    pub(super) fn reload(&mut self) {
        if self.pending.is_some() {
            self.reload_again = true;
            return;
        }
        self.notifier.reloading(Now::read().monotonic);
        match self.prepared() {
            Ok(pending) => self.pending = Some(pending),
            Err(lines) => {
                keep_old(&lines);
                self.notifier.ready();
            }
        }
    }

    /// Puts the new settings into force once they are ready.
    pub(super) fn go_on_reloading(&mut self, agent: &mut Agent, recorder: &mut Recorder) {
        let ready = |pending: &mut Pending| {
            let thread = pending.preparing.as_ref();
            thread.is_none_or(JoinHandle::is_finished)
                && Instant::now() >= pending.settled
                && recorder.has_room()
        };
        let Some(pending) = self.pending.take_if(ready) else {
            return;
        };
        match self.switched(pending, agent, recorder) {
            Ok(done) => status::warn(&format!("SIGHUP: {done}")),
            Err(lines) => keep_old(&lines),
        }
        self.notifier.ready();
        if std::mem::take(&mut self.reload_again) {
            self.reload();
        }
    }

    fn prepared(&self) -> Result<Pending, Vec<String>> {
        let (mut args, rules) = self.read_again()?;
        for option in keep_fixed(&self.args, &mut args) {
            status::warn(&format!("SIGHUP: {option} is only read at the start"));
        }
        let mut settled = Instant::now();
        let mut preparing = None;
        if !self.rules.same_filter(&rules) || args.kernel_flows != self.args.kernel_flows {
            let filter = rules.live().map_err(|failure| told(&failure.error))?;
            let preparation = self
                .live
                .prepare(filter, args.kernel_flows)
                .map_err(|error| vec![error.to_string()])?;
            preparing = Some(thread::spawn(move || preparation.run()));
            settled += SETTLED;
        }
        Ok(Pending {
            args,
            rules,
            preparing,
            settled,
        })
    }

    fn switched(
        &mut self,
        pending: Pending,
        agent: &mut Agent,
        recorder: &mut Recorder,
    ) -> Result<String, Vec<String>> {
        let filter_changed = !self.rules.same_filter(&pending.rules);
        let mut now = Now::read();
        let mut notes = Vec::new();
        if let Some(thread) = pending.preparing {
            let prepared = thread
                .join()
                .map_err(|_| vec!["getting the filter ready has failed".to_owned()])?
                .map_err(|error| vec![error.to_string()])?;
            let switched = agent.counting(|delta| self.live.switch(prepared, delta));
            (now, notes) = (switched.at, switched.notes);
        } else if let Err(error) = agent.poll(now, &mut self.live) {
            notes.push(format!("the counts can't be read: {error}"));
        }
        // What was counted by the old rules has a report of its own.
        let period = self.period(agent.end_period(now));
        recorder.record(period);
        for note in notes {
            self.say(note);
        }
        let processes = self.processes.as_ref().map(Watch::processes);
        self.rules = Arc::new(pending.rules.with_processes(processes));
        self.args = pending.args;
        let delta = self.rules.delta_config(&self.args, self.seeds);
        agent.reconfigure(delta, nanoseconds(self.args.report_every), now);
        Ok(match (filter_changed, self.rules.text()) {
            (false, _) => "settings read again, the filter is the same".to_owned(),
            (true, Some(filter)) => format!("settings read again, the filter is now: {filter}"),
            (true, None) => "settings read again, there is no filter any more".to_owned(),
        })
    }

    fn read_again(&self) -> Result<(cli::Run, Rules), Vec<String>> {
        let Loaded {
            cli,
            library,
            warnings,
        } = config::reload().map_err(|error| match error {
            LoadError::Usage(error) => vec![error.to_string()],
            LoadError::Config(errors) => config::lines(&errors),
        })?;
        for warning in &warnings {
            status::warn(warning);
        }
        // Errors of filters in the file have its line and column there.
        let mistakes = config::check(&config::gather(cli.config.as_deref(), &Process));
        if !mistakes.is_empty() {
            return Err(config::lines(&mistakes));
        }
        let Command::Run(args) = cli.command else {
            return Err(vec!["the command line is not that of a run".to_owned()]);
        };
        let rules = args
            .expression
            .compile(&library)
            .and_then(|filter| Rules::new(filter, names(self.live.interfaces())));
        Ok((*args, rules.map_err(|failure| told(&failure.error))?))
    }
}

fn keep_old(lines: &[String]) {
    for line in lines {
        status::warn(line);
    }
    status::warn("SIGHUP: the settings before it stay in force");
}

fn told(error: &anyhow::Error) -> Vec<String> {
    vec![format!("{error:#}")]
}

/// Puts back what can't be changed while it runs; gives what differed.
fn keep_fixed(old: &cli::Run, new: &mut cli::Run) -> Vec<&'static str> {
    let port = keep_port(old, new);
    let (counting, outputs) = (&mut new.counting, &mut new.outputs);
    let (naming, serving) = (&mut new.naming, &mut new.serving);
    let kept = [
        kept("interface", &old.interfaces, &mut new.interfaces),
        kept("duration", &old.duration, &mut new.duration),
        kept("count", &old.count, &mut new.count),
        kept("processes", &old.processes, &mut new.processes),
        kept("bpf-stats", &old.bpf_stats, &mut new.bpf_stats),
        kept("out", &old.out, &mut new.out),
        kept("keep", &old.history.keep, &mut new.history.keep),
        kept(
            "keep-size",
            &old.history.keep_size,
            &mut new.history.keep_size,
        ),
        kept(
            "no-history",
            &old.history.no_history,
            &mut new.history.no_history,
        ),
        kept(
            "parquet",
            &old.outputs.parquet.folder,
            &mut outputs.parquet.folder,
        ),
        kept(
            "parquet-flows",
            &old.outputs.parquet.parquet_flows,
            &mut outputs.parquet.parquet_flows,
        ),
        kept("interval", &old.counting.interval, &mut counting.interval),
        kept(
            "sensor-name",
            &old.counting.sensor_name,
            &mut counting.sensor_name,
        ),
        kept(
            "max-names",
            &old.counting.max_names,
            &mut counting.max_names,
        ),
        kept("geoip", &old.naming.geoip, &mut naming.geoip),
        kept("resolve", &old.naming.resolve, &mut naming.resolve),
        kept("json", &old.outputs.json, &mut outputs.json),
        kept("jsonl", &old.outputs.jsonl, &mut outputs.jsonl),
        kept("csv", &old.outputs.csv, &mut outputs.csv),
        kept("charts", &old.outputs.charts, &mut outputs.charts),
        kept("html", &old.outputs.html, &mut outputs.html),
        kept("html-rows", &old.outputs.html_rows, &mut outputs.html_rows),
        kept("packets", &old.outputs.packets, &mut outputs.packets),
        kept("write", &old.capture.write, &mut new.capture.write),
        kept("listen", &old.serving.listen, &mut serving.listen),
        kept(
            "listen-rows",
            &old.serving.listen_rows,
            &mut serving.listen_rows,
        ),
        kept("metrics", &old.serving.metrics, &mut serving.metrics),
        kept(
            "token-file",
            &old.serving.token_file,
            &mut serving.token_file,
        ),
        kept("ipfix", &old.outputs.ipfix, &mut outputs.ipfix),
        kept(
            "no-sandbox",
            &old.sandbox.not.no_sandbox,
            &mut new.sandbox.not.no_sandbox,
        ),
        kept(
            "strict-sandbox",
            &old.sandbox.strict_sandbox,
            &mut new.sandbox.strict_sandbox,
        ),
    ];
    // Whatever comes to be an output: they were checked and opened at the start.
    new.outputs = old.outputs.clone();
    new.capture = old.capture.clone();
    port.into_iter().chain(kept).flatten().collect()
}

/// The same of how packets are taken.
fn keep_port(old: &cli::Run, new: &mut cli::Run) -> [Option<&'static str>; 8] {
    let (tap, mirrored) = (&mut new.tap, &mut new.mirrored);
    [
        kept("backend", &old.backend, &mut new.backend),
        kept("xdp-mode", &old.xdp_mode, &mut new.xdp_mode),
        kept("tap", &old.tap.tap, &mut tap.tap),
        kept("force", &old.tap.force, &mut tap.force),
        kept("busy-poll", &old.tap.busy_poll, &mut tap.busy_poll),
        kept("dedup", &old.mirrored.dedup, &mut mirrored.dedup),
        kept(
            "dedup-window",
            &old.mirrored.dedup_window,
            &mut mirrored.dedup_window,
        ),
        kept("home-net", &old.mirrored.home_net, &mut mirrored.home_net),
    ]
}

fn kept<T: Clone + PartialEq>(name: &'static str, old: &T, new: &mut T) -> Option<&'static str> {
    if old == new {
        return None;
    }
    new.clone_from(old);
    Some(name)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn run(arguments: &[&str]) -> cli::Run {
        let arguments = [&["sensor", "run", "-i", "lo"], arguments].concat();
        match cli::Cli::try_parse_from(arguments).unwrap().command {
            Command::Run(run) => *run,
            _ => panic!("another command"),
        }
    }

    #[test]
    fn every_output_is_that_of_the_start() {
        let old = run(&["--json", "a.json"]);
        for (option, value) in [
            ("json", "b.json"),
            ("jsonl", "b.jsonl"),
            ("csv", "b"),
            ("parquet", "b"),
            ("charts", "b"),
            ("html", "b.html"),
            ("html-rows", "7"),
            ("packets", "b.csv"),
            ("write", "b.pcapng"),
            ("listen", "127.0.0.1:1"),
            ("listen-rows", "7"),
            ("metrics", "127.0.0.1:2"),
            ("token-file", "b"),
            ("ipfix", "udp://192.0.2.1"),
        ] {
            let mut new = run(&["-f", "tcp", &format!("--{option}"), value]);
            let told = keep_fixed(&old, &mut new);
            assert!(told.contains(&option), "{told:?}");
            assert_eq!(format!("{:?}", new.outputs), format!("{:?}", old.outputs));
            assert_eq!(format!("{:?}", new.serving), format!("{:?}", old.serving));
            assert_ne!(format!("{new:?}"), format!("{old:?}"), "the filter is new");
        }
        assert_eq!(keep_fixed(&old, &mut old.clone()), [""; 0]);
    }
}
