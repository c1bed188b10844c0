//! Flows that others announced, until they come.

use std::net::IpAddr;

use sensor_common::application::Application;
use sensor_common::flow::FlowKey;

use super::answers::TICK;
use super::bounded::Bounded;
use super::ends::Addr;
use crate::names::decode::expect::Expected;

const MOST: usize = 4096;
/// How long one is waited for: a call may ring for long.
const PATIENCE: i64 = 5 * 60 * 1_000_000_000;

#[derive(Clone, Debug)]
pub(super) struct Announced {
    places: Bounded<(u8, Addr, u16), Option<Waiting>>,
    /// After this nothing is waited for any more.
    until: i64,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    application: Application,
    from: i64,
    until: i64,
}

impl Announced {
    pub(super) fn new() -> Self {
        Announced {
            places: Bounded::new(MOST),
            until: i64::MIN,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) fn add(&mut self, expected: &Expected, at: Option<i64>) {
        let until = at.map_or(i64::MAX, |at| at.saturating_add(PATIENCE));
        let place = (expected.protocol, expected.addr.into(), expected.port);
        let (waiting, _) = self.places.entry(place);
        *waiting = Some(Waiting {
            application: expected.application,
            from: at.map_or(i64::MIN, |at| at.saturating_sub(TICK)),
            until,
        });
        self.until = self.until.max(until);
    }

    /// What the flow was announced as; the next one to or from the same port is another.
    pub(super) fn take(&mut self, key: &FlowKey, at: Option<i64>) -> Option<Application> {
        if self.places.is_empty() {
            return None;
        }
        if at.is_some_and(|at| at > self.until) {
            *self = Announced::new();
            return None;
        }
        self.take_end(key.protocol(), key.dst_addr(), key.dst_port(), at)
            .or_else(|| self.take_end(key.protocol(), key.src_addr(), key.src_port(), at))
    }

    fn take_end(
        &mut self,
        protocol: u8,
        addr: IpAddr,
        port: u16,
        at: Option<i64>,
    ) -> Option<Application> {
        let place = (protocol, addr.into(), port);
        let waiting = (*self.places.get(&place)?)?;
        // The kernel's flows are counted after the payloads of their interval: this one may have been there before.
        if at.is_some_and(|at| at < waiting.from) {
            return None;
        }
        self.places.remove(&place);
        let in_time = at.is_none_or(|at| at <= waiting.until);
        in_time.then_some(waiting.application)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ends::tests::flow;
    use super::*;

    #[test]
    fn the_next_flow_is_the_announced_one() {
        let mut announced = Announced::new();
        let expected = Expected {
            application: Application::FtpData,
            protocol: 6,
            addr: "192.0.2.1".parse().unwrap(),
            port: 5000,
        };
        let there = flow("10.0.0.1:40000", "192.0.2.1:5000", 6);
        let back = flow("192.0.2.1:5000", "10.0.0.1:40000", 6);
        let udp = flow("192.0.2.1:5000", "10.0.0.1:40000", 17);
        for key in [there, back] {
            announced.add(&expected, Some(7));
            assert_eq!(announced.take(&udp, Some(8)), None);
            assert_eq!(announced.take(&key, Some(8)), Some(Application::FtpData));
            assert_eq!(announced.take(&key, Some(8)), None);
        }
        announced.add(&expected, Some(7));
        assert_eq!(announced.take(&there, Some(6 - TICK)), None);
        assert_eq!(
            announced.take(&there, Some(7 - TICK)),
            Some(Application::FtpData)
        );
        announced.add(&expected, Some(7));
        assert_eq!(announced.take(&there, Some(8 + PATIENCE)), None);
        assert!(announced.is_empty());
    }
}
