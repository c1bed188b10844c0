//! `sensor run`: live counting, with a report every period.

mod confined;
mod counters;
mod intervals;
mod kept;
mod notes;
mod own;
mod recorder;
mod reload;
mod signals;
mod tap;
mod words;

use std::sync::Arc;
use std::time::Duration;

use sensor_common::flow::HashSeeds;

use super::live::{events, infos, left_out, open, received, say_how, select};
use super::{following, nanoseconds};
use crate::agent::{Agent, AgentConfig, Late, Period, Tick};
use crate::clock::Now;
use crate::counters::Counts;
use crate::enrich::Enrichment;
use crate::failure::{Exit, Failure};
use crate::filter::Library;
use crate::follow::{self, Followers, Pace, Part, Rules};
use crate::notify::Notifier;
use crate::outputs::{self, Outputs};
use crate::processes::{self, Watch};
use crate::report::Context;
use crate::sandbox::{self, Sandbox, capabilities};
use crate::serve::metrics::Polls;
use crate::source::Event;
use crate::source::live::{Live, LiveConfig};
use crate::{cli, escape, seeds, status, units};
use counters::InterfaceWatch;
use intervals::Intervals;
use kept::Kept;
use notes::Notes;
use own::OwnWatch;
use recorder::{Recorder, Summary};
use reload::Pending;
use signals::{Signal, Signals};
use words::{closing_line, progress};

pub fn run(args: &cli::Run, library: &dyn Library, verbose: bool) -> Result<Exit, Failure> {
    let wish = outputs::check_packets(&args.outputs, &args.capture, tap::wish(args)?)?;
    confined::check(&args.sandbox)?;
    if !args.sandbox.not.no_sandbox {
        sandbox::begin();
    }
    let filter = args.expression.compile(library)?;
    let failed = |error| Failure::new(Exit::Failed, error);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    // Before anything is counted: from then on a signal must not end the run without its report.
    let signals = runtime
        .block_on(async { Signals::listen() })
        .map_err(failed)?;
    let outputs = Outputs::prepare_live(&args.outputs, (&args.capture, filter.as_ref()))?;
    let enrichment = Arc::new(Enrichment::prepare(&args.naming)?);
    let (wanted, choice) = select::links(&args.interfaces)?;
    let seeds = seeds::random();
    let rules = Rules::new(filter, follow::names(&choice.links))?;
    let mirror = tap::mirror(args, seeds[0]);
    let config = LiveConfig {
        wanted,
        wish,
        kernel_flows: args.kernel_flows,
        seeds,
        filter: rules.live()?,
        samples: args.counting.max_names > 0,
        bpf_stats: args.bpf_stats,
        tap: outputs.packet_tap(),
        snaplen: outputs.snaplen(),
        mirror: mirror.clone(),
        dedup: tap::dedup(args),
    };
    let polls = Arc::default();
    let followers = following::of_run(args, &enrichment, &polls)?;
    let mut notes = Notes::default();
    for note in select::notes(&choice) {
        status::warn(&note);
        notes.push(note);
    }
    if let Some(home) = mirror.as_ref().and_then(|mirror| mirror.home.as_ref()) {
        notes.push(home.note());
    }
    let mut live = open(choice, config)?;
    outputs::prepare_folder(&args.out)?;
    let watch = InterfaceWatch::start(live.interfaces());
    let processes = args.processes.then(|| Watch::start(args.counting.interval));
    let rules = rules.with_processes(processes.as_ref().map(Watch::processes));
    let notifier = Notifier::from_environment().map_err(failed)?;
    let sandbox = confined::enter(args, &mut live)?;
    let mut run = Run {
        args: args.clone(),
        rules: rules.into(),
        enrichment,
        seeds,
        verbose,
        live,
        watch,
        processes,
        notes,
        kept: Kept::default(),
        polls,
        own: OwnWatch::default(),
        intervals: Intervals::new(Followers::start(followers, Pace::Source)),
        held_back: false,
        notifier,
        sandbox,
        pending: None,
        reload_again: false,
    };
    run.announce();
    let (summary, exit) = runtime.block_on(run.until_stopped(signals, &outputs))?;
    run.conclude(&summary, &outputs, exit)
}

struct Run {
    args: cli::Run,
    rules: Arc<Rules>,
    enrichment: Arc<Enrichment>,
    seeds: HashSeeds,
    verbose: bool,
    live: Live,
    watch: InterfaceWatch,
    /// With --processes.
    processes: Option<Watch>,
    /// Things that the reports must say.
    notes: Notes,
    kept: Kept,
    /// What metrics say of the timetable.
    polls: Arc<Polls>,
    own: OwnWatch,
    intervals: Intervals,
    /// The last period could not end where it should.
    held_back: bool,
    notifier: Notifier,
    /// What was given up.
    sandbox: Option<Sandbox>,
    /// New settings on their way into force.
    pending: Option<Pending>,
    /// Another SIGHUP came meanwhile.
    reload_again: bool,
}

impl Run {
    /// One line per interface: what was chosen, and why not better.
    fn announce(&self) {
        for interface in self.live.interfaces() {
            say_how(interface, self.verbose);
        }
        let in_kernel = self.live.counts_in_kernel();
        if let Some(filter) = self.rules.announcement(in_kernel) {
            status::note(&filter);
        }
        if let Some(processes) = &self.processes {
            let found = processes.processes().status();
            match found.failed {
                Some(_) => status::warn(&found.line()),
                None if self.verbose => {
                    status::note(&found.line());
                    status::note(&processes::cost_note());
                }
                None => {}
            }
        }
        if let (true, Some(sandbox)) = (self.verbose, &self.sandbox) {
            status::note(&sandbox.line());
        }
        let every = units::duration(self.args.report_every.as_secs_f64());
        status::note(&format!(
            "reports every {every} in {}; stop with Ctrl-C",
            escape::path(&self.args.out)
        ));
    }

    async fn until_stopped(
        &mut self,
        mut signals: Signals,
        outputs: &Outputs,
    ) -> Result<(Summary, Exit), Failure> {
        let mut recorder = Recorder::start(self.args.out.clone(), Arc::clone(&self.enrichment));
        let config = AgentConfig {
            delta: self.rules.delta_config(&self.args, self.seeds),
            report_every: nanoseconds(self.args.report_every),
            duration: self.args.duration.map(nanoseconds),
            count: self.args.count,
        };
        let mut agent = Agent::new(config, Now::read(), &mut self.live);
        let mut exit = Exit::Ok;
        self.notifier.ready();
        loop {
            let pause = Duration::from_nanos(agent.sleep(Now::read()).unsigned_abs());
            let pause = self.notifier.every.map_or(pause, |every| pause.min(every));
            let signal = tokio::select! {
                () = self.live.pause(pause) => None,
                signal = signals.next() => Some(signal),
            };
            match signal {
                Some(Signal::Stop) => break,
                Some(Signal::Show) => match agent.poll(Now::read(), &mut self.live) {
                    Ok(counted) => status::warn(&progress(counted)),
                    Err(error) => status::warn(&format!("the counts can't be read: {error}")),
                },
                Some(Signal::Reload) => self.reload(),
                None => {}
            }
            let now = Now::read();
            let tick = match agent.tick(now, &mut self.live) {
                Ok(tick) => tick,
                Err(error) => {
                    status::warn(&format!("{error}; writing the last report"));
                    self.notes.push(error.to_string());
                    exit = Exit::Failed;
                    break;
                }
            };
            for said in self.kept.flush(outputs, now) {
                self.say(said);
            }
            self.tell(&tick, agent.counted());
            self.go_on_reloading(&mut agent, &mut recorder);
            if tick.events.contains(&Event::AllGone) {
                exit = Exit::Interface;
            }
            if tick.interval.is_some() || tick.period_over {
                self.kept.look(outputs);
            }
            self.end_interval(&tick, &mut agent, &mut recorder, now);
            if tick.done {
                break;
            }
            self.notifier.alive();
        }
        self.notifier.stopping();
        signals::die_on_the_next_one();
        let now = Now::read();
        if let Some(late) = agent.late(now) {
            self.say_late(late);
        }
        let (period, result) = {
            let _raised = capabilities::raise();
            agent.finish(now, &mut self.live)
        };
        if let Err(error) = result {
            status::warn(&format!("the last counts can't be read: {error}"));
            exit = Exit::Failed;
        }
        for (option, unwritten) in outputs.close_packets(&received(&self.live)) {
            self.notes
                .push(events::packets_unwritten(option, unwritten));
        }
        self.kept.look(outputs);
        recorder.record(self.period(period));
        let summary = recorder.finish(self.context(true), outputs.dashboard_rows())?;
        Ok((summary, exit))
    }

    /// Those who follow get what the interval brought, and the recorder its period. Where the reports can't be written as
    /// fast as they come, the period goes on instead.
    fn end_interval(&mut self, tick: &Tick, agent: &mut Agent, recorder: &mut Recorder, now: Now) {
        let room = recorder.has_room();
        if tick.period_over && room {
            let period = self.period(agent.end_period(now));
            recorder.record(period);
        } else if self.intervals.wanted() && (tick.interval.is_some() || tick.period_over) {
            let interval = self.part(agent.end_period(now), self.context_alone());
            self.intervals.add(interval);
        }
        if tick.period_over && !room && !self.held_back {
            self.say(events::held_back(now.wall));
        }
        if tick.period_over {
            self.held_back = !room;
        }
    }

    /// A period of reports, whose last part this is.
    fn period(&mut self, last: Period) -> Part {
        let context = self.context(false);
        let last = self.part(last, context);
        self.intervals.end_period(last)
    }

    fn part(&self, period: Period, context: Context) -> Part {
        Part::new(period, Arc::clone(&self.rules), context)
    }

    /// What everybody should hear of a tick.
    fn tell(&mut self, tick: &Tick, counted: Counts) {
        for event in &tick.events {
            self.watch.heed(event, self.live.interfaces());
            self.say(events::text(event));
        }
        if let Some(jump) = tick.clock_jump {
            self.say(events::jump(jump));
        }
        if let Some(late) = tick.late {
            self.say_late(late);
        }
        if tick.interval.is_some() {
            self.polls.polled(tick.behind, self.live.run_time());
            self.own.polled(tick.behind);
        }
        if let Some(interval) = tick.interval
            && status::on_terminal()
        {
            let seconds = self.args.counting.interval.as_secs_f64();
            let rates = format!(
                "{}  {}",
                units::bits_per_sec(interval.bytes as f64 * 8.0 / seconds),
                units::packets_per_sec(interval.packets as f64 / seconds),
            );
            status::note(&format!("{rates:<34}  {}", progress(counted)));
        }
    }

    /// Packets of a packet socket have times of their own.
    fn say_late(&mut self, late: Late) {
        if self.live.counts_in_kernel() {
            self.say(events::late(late));
        }
    }

    /// Now, and in the reports.
    fn say(&mut self, text: String) {
        status::warn(&text);
        self.notes.push(text);
    }

    /// Everything of a report that is not counted.
    fn context(&mut self, whole: bool) -> Context {
        let interface_counters = self.watch.read(self.live.interfaces(), whole);
        let programs = self.live.run_time();
        let own = match whole {
            true => self.own.whole(programs),
            false => self.own.period(programs),
        };
        Context {
            interface_counters,
            own: Some(own),
            ..self.context_alone()
        }
    }

    /// The same without the interfaces' own counters, and of the sensor itself since the start.
    fn context_alone(&self) -> Context {
        let interfaces = self.live.interfaces();
        Context {
            hostname: super::sensor_name(&self.args.counting),
            backend: self.live.backend().to_owned(),
            interfaces: infos(interfaces),
            left_out: left_out(&self.live),
            top_n: self.args.counting.top,
            interval: nanoseconds(self.args.counting.interval),
            notes: self.notes.list(),
            written: self.kept.written.clone(),
            own: Some(self.own.whole(self.live.run_time())),
            sandbox: self.sandbox.clone(),
            ..Context::default()
        }
    }

    fn conclude(self, summary: &Summary, outputs: &Outputs, exit: Exit) -> Result<Exit, Failure> {
        let report = &summary.report;
        let written = if outputs.is_empty() {
            super::text::print(report)
        } else {
            outputs.write(report, summary.dashboard.as_ref())
        };
        let trouble = self.intervals.finish(&summary.whole);
        status::note(&closing_line(report, summary));
        if let Some(own) = report.own.as_ref().filter(|_| self.verbose) {
            status::note(&own::line(own));
        }
        written?;
        if !report.accounting.identity_holds {
            status::warn("the accounting identity is violated: please report this");
            return Ok(Exit::Accounting);
        }
        if exit == Exit::Ok && (summary.failed > 0 || trouble.failed > 0) {
            return Ok(Exit::Output);
        }
        Ok(exit)
    }
}
