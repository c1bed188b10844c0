//! `sensor top`: the live view, of interfaces or of a capture file that is played.

mod app;
mod feed;
mod file;
mod live;
mod screen;
mod signals;

use std::io::{self, IsTerminal};
use std::time::Duration;

use super::confined;
use crate::cli;
use crate::counters::DeltaConfig;
use crate::failure::{Exit, Failure};
use crate::filter::{Filter, Library};
use crate::top::Theme;
use crate::{seeds, status};
use app::App;
use feed::Feed;
use signals::Signals;

pub use screen::Screen;

pub fn run(args: &cli::Top, library: &dyn Library, verbose: bool) -> Result<Exit, Failure> {
    check(args)?;
    let filter = args.expression.compile(library)?;
    let failed = |error| Failure::new(Exit::Failed, error);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    // Before anything is attached and the screen is taken: from then on nothing may end without giving both back.
    let signals = runtime
        .block_on(async { Signals::listen() })
        .map_err(failed)?;
    let config = delta_config(args);
    let feed: Box<dyn Feed> = match &args.read {
        Some(path) => {
            // Before the thread that reads it begins.
            confined::enter_file(args.sandbox, path);
            Box::new(file::Played::open(path, args.speed, filter, config)?)
        }
        None => Box::new(live::Live::open(args, filter, config, verbose)?),
    };
    let app = App::new(feed, config, library, theme());
    runtime.block_on(app.run(signals))
}

/// What would make a view that nobody sees or can leave.
fn check(args: &cli::Top) -> Result<(), Failure> {
    let instead = match &args.read {
        Some(_) => "sensor read FILE",
        None => "sensor run",
    };
    if args
        .read
        .as_ref()
        .is_some_and(|path| path.as_os_str() == "-")
    {
        let message = "keys are typed on standard input, so it can't be the capture too: write it to a file first";
        return Err(Failure::told(Exit::Usage, message));
    }
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(Failure::told(
            Exit::Usage,
            format_args!(
                "top needs a terminal to draw on and to read keys from; without one use: {instead}"
            ),
        ));
    }
    Ok(())
}

fn delta_config(args: &cli::Top) -> DeltaConfig {
    DeltaConfig {
        interval: super::nanoseconds(args.interval),
        max_flows: args.max_flows as usize,
        seeds: seeds::random(),
        // Parts of every flow in every interval are more than a view needs: its filter asks whole flows.
        trail: false,
        names: args.max_names as usize,
    }
}

/// The part of a filter that only whole flows can answer is the view's: packets are counted whatever it says.
fn of_flows(filter: Option<&Filter>) -> Option<crate::filter::tree::Tree> {
    filter?.plan().flow.clone()
}

fn theme() -> Theme {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    let locale = locale.unwrap_or_default().to_lowercase();
    Theme {
        colour: set("NO_COLOR").is_none(),
        unicode: locale.contains("utf-8") || locale.contains("utf8"),
    }
}

/// Longer than the runtime needs to notice anything else.
const LONGEST_SLEEP: Duration = Duration::from_millis(50);

/// Told when the screen has been given back.
fn tell(lines: &[String]) {
    for line in lines {
        status::warn(line);
    }
}
