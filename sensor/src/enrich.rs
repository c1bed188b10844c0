//! What is known of addresses from elsewhere than their packets: databases of places, reverse DNS. Added to a report that
//! is finished, for its rows alone, so that counting never waits for it and the core stays without I/O.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::cli;
use crate::failure::{Exit, Failure};
use crate::geo::Geo;
use crate::names::NameSource;
use crate::report::{Endpoint, Name, Report};
use crate::resolve::Resolver;

/// How late a report may be for the sake of names.
const LIMIT: Duration = Duration::from_secs(2);

#[derive(Default)]
pub struct Enrichment {
    geo: Option<Geo>,
    resolver: Option<Resolver>,
}

impl Enrichment {
    /// Opens what was asked for.
    pub fn prepare(asked: &cli::Naming) -> Result<Self, Failure> {
        let refused = |error| Failure::new(Exit::Usage, error);
        let geo = match asked.geoip.is_empty() {
            true => None,
            false => Some(Geo::open(&asked.geoip).map_err(refused)?),
        };
        Ok(Enrichment {
            geo,
            resolver: asked.resolve.then(Resolver::default),
        })
    }

    /// A report of the same with longer lists: nobody is asked for the names of thousands.
    pub fn enrich_as(&self, longer: &mut Report, enriched: &Report) {
        self.locate(longer);
        add_names(longer, &looked_up(enriched));
        longer.notes.clone_from(&enriched.notes);
    }

    pub fn enrich(&self, report: &mut Report) {
        self.locate(report);
        if let Some(resolver) = &self.resolver {
            let addrs: Vec<IpAddr> = report.endpoints.iter().map(|one| one.addr).collect();
            let resolved = resolver.resolve(&addrs, LIMIT);
            add_names(report, &resolved.names);
            if resolved.late > 0 {
                report.notes.push(format!(
                    "addresses whose name was not answered within {} s: {} (--resolve)",
                    LIMIT.as_secs(),
                    resolved.late
                ));
            }
        }
    }

    fn locate(&self, report: &mut Report) {
        if let Some(geo) = &self.geo {
            for endpoint in &mut report.endpoints {
                endpoint.geo = geo.lookup(endpoint.addr);
            }
        }
    }
}

/// Of addresses, by reverse DNS.
fn looked_up(report: &Report) -> HashMap<IpAddr, Arc<str>> {
    let reverse = NameSource::ReverseDns.name();
    let name = |one: &Endpoint| {
        let name = one.names.iter().find(|name| name.source == reverse)?;
        Some((one.addr, Arc::from(name.name.as_str())))
    };
    report.endpoints.iter().filter_map(name).collect()
}

/// Behind the names that traffic told, which are surer.
fn add_names(report: &mut Report, resolved: &HashMap<IpAddr, Arc<str>>) {
    let add = |names: &mut Vec<Name>, addr: IpAddr| {
        names.extend(resolved.get(&addr).map(|name| Name {
            name: name.to_string(),
            source: NameSource::ReverseDns.name().into(),
        }));
    };
    for one in &mut report.endpoints {
        add(&mut one.names, one.addr);
    }
    for one in &mut report.conversations {
        add(&mut one.a_names, one.a);
        add(&mut one.b_names, one.b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn a_looked_up_name_comes_last() {
        let mut report = samples::report(2);
        let addr = IpAddr::from(samples::HOST);
        let told = Name {
            name: "laptop".into(),
            source: "dhcp".into(),
        };
        for one in report.endpoints.iter_mut().filter(|one| one.addr == addr) {
            one.names.push(told.clone());
        }
        add_names(&mut report, &HashMap::from([(addr, "host.example".into())]));
        let endpoint = report
            .endpoints
            .iter()
            .find(|one| one.addr == addr)
            .unwrap();
        assert_eq!(endpoint.names[0], told);
        assert_eq!(endpoint.names[1].name, "host.example");
        assert_eq!(endpoint.names[1].source, "reverse-dns");
        for one in &report.conversations {
            assert_eq!(one.a_names.len(), usize::from(one.a == addr));
            assert_eq!(one.b_names.len(), usize::from(one.b == addr));
        }
    }

    #[test]
    fn nothing_asked_changes_nothing() {
        let report = samples::report(3);
        let mut same = report.clone();
        let nothing = cli::Naming {
            geoip: Vec::new(),
            resolve: false,
        };
        Enrichment::prepare(&nothing).unwrap().enrich(&mut same);
        assert_eq!(same, report);
    }

    #[test]
    fn a_database_that_is_not_there_is_a_mistake_of_the_command_line() {
        let asked = cli::Naming {
            geoip: vec!["/does/not/exist.mmdb".into()],
            resolve: false,
        };
        let failure = Enrichment::prepare(&asked).err().unwrap();
        assert_eq!(failure.exit, Exit::Usage);
    }
}
