//! Reverse DNS (`--resolve`), by the resolver that the system has.
//!
//! It may take seconds for one address, so it is asked when everything is counted, for the rows of a report alone, by a few
//! threads, and nobody waits for it longer than the report may be late. What comes later is there for the next report.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::names::text;
use crate::sandbox::capabilities;

/// Questions that are asked at the same time.
const THREADS: usize = 8;
/// Answers that are remembered; then the oldest go.
const REMEMBERED: usize = 65_536;

/// What the system said of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Name(Arc<str>),
    /// It has none.
    NoName,
    /// Nobody could say: it is asked again for the next report.
    Failed,
}

type Ask = dyn Fn(IpAddr) -> Answer + Send + Sync;

/// Names of addresses, remembered as long as it lives.
pub struct Resolver {
    shared: Arc<Shared>,
}

struct Shared {
    ask: Box<Ask>,
    state: Mutex<State>,
    answered: Condvar,
}

#[derive(Default)]
struct State {
    names: HashMap<IpAddr, Option<Arc<str>>>,
    /// Of `names`, the oldest first.
    order: VecDeque<IpAddr>,
    waiting: VecDeque<IpAddr>,
    asking: HashSet<IpAddr>,
    threads: usize,
}

/// What was known in time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    pub names: HashMap<IpAddr, Arc<str>>,
    /// Addresses for which there was no answer yet.
    pub late: usize,
}

impl Default for Resolver {
    fn default() -> Self {
        Resolver::asking(ask_system)
    }
}

impl Resolver {
    fn asking(ask: impl Fn(IpAddr) -> Answer + Send + Sync + 'static) -> Self {
        Resolver {
            shared: Arc::new(Shared {
                ask: Box::new(ask),
                state: Mutex::default(),
                answered: Condvar::new(),
            }),
        }
    }

    /// Asks for the names of `addrs`, as far as they are not known, for as long as `limit`.
    pub fn resolve(&self, addrs: &[IpAddr], limit: Duration) -> Resolved {
        let end = Instant::now() + limit;
        let mut state = self.shared.lock();
        let mut wanted: HashSet<IpAddr> = HashSet::new();
        for addr in addrs {
            if !state.names.contains_key(addr)
                && wanted.insert(*addr)
                && !state.asking.contains(addr)
            {
                state.waiting.push_back(*addr);
            }
        }
        self.employ(&mut state);
        loop {
            wanted.retain(|addr| state.asking.contains(addr) || state.waiting.contains(addr));
            let left = end.saturating_duration_since(Instant::now());
            if wanted.is_empty() || left.is_zero() {
                break;
            }
            let waited = self.shared.answered.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        // The next report may have other rows.
        state.waiting.clear();
        let name = |addr: &IpAddr| Some((*addr, state.names.get(addr)?.clone()?));
        Resolved {
            names: addrs.iter().filter_map(name).collect(),
            late: wanted.len(),
        }
    }

    fn employ(&self, state: &mut State) {
        while state.threads < THREADS.min(state.waiting.len() + state.asking.len()) {
            let shared = Arc::clone(&self.shared);
            let work = move || shared.work();
            // Nobody waits for it at the end: a question can't be taken back.
            let spawned = thread::Builder::new()
                .name("resolve".to_owned())
                .spawn(work);
            if spawned.is_err() {
                break;
            }
            state.threads += 1;
        }
        if state.threads == 0 {
            state.waiting.clear();
        }
    }
}

impl Shared {
    /// Asks until nobody waits for anything.
    fn work(&self) {
        capabilities::give_up();
        let mut state = self.lock();
        while let Some(addr) = state.waiting.pop_front() {
            state.asking.insert(addr);
            drop(state);
            let answer = (self.ask)(addr);
            state = self.lock();
            state.asking.remove(&addr);
            state.remember(addr, answer);
            self.answered.notify_all();
        }
        state.threads -= 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after each step, whoever failed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn remember(&mut self, addr: IpAddr, answer: Answer) {
        let name = match answer {
            Answer::Name(name) => Some(name),
            Answer::NoName => None,
            Answer::Failed => return,
        };
        if self.names.len() >= REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.names.remove(&oldest);
        }
        if self.names.insert(addr, name).is_none() {
            self.order.push_back(addr);
        }
    }
}

/// `getnameinfo`: hosts file, DNS, mDNS, as the system is set up.
fn ask_system(addr: IpAddr) -> Answer {
    let mut host = [0_u8; libc::NI_MAXHOST as usize];
    let mut ask = |addr: *const libc::sockaddr, length: usize| {
        // SAFETY: `addr` points to `length` bytes of a socket address, `host` to as many as are said; no service is asked.
        unsafe {
            libc::getnameinfo(
                addr,
                length as libc::socklen_t,
                host.as_mut_ptr().cast(),
                host.len() as libc::socklen_t,
                std::ptr::null_mut(),
                0,
                libc::NI_NAMEREQD,
            )
        }
    };
    let result = match addr {
        IpAddr::V4(addr) => {
            // SAFETY: all zeros are a valid value of this plain structure.
            let mut raw: libc::sockaddr_in = unsafe { std::mem::zeroed() };
            raw.sin_family = libc::AF_INET as libc::sa_family_t;
            raw.sin_addr.s_addr = u32::from_ne_bytes(addr.octets());
            ask((&raw const raw).cast(), size_of_val(&raw))
        }
        IpAddr::V6(addr) => {
            // SAFETY: as above.
            let mut raw: libc::sockaddr_in6 = unsafe { std::mem::zeroed() };
            raw.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            raw.sin6_addr.s6_addr = addr.octets();
            ask((&raw const raw).cast(), size_of_val(&raw))
        }
    };
    match result {
        0 => {
            let length = host.iter().position(|b| *b == 0).unwrap_or(host.len());
            Answer::Name(text::shown(&host[..length]).into())
        }
        libc::EAI_NONAME => Answer::NoName,
        _ => Answer::Failed,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn addr(number: u8) -> IpAddr {
        [192, 0, 2, number].into()
    }

    #[test]
    fn each_address_is_asked_for_once() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let resolver = Resolver::asking(move |one| {
            count.fetch_add(1, Ordering::Relaxed);
            match one == addr(1) {
                true => Answer::NoName,
                false => Answer::Name(format!("host-{one}").into()),
            }
        });
        let all: Vec<IpAddr> = (0..100).map(addr).collect();
        for _ in 0..3 {
            let resolved = resolver.resolve(&all, LONG);
            assert_eq!((resolved.names.len(), resolved.late), (99, 0));
            assert_eq!(&*resolved.names[&addr(7)], "host-192.0.2.7");
        }
        assert_eq!(asked.load(Ordering::Relaxed), 100);
    }

    #[test]
    fn a_failure_is_asked_again_the_next_time() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let resolver = Resolver::asking(move |_| match count.fetch_add(1, Ordering::Relaxed) {
            0 => Answer::Failed,
            _ => Answer::Name("late".into()),
        });
        assert_eq!(resolver.resolve(&[addr(1)], LONG), Resolved::default());
        assert_eq!(resolver.resolve(&[addr(1)], LONG).names.len(), 1);
    }

    #[test]
    fn nobody_waits_for_a_resolver_that_hangs() {
        let (let_go, held) = mpsc::channel::<()>();
        let held = Mutex::new(held);
        let resolver = Resolver::asking(move |one| {
            if one == addr(1) {
                let _ = held.lock().unwrap().recv();
            }
            Answer::Name("x".into())
        });
        // The second is asked by another thread, or has its answer already.
        assert_eq!(resolver.resolve(&[addr(2)], LONG).names.len(), 1);
        let resolved = resolver.resolve(&[addr(1), addr(2)], Duration::ZERO);
        assert_eq!((resolved.names.len(), resolved.late), (1, 1));
        let_go.send(()).unwrap();
        let later = resolver.resolve(&[addr(1)], LONG);
        assert_eq!((later.names.len(), later.late), (1, 0));
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let mut state = State::default();
        for number in 0..REMEMBERED as u32 + 10 {
            let addr = IpAddr::from(number.to_be_bytes());
            state.remember(addr, Answer::NoName);
        }
        assert_eq!(
            (state.names.len(), state.order.len()),
            (REMEMBERED, REMEMBERED)
        );
        assert!(!state.names.contains_key(&IpAddr::from([0, 0, 0, 9])));
    }

    #[test]
    fn the_system_knows_this_host() {
        let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
        if !hosts.lines().any(|line| line.starts_with("127.0.0.1")) {
            println!("skipped: /etc/hosts does not name 127.0.0.1");
            return;
        }
        let answer = ask_system([127, 0, 0, 1].into());
        assert!(matches!(answer, Answer::Name(_)), "{answer:?}");
    }
}
