//! Which file a packet goes to: `-C`, `-G` and `-W`, as tcpdump has them.
//!
//! The difference: the clock of `-G` and of the names is that of the packets, also of those in files, and the names are in
//! UTC. (tcpdump's is the clock on the wall, to which all packets of a file are of now.)

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::escape;

const NS_PER_SECOND: i64 = 1_000_000_000;

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// May hold directives of strftime, if there are `seconds`.
    pub path: PathBuf,
    /// A new file once one is larger than that, in bytes before compression.
    pub size: Option<u64>,
    /// A new file after that time.
    pub seconds: Option<u32>,
    /// With `size`: so many files, and then the first again. With `seconds` alone: no more than so many.
    pub count: Option<u32>,
}

/// Where a run of files has got to.
#[derive(Clone, Debug)]
pub(super) struct Rotation {
    plan: Plan,
    /// The second that the current file's name is of.
    began: Option<i64>,
    /// Files of this time.
    numbered: u32,
    /// Times that are over.
    over: u32,
}

/// What to do before a packet is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Stay,
    /// Go on in the file of the new name.
    Next,
    /// That was the last file.
    End,
}

impl Plan {
    /// Whether there may be more than one file.
    pub fn rotates(&self) -> bool {
        self.size.is_some() || self.seconds.is_some()
    }

    /// Why that can't be done, and what to do.
    pub fn check(&self) -> Result<(), String> {
        if self.rotates() && self.path.as_os_str() == "-" {
            return Err("-w - is one stream: -C and -G need the name of a file".to_owned());
        }
        if self.count.is_some() && !self.rotates() {
            return Err("-W limits the files that -C or -G begin: give one of the two".to_owned());
        }
        let path = escape::path(&self.path);
        if self.path.file_name().is_none() {
            return Err(format!("-w {path}: there is no name of a file in it"));
        }
        if self.seconds.is_none() {
            return Ok(());
        }
        let name = self.at(0).map_err(|why| format!("-w {path}: {why}"))?;
        match name.parent() == self.path.parent() {
            true => Ok(()),
            false => Err(format!(
                "-w {path}: only the name of the file may have a time in it, not its folder"
            )),
        }
    }

    /// The path, with the time in it where there are times.
    fn at(&self, second: i64) -> Result<PathBuf, String> {
        if self.seconds.is_none() {
            return Ok(self.path.clone());
        }
        let template = self.path.to_str();
        let template = template.ok_or("with -G the name must be UTF-8")?;
        let time = Timestamp::from_second(second).unwrap_or_default();
        let time = time.to_zoned(TimeZone::UTC);
        let name = jiff::fmt::strtime::format(template, &time);
        let name = name.map_err(|error| format!("no time can be put into it: {error}"))?;
        Ok(PathBuf::from(name))
    }

    /// Digits of the numbers behind names: as many as the last one has.
    fn digits(&self) -> usize {
        let last = self.count.unwrap_or_default().saturating_sub(1);
        match last {
            0 => 0,
            last => last.ilog10() as usize + 1,
        }
    }
}

impl Rotation {
    pub(super) fn new(plan: Plan) -> Self {
        Rotation {
            plan,
            began: None,
            numbered: 0,
            over: 0,
        }
    }

    /// What the names are made from.
    pub(super) fn template(&self) -> &Path {
        &self.plan.path
    }

    /// The first file is of this time.
    pub(super) fn begin(&mut self, at: i64) {
        self.began = Some(at.div_euclid(NS_PER_SECOND));
    }

    /// Before a packet of this time, in nanoseconds since the epoch. `size`: of the current file so far.
    pub(super) fn turn(&mut self, at: Option<i64>, size: u64) -> Turn {
        if let (Some(length), Some(at), Some(began)) = (self.plan.seconds, at, self.began) {
            let second = at.div_euclid(NS_PER_SECOND);
            if second.saturating_sub(began) >= i64::from(length) {
                return self.after(second);
            }
        }
        if self.plan.size.is_some_and(|most| size > most) {
            self.numbered += 1;
            if self.plan.count.is_some_and(|count| self.numbered >= count) {
                self.numbered = 0;
            }
            return Turn::Next;
        }
        Turn::Stay
    }

    /// A time is over.
    fn after(&mut self, second: i64) -> Turn {
        self.over = self.over.saturating_add(1);
        let limit = self.plan.count.filter(|_| self.plan.size.is_none());
        if limit.is_some_and(|limit| self.over >= limit) {
            return Turn::End;
        }
        self.began = Some(second);
        self.numbered = 0;
        Turn::Next
    }

    /// The name of the current file.
    pub(super) fn path(&self) -> PathBuf {
        // What can't be formatted was refused by `check`.
        let second = self.began.unwrap_or_default();
        let name = self.plan.at(second);
        let name = name.unwrap_or_else(|_| self.plan.path.clone());
        let digits = self.plan.digits();
        match self.plan.size {
            None => name,
            Some(_) if digits == 0 && self.numbered == 0 => name,
            Some(_) => numbered(&name, self.numbered, digits),
        }
    }
}

fn numbered(path: &Path, number: u32, digits: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!("{number:0digits$}"));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(path: &str, size: Option<u64>, seconds: Option<u32>, count: Option<u32>) -> Plan {
        Plan {
            path: path.into(),
            size,
            seconds,
            count,
        }
    }

    /// The names of the files that packets of these times and these sizes of the file before them are in.
    fn names(plan: Plan, packets: &[(i64, u64)]) -> Vec<String> {
        let mut rotation = Rotation::new(plan);
        rotation.begin(packets[0].0 * NS_PER_SECOND);
        let mut names = Vec::new();
        for (second, size) in packets {
            if rotation.turn(Some(second * NS_PER_SECOND), *size) == Turn::End {
                break;
            }
            names.push(rotation.path().to_str().unwrap().to_owned());
        }
        names
    }

    #[test]
    fn sizes_number_the_files_and_a_count_makes_a_ring_of_them() {
        let packets: Vec<_> = [0, 10, 11, 11, 5, 11].map(|size| (0, size)).into();
        let ten = |count| plan("x.pcap", Some(10), None, count);
        let endless = [
            "x.pcap", "x.pcap", "x.pcap1", "x.pcap2", "x.pcap2", "x.pcap3",
        ];
        assert_eq!(names(ten(None), &packets), endless);
        let two = [
            "x.pcap0", "x.pcap0", "x.pcap1", "x.pcap0", "x.pcap0", "x.pcap1",
        ];
        assert_eq!(names(ten(Some(2)), &packets), two);
        assert_eq!(
            names(ten(Some(11)), &packets)[..3],
            ["x.pcap00", "x.pcap00", "x.pcap01"]
        );
        assert_eq!(names(ten(Some(1)), &packets[..3]), ["x.pcap"; 3]);
    }

    #[test]
    fn times_stand_in_the_names_and_a_count_ends_them() {
        let packets: Vec<_> = [0, 59, 60, 100, 200].map(|second| (second, 0)).into();
        let minute = |count| plan("x-%H%M%S", None, Some(60), count);
        let times = ["x-000000", "x-000000", "x-000100", "x-000100", "x-000320"];
        assert_eq!(names(minute(None), &packets), times);
        assert_eq!(names(minute(Some(2)), &packets), times[..4]);
        let both = plan("x-%M", Some(10), Some(60), Some(2));
        let packets = [(0, 0), (1, 11), (2, 11), (60, 5), (61, 11)];
        let both = names(both, &packets);
        assert_eq!(both, ["x-000", "x-001", "x-000", "x-010", "x-011"]);
    }

    #[test]
    fn what_can_t_be_done_is_refused() {
        for (bad, why) in [
            (plan("-", Some(1), None, None), "one stream"),
            (plan("x", None, None, Some(1)), "-C or -G"),
            (plan("x%", None, Some(1), None), "no time"),
            (plan("%Y/x", None, Some(1), None), "folder"),
            (plan("x-%D", None, Some(1), None), "folder"),
            (plan("/", None, None, None), "no name"),
        ] {
            let error = bad.check().unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        assert_eq!(plan("50%Y", Some(1), None, None).check(), Ok(()));
        assert_eq!(plan("d/x-%FT%T", None, Some(1), Some(3)).check(), Ok(()));
    }
}
