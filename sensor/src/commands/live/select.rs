//! Which interfaces `-i` means.

use super::events;
use crate::escape;
use crate::failure::{Exit, Failure};
use crate::link::wanted::{Choice, Wanted};
use crate::link::{self, Link};
use crate::status;
use sensor_common::flow::MAX_SLOTS;

/// `any` = all that are up, patterns as the shell's; none given = the one of the default route.
pub(in crate::commands) fn links(names: &[String]) -> Result<(Wanted, Choice), Failure> {
    let all = link::links().map_err(|error| Failure::new(Exit::Failed, error))?;
    let wanted = match names {
        [] => Wanted::new(&[default(&all)?], &all),
        names => Wanted::new(names, &all),
    };
    if names.iter().any(String::is_empty) {
        return Err(Failure::told(Exit::Usage, "the interface name is empty"));
    }
    if let [missing, ..] = wanted.missing(&all)[..] {
        return Err(Failure::told(
            Exit::Interface,
            format!(
                "no interface is called {}; there are: {}",
                escape::text(missing),
                list(&all)
            ),
        ));
    }
    let choice = wanted.choose(&all);
    for pattern in wanted.unmatched(&all) {
        status::warn(&format!(
            "no interface matches {} yet, waiting for one; there are: {}",
            escape::text(pattern),
            list(&all)
        ));
    }
    if names == ["any"] && choice.links.is_empty() {
        return Err(Failure::told(
            Exit::Interface,
            "no interface is up; see: sensor interfaces",
        ));
    }
    if choice.links.len() > MAX_SLOTS && !wanted.is_open() {
        let message = format!(
            "{} interfaces are more than {MAX_SLOTS}: name those that matter with -i",
            choice.links.len()
        );
        return Err(Failure::told(Exit::Interface, message));
    }
    Ok((wanted, choice))
}

/// What is not counted although it is meant, and what counts twice.
pub(in crate::commands) fn notes(choice: &Choice) -> Vec<String> {
    let left_out = choice.left_out.iter().map(events::left_out);
    left_out
        .chain(choice.twice.iter().map(events::twice))
        .collect()
}

fn default(all: &[Link]) -> Result<String, Failure> {
    let index = link::default_route().map_err(|error| Failure::new(Exit::Failed, error))?;
    let found = index.and_then(|index| all.iter().find(|link| link.index == index));
    found.map(|link| link.name.clone()).ok_or_else(|| {
        let message = format!(
            "there is no default route to choose an interface by: name one with -i; there are: {}",
            list(all)
        );
        Failure::told(Exit::Interface, message)
    })
}

fn list(all: &[Link]) -> String {
    let names: Vec<_> = all.iter().map(|link| escape::text(&link.name)).collect();
    names.join(", ")
}
