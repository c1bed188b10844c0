//! Which interfaces `-i` means.

use crate::escape;
use crate::failure::{Exit, Failure};
use crate::link::{self, Link};
use sensor_common::flow::MAX_SLOTS;

/// `any` = all that are up; none given = the one of the default route.
pub(in crate::commands) fn links(names: &[String]) -> Result<Vec<Link>, Failure> {
    let all = link::links().map_err(|error| Failure::new(Exit::Failed, error))?;
    let mut chosen: Vec<Link> = Vec::new();
    if names.is_empty() {
        chosen.push(default(&all)?);
    }
    for name in names {
        if name == "any" {
            chosen.extend(all.iter().filter(|link| link.up).cloned());
        } else {
            chosen.push(named(&all, name)?);
        }
    }
    chosen.sort_by_key(|link| link.index);
    chosen.dedup_by_key(|link| link.index);
    if chosen.is_empty() {
        return Err(Failure::told(
            Exit::Interface,
            "no interface is up; see: sensor interfaces",
        ));
    }
    if chosen.len() > MAX_SLOTS {
        let message = format!(
            "{} interfaces are more than {MAX_SLOTS}: name those that matter with -i",
            chosen.len()
        );
        return Err(Failure::told(Exit::Interface, message));
    }
    Ok(chosen)
}

fn default(all: &[Link]) -> Result<Link, Failure> {
    let index = link::default_route().map_err(|error| Failure::new(Exit::Failed, error))?;
    let found = index.and_then(|index| all.iter().find(|link| link.index == index));
    found.cloned().ok_or_else(|| {
        let message = format!(
            "there is no default route to choose an interface by: name one with -i; there are: {}",
            list(all)
        );
        Failure::told(Exit::Interface, message)
    })
}

fn named(all: &[Link], name: &str) -> Result<Link, Failure> {
    if name.is_empty() {
        return Err(Failure::told(Exit::Usage, "the interface name is empty"));
    }
    all.iter()
        .find(|link| link.name == name)
        .cloned()
        .ok_or_else(|| {
            let message = format!(
                "no interface is called {}; there are: {}",
                escape::text(name),
                list(all)
            );
            Failure::told(Exit::Interface, message)
        })
}

fn list(all: &[Link]) -> String {
    let names: Vec<_> = all.iter().map(|link| escape::text(&link.name)).collect();
    names.join(", ")
}
