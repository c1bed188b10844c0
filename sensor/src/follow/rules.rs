//! By what rules packets are counted and reported: a reload makes new ones, and each part of a run keeps those that it was
//! counted by.

use sensor_common::flow::{HashSeeds, MAX_SLOTS};

use crate::cli;
use crate::commands::delta_config;
use crate::counters::{Delta, DeltaConfig};
use crate::failure::{Exit, Failure};
use crate::filter::{Filter, Selection};
use crate::link::Link;
use crate::processes::Processes;
use crate::report::{self, Context, Report};
use crate::seeds;
use crate::source::kernel::filter::{KernelFilter, refuses};
use crate::source::live::LiveFilter;

/// The default has no filter.
#[derive(Default)]
pub struct Rules {
    filter: Option<Filter>,
    selection: Option<Selection>,
    /// By slot.
    names: Vec<Option<String>>,
    /// With --processes.
    processes: Option<Processes>,
}

impl Rules {
    /// Of a live run; `names`: its interfaces, by slot.
    pub fn new(filter: Option<Filter>, names: Vec<String>) -> Result<Self, Failure> {
        let asked = filter.iter().flat_map(Filter::interfaces);
        for name in asked {
            if !names.contains(&name) {
                return Err(Failure::told(
                    Exit::Filter,
                    format_args!(
                        "interface {name} of the filter is not counted in this run, which has {}: add -i {name}",
                        names.join(", ")
                    ),
                ));
            }
        }
        Ok(Rules {
            selection: filter.as_ref().and_then(Filter::selection),
            filter,
            names: names.into_iter().map(Some).collect(),
            processes: None,
        })
    }

    /// Of capture files, whose slots are numbered as [`FileFilter`] does it.
    ///
    /// [`FileFilter`]: crate::source::file::matching::FileFilter
    pub fn of_files(filter: Option<Filter>) -> Self {
        let interfaces = filter.iter().flat_map(Filter::interfaces);
        Rules {
            names: [None].into_iter().chain(interfaces.map(Some)).collect(),
            selection: filter.as_ref().and_then(Filter::selection),
            filter,
            processes: None,
        }
    }

    /// Of what was counted before, by any filter or none: this one is applied to flows alone.
    ///
    /// `names`: the interfaces by slot, as far as there are any.
    pub fn of_history(filter: Option<Filter>, names: Vec<Option<String>>) -> Result<Self, Failure> {
        let selection = filter.as_ref().map(Filter::over_flows).transpose();
        Ok(Rules {
            selection: selection.map_err(|why| Failure::told(Exit::Filter, why))?,
            filter,
            names,
            processes: None,
        })
    }

    /// The processes that reports are to name.
    pub fn with_processes(mut self, processes: Option<Processes>) -> Self {
        self.processes = processes;
        self
    }

    pub fn delta_config(&self, args: &cli::Run, seeds: HashSeeds) -> DeltaConfig {
        let config = delta_config(&args.counting, seeds, self.filter.as_ref(), &args.outputs);
        DeltaConfig {
            // As --html does.
            trail: config.trail || args.serving.listen.is_some(),
            ..config
        }
    }

    /// Both say the same of every packet and flow.
    pub fn same_filter(&self, other: &Rules) -> bool {
        let tree = |rules: &Rules| rules.filter.as_ref().map(|filter| filter.tree().clone());
        tree(self) == tree(other)
    }

    /// The packet part, for the source.
    pub fn live(&self) -> Result<Option<LiveFilter>, Failure> {
        let Some(filter) = self
            .filter
            .as_ref()
            .filter(|filter| !filter.is_everything())
        else {
            return Ok(None);
        };
        let slots = |name: &str| -> Vec<u8> {
            let slots = self
                .names
                .iter()
                .zip(0..)
                .filter(|(one, _)| one.as_deref() == Some(name));
            slots.map(|(_, slot)| slot).collect()
        };
        let too_big = |error| Failure::new(Exit::Filter, error);
        let matcher = filter.matcher(&slots).map_err(too_big)?;
        let [seed, ..] = seeds::random();
        let kernel = match refuses(&filter.plan().packet, matcher.program()) {
            Some(refused) => Err(refused),
            None => Ok(KernelFilter::new(matcher.program().clone(), seed)),
        };
        Ok(Some(LiveFilter {
            matcher: matcher.into(),
            kernel,
        }))
    }

    /// A part of the filter is about flows: it can be answered when all packets are in.
    pub fn judges_flows(&self) -> bool {
        self.selection.is_some()
    }

    pub fn text(&self) -> Option<String> {
        self.filter_text().map(str::to_owned)
    }

    /// The expression as it was given.
    pub fn filter_text(&self) -> Option<&str> {
        self.filter.as_ref().map(Filter::text)
    }

    /// What is decided where, for people who just started it.
    pub fn announcement(&self, in_kernel: bool) -> Option<String> {
        let plan = self.filter.as_ref()?.plan();
        let place = if in_kernel {
            "on every packet in the kernel"
        } else {
            "on every packet of the ring"
        };
        let mut text = format!("filter: {}: decided {place}", plan.packet);
        if let Some(flow) = &plan.flow {
            text += &format!("; {flow}: decided on flows when a report is made");
        }
        Some(text)
    }

    /// What the filter's part about flows leaves, of a delta that was counted by these rules.
    pub fn selected(&self, delta: &Delta) -> Option<Delta> {
        let selection = self.selection.as_ref()?;
        let name = |slot: u8| self.names.get(usize::from(slot))?.as_deref();
        Some(selection.apply(delta, &name))
    }

    pub fn report(&self, delta: &Delta, context: &Context) -> Report {
        match self.selected(delta) {
            Some(selected) => self.report_judged(&selected, context),
            None => self.report_judged(delta, context),
        }
    }

    /// Of a delta that holds only what was selected.
    pub fn report_judged(&self, delta: &Delta, context: &Context) -> Report {
        let mut context = context.clone();
        context.filter = self.text();
        let mut report = report::build(delta, &context);
        if let Some(processes) = &self.processes {
            processes.explain(delta, &context.interfaces, context.top_n, &mut report);
        }
        report
    }
}

/// The names by slot that a filter may ask for: at the start each has a slot of its own, as far as there are any.
pub fn names(links: &[Link]) -> Vec<String> {
    let own = links.iter().take(MAX_SLOTS - 1);
    own.map(|link| link.name.clone()).collect()
}
