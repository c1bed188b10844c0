//! Interfaces, counted by the same sources as a run.

use std::time::Duration;

use super::feed::{Ending, Feed};
use super::{LONGEST_SLEEP, of_flows};
use crate::agent::{Agent, AgentConfig, Tick};
use crate::cli;
use crate::clock::Now;
use crate::commands::confined;
use crate::commands::live::{self, events, infos, left_out, names, say_how, select};
use crate::counters::DeltaConfig;
use crate::escape;
use crate::failure::{Exit, Failure};
use crate::filter::Filter;
use crate::filter::tree::Tree;
use crate::follow::{self, Rules};
use crate::processes::Watch;
use crate::report::{Context, FlowRow, Process};
use crate::sandbox;
use crate::source::ladder::Wish;
use crate::source::live::{Interface, LiveConfig};
use crate::source::{self, Event, Hook};
use crate::status;
use crate::top::{Figures, Matching, Source, Status};
use crate::units;

pub(super) struct Live {
    source: source::live::Live,
    /// `None` once it has ended.
    agent: Option<Agent>,
    processes: Option<Watch>,
    filter: Option<String>,
    flow_part: Option<Tree>,
    interval: i64,
    started: Now,
    messages: Vec<String>,
    exit: Exit,
}

impl Live {
    /// From here on packets are counted.
    pub(super) fn open(
        args: &cli::Top,
        filter: Option<Filter>,
        delta: DeltaConfig,
        verbose: bool,
    ) -> Result<Self, Failure> {
        if !args.sandbox.no_sandbox {
            sandbox::begin();
        }
        let wish = Wish::new(args.backend, args.xdp_mode);
        if args.backend == cli::Backend::AfXdp {
            let message =
                "--backend af-xdp takes packets away from this host: it is for sensor run --tap";
            return Err(Failure::told(Exit::Usage, message));
        }
        if wish.contradicts_itself() {
            let message = "--xdp-mode is for --backend auto or xdp: leave one of the two away";
            return Err(Failure::told(Exit::Usage, message));
        }
        let (wanted, choice) = select::links(&args.interfaces)?;
        let flow_part = of_flows(filter.as_ref());
        let rules = Rules::new(filter, follow::names(&choice.links))?;
        let config = LiveConfig {
            wanted,
            wish,
            kernel_flows: args.kernel_flows,
            seeds: delta.seeds,
            filter: rules.live()?,
            samples: args.max_names > 0,
            bpf_stats: false,
            tap: None,
            snaplen: 0,
            mirror: None,
            dedup: None,
        };
        let notes = select::notes(&choice);
        let mut source = live::open(choice, config)?;
        // Before the screen is taken, so that it still stands there afterwards.
        for note in notes {
            status::note(&note);
        }
        for interface in source.interfaces() {
            say_how(interface, verbose);
        }
        let processes = args.processes.then(|| Watch::start(args.interval));
        confined::enter_view(args.sandbox, &mut source, verbose);
        let config = AgentConfig {
            delta,
            report_every: delta.interval,
            duration: None,
            count: None,
        };
        let started = Now::read();
        Ok(Live {
            agent: Some(Agent::new(config, started, &mut source)),
            source,
            processes,
            filter: rules.text(),
            flow_part,
            interval: delta.interval,
            started,
            messages: Vec::new(),
            exit: Exit::Ok,
        })
    }

    fn hear(&mut self, tick: &Tick) {
        for event in &tick.events {
            if *event == Event::AllGone {
                self.exit = Exit::Interface;
                self.messages
                    .push("no interface is left to count on; q quits".to_owned());
                continue;
            }
            self.messages.push(events::text(event));
        }
        if let Some(jump) = tick.clock_jump {
            self.messages.push(events::jump(jump));
        }
        if let Some(late) = tick.late
            && self.source.counts_in_kernel()
        {
            self.messages.push(events::late(late));
        }
    }
}

impl Feed for Live {
    fn sleep(&self, now: Now) -> Duration {
        let sleep = self.agent.as_ref().map(|agent| agent.sleep(now));
        sleep.map_or(LONGEST_SLEEP, |sleep| {
            Duration::from_nanos(sleep.unsigned_abs())
        })
    }

    fn tick(&mut self, now: Now, figures: &mut Figures) -> bool {
        let Some(agent) = &mut self.agent else {
            return false;
        };
        let tick = match agent.tick(now, &mut self.source) {
            Ok(tick) => tick,
            Err(error) => {
                self.messages
                    .push(format!("{error}; what was counted is shown, q quits"));
                self.exit = Exit::Failed;
                self.agent = None;
                return true;
            }
        };
        let over = tick.period_over;
        if over {
            let period = agent.end_period(now);
            figures.push(&period.delta, period.end - period.start);
        }
        self.hear(&tick);
        over
    }

    fn messages(&mut self) -> Vec<String> {
        std::mem::take(&mut self.messages)
    }

    fn status(&self, now: Now) -> Status {
        let seconds = (now.monotonic - self.started.monotonic) / 1_000_000_000;
        Status {
            sources: self.source.interfaces().iter().map(shown).collect(),
            time: Some(now.wall),
            pace: units::duration(seconds as f64),
            is_file: false,
            filter: self.filter.clone(),
            ..Status::default()
        }
    }

    fn context(&self) -> Context {
        Context {
            hostname: crate::commands::hostname(),
            backend: self.source.backend().to_owned(),
            interfaces: infos(self.source.interfaces()),
            left_out: left_out(&self.source),
            filter: self.filter.clone(),
            top_n: 1,
            interval: self.interval,
            ..Context::default()
        }
    }

    fn interfaces(&self) -> Vec<String> {
        names(self.source.interfaces())
    }

    fn matching(&self) -> Option<Matching> {
        let tree = self.flow_part.as_ref()?;
        Some(Matching::of_flows(tree, &self.interfaces()))
    }

    fn pause(&mut self, paused: bool, figures: &mut Figures) {
        match paused {
            true => figures.hold(),
            false => figures.resume(),
        }
    }

    fn resets(&self) -> bool {
        true
    }

    fn finish(mut self: Box<Self>, now: Now, figures: &mut Figures) -> Ending {
        let mut complaints = std::mem::take(&mut self.messages);
        if let Some(agent) = self.agent.take() {
            let (period, result) = agent.finish(now, &mut self.source);
            figures.push(&period.delta, period.end - period.start);
            if let Err(error) = result {
                complaints.push(format!("the last counts can't be read: {error}"));
                self.exit = Exit::Failed;
            }
        }
        figures.resume();
        Ending {
            exit: self.exit,
            complaints,
            closing_line: None,
        }
    }

    fn process(&self, row: &FlowRow) -> Option<Process> {
        let processes = self.processes.as_ref()?.processes();
        let interfaces = infos(self.source.interfaces());
        processes.of_flow(&interfaces, row)
    }
}

fn shown(interface: &Interface) -> Source {
    let hook = |hook: &Hook| match (hook.name, hook.mode) {
        (Some(name), Some(mode)) => format!("{name} {mode}"),
        (Some(name), None) => name.to_owned(),
        (None, _) => String::new(),
    };
    Source {
        slot: interface.slot,
        name: escape::text(&interface.link.name),
        ingress: hook(&interface.ingress),
        egress: hook(&interface.egress),
        alive: interface.alive,
    }
}
