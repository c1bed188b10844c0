//! Flows that others announced, until they come.

use std::net::IpAddr;

use sensor_common::application::Application;
use sensor_common::flow::FlowKey;

use super::answers::TICK;
use super::bounded::Bounded;
use super::ends::Addr;
use crate::names::decode::expect::Expected;

/// How long one is waited for: a call may ring for long.
const PATIENCE: i64 = 5 * 60 * 1_000_000_000;

#[derive(Clone, Debug)]
pub(super) struct Announced {
    places: Bounded<(u8, Addr, u16), Option<Waiting>>,
    /// Not waited for any longer, for want of room.
    pub(super) put_out: u64,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    application: Application,
    /// The other end, where that is known.
    with: Option<Addr>,
    from: i64,
    until: i64,
}

impl Announced {
    pub(super) fn new(most: usize) -> Self {
        Announced {
            places: Bounded::new(most),
            put_out: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// `ends`: of the control channel.
    pub(super) fn add(&mut self, expected: &Expected, ends: (IpAddr, IpAddr), at: Option<i64>) {
        let Some(with) = other_end(expected, ends) else {
            return;
        };
        let until = at.map_or(i64::MAX, |at| at.saturating_add(PATIENCE));
        let from = at.map_or(i64::MIN, |at| at.saturating_sub(TICK));
        let place = (expected.protocol, expected.addr.into(), expected.port);
        let (waiting, out) = self.places.entry(place);
        *waiting = Some(Waiting {
            application: expected.application,
            with: with.map(Addr::from),
            from,
            until,
        });
        let good = |waiting: Waiting| at.is_none_or(|at| at <= waiting.until);
        self.put_out += u64::from(out.and_then(|(_, waiting)| waiting).is_some_and(good));
    }

    /// What the flow was announced as; the next one to or from the same port is another.
    pub(super) fn take(&mut self, key: &FlowKey, at: Option<i64>) -> Option<Application> {
        if self.places.is_empty() {
            return None;
        }
        let (src, dst) = (key.src_addr(), key.dst_addr());
        self.take_end((key.protocol(), dst.into(), key.dst_port()), src, at)
            .or_else(|| self.take_end((key.protocol(), src.into(), key.src_port()), dst, at))
    }

    fn take_end(
        &mut self,
        place: (u8, Addr, u16),
        other: IpAddr,
        at: Option<i64>,
    ) -> Option<Application> {
        let waiting = (*self.places.get(&place)?)?;
        // The kernel's flows are counted after the payloads of their interval: this one may have been there before.
        let in_time = at.is_none_or(|at| (waiting.from..=waiting.until).contains(&at));
        let right = waiting.with.is_none_or(|with| with == other.into());
        if !(in_time && right) {
            return None;
        }
        self.places.remove(&place);
        Some(waiting.application)
    }
}

/// Where the flow will come from, `Some(None)` if that can't be told; `None` for what nobody should announce. Anybody can
/// send such an announcement: FTP's data go between the two that speak of them, and media, which may go by a relay, never
/// to a port of the system.
fn other_end(expected: &Expected, (a, b): (IpAddr, IpAddr)) -> Option<Option<IpAddr>> {
    const USERS: u16 = 1024;
    match expected.application {
        Application::FtpData if expected.addr == a => Some(Some(b)),
        Application::FtpData if expected.addr == b => Some(Some(a)),
        Application::FtpData => None,
        _ => (expected.port >= USERS).then_some(None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::ends::tests::flow;
    use super::*;

    fn addr(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn ends() -> (IpAddr, IpAddr) {
        (addr("10.0.0.1"), addr("192.0.2.1"))
    }

    const FTP: Expected = Expected {
        application: Application::FtpData,
        protocol: 6,
        addr: IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)),
        port: 5000,
    };

    #[test]
    fn the_next_flow_is_the_announced_one() {
        let mut announced = Announced::new(4096);
        let there = flow("10.0.0.1:40000", "192.0.2.1:5000", 6);
        let back = flow("192.0.2.1:5000", "10.0.0.1:40000", 6);
        let udp = flow("192.0.2.1:5000", "10.0.0.1:40000", 17);
        let stranger = flow("10.0.0.2:40000", "192.0.2.1:5000", 6);
        for key in [there, back] {
            announced.add(&FTP, ends(), Some(7));
            for other in [udp, stranger] {
                assert_eq!(announced.take(&other, Some(8)), None);
            }
            assert_eq!(announced.take(&key, Some(8)), Some(Application::FtpData));
            assert_eq!(announced.take(&key, Some(8)), None);
        }
        announced.add(&FTP, ends(), Some(7));
        assert_eq!(announced.take(&there, Some(6 - TICK)), None);
        assert_eq!(
            announced.take(&there, Some(7 - TICK)),
            Some(Application::FtpData)
        );
    }

    #[test]
    fn a_time_far_ahead_clears_nothing() {
        let mut announced = Announced::new(4096);
        let there = flow("10.0.0.1:40000", "192.0.2.1:5000", 6);
        announced.add(&FTP, ends(), Some(7));
        assert_eq!(announced.take(&there, Some(8 + PATIENCE)), None);
        assert_eq!(announced.take(&there, Some(8)), Some(Application::FtpData));
    }

    #[test]
    fn not_everything_can_be_announced() {
        let mut announced = Announced::new(4096);
        let elsewhere = Expected {
            addr: addr("192.0.2.2"),
            ..FTP
        };
        let rtp = |port| Expected {
            application: Application::Rtp,
            protocol: 17,
            port,
            ..elsewhere
        };
        announced.add(&elsewhere, ends(), None);
        announced.add(&rtp(1023), ends(), None);
        assert!(announced.is_empty());
        announced.add(&rtp(1024), ends(), None);
        let media = flow("192.0.2.9:7", "192.0.2.2:1024", 17);
        assert_eq!(announced.take(&media, None), Some(Application::Rtp));
    }

    #[test]
    fn those_that_were_waited_for_are_counted_when_they_go() {
        let mut announced = Announced::new(4096);
        for port in 0..30_000 {
            let later = Expected { port, ..FTP };
            announced.add(&later, ends(), Some(0));
        }
        assert_eq!(announced.put_out, 30_000 - 4096);
        for port in 0..30_000 {
            let later = Expected { port, ..FTP };
            announced.add(&later, ends(), Some(PATIENCE + 1));
        }
        assert!(announced.put_out < 60_000 - 2 * 4096 + 1);
    }
}
