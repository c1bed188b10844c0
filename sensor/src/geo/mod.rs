//! Countries, cities and autonomous systems of addresses, from local databases in MaxMind's format (`--geoip`). Nothing is
//! asked of anybody.

mod mmdb;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use self::mmdb::{Mmdb, Record};
use crate::escape;
use crate::names::text;
use crate::report::Place;

/// A name of a place or an organisation that is longer is cut.
const LONGEST: usize = 256;

#[derive(Debug, thiserror::Error)]
pub enum GeoError {
    #[error(
        "can't read the database {}: {error}; --geoip takes files like GeoLite2-City.mmdb",
        escape::path(.path)
    )]
    Read { path: PathBuf, error: io::Error },
    #[error(
        "{} is no MaxMind database: {why}; --geoip takes files like GeoLite2-City.mmdb, unpacked",
        escape::path(.path)
    )]
    NotMmdb { path: PathBuf, why: &'static str },
}

/// Some databases: of what several know, the first one's word holds.
pub struct Geo {
    databases: Vec<Mmdb>,
}

impl Geo {
    pub fn open<P: AsRef<Path>>(paths: &[P]) -> Result<Self, GeoError> {
        let databases = paths.iter().map(|path| open(path.as_ref()));
        Ok(Geo {
            databases: databases.collect::<Result<_, _>>()?,
        })
    }

    /// `None` where no database knows anything.
    pub fn lookup(&self, addr: IpAddr) -> Option<Place> {
        let mut place = Place::default();
        let records = self.databases.iter();
        for record in records.filter_map(|database| database.record(addr)) {
            place.learn(&record);
        }
        (place != Place::default()).then_some(place)
    }
}

fn open(path: &Path) -> Result<Mmdb, GeoError> {
    let refused = |error| GeoError::Read {
        path: path.to_owned(),
        error,
    };
    // A pipe or a device would never end.
    if !fs::metadata(path).map_err(refused)?.is_file() {
        return Err(refused(io::Error::other("it is not a file")));
    }
    let bytes = fs::read(path).map_err(refused)?;
    Mmdb::new(bytes).map_err(|why| GeoError::NotMmdb {
        path: path.to_owned(),
        why,
    })
}

impl Place {
    fn learn(&mut self, record: &Record<'_>) {
        let text = |keys: &[&str]| record.at(keys).and_then(|value| value.text()).map(shown);
        // Where the address is in use, or else where it is registered: both fields are of the same one.
        if self.country.is_none() {
            let used = text(&["country", "iso_code"]);
            let from = match used.is_some() {
                true => "country",
                false => "registered_country",
            };
            self.country = used.or_else(|| text(&[from, "iso_code"]));
            self.country_name = text(&[from, "names", "en"]);
        }
        let city = self.city.take();
        self.city = city.or_else(|| text(&["city", "names", "en"]));
        if self.asn.is_none() && self.as_org.is_none() {
            let number = record.at(&["autonomous_system_number"]);
            self.asn = number.and_then(|value| value.number());
            self.as_org = text(&["autonomous_system_organization"]);
        }
    }
}

fn shown(bytes: &[u8]) -> String {
    text::shown(&bytes[..bytes.len().min(LONGEST)])
}
