//! What a service manager is told (sd_notify): ready, reloading, stopping, still alive. Nothing where nobody asks.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// A way to the service manager, and how often it wants to hear of us.
#[derive(Debug, Default)]
pub struct Notifier {
    socket: Option<UnixDatagram>,
    /// Half of what the service manager waits for before it takes us for dead.
    pub every: Option<Duration>,
}

impl Notifier {
    /// By the environment: `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`. Connected now, for later it may not be allowed.
    pub fn from_environment() -> io::Result<Self> {
        let var = std::env::var_os;
        let Some(name) = var("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Ok(Notifier::default());
        };
        let socket = UnixDatagram::unbound()?;
        socket.connect_addr(&address(&name)?)?;
        let number = |name| var(name)?.to_str()?.parse::<u64>().ok();
        let ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let every = number("WATCHDOG_USEC").filter(|usec| ours && *usec > 0);
        Ok(Notifier {
            socket: Some(socket),
            every: every.map(|usec| Duration::from_micros(usec / 2)),
        })
    }

    pub fn ready(&self) {
        self.send("READY=1");
    }

    pub fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    pub fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// `ready` is to follow.
    pub fn reloading(&self, monotonic_nanoseconds: i64) {
        let usec = monotonic_nanoseconds / 1000;
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={usec}"));
    }

    fn send(&self, message: &str) {
        if let Some(socket) = &self.socket {
            // A service manager that can't be reached will find out by itself.
            let _unheard = socket.send(message.as_bytes());
        }
    }
}

/// A path, or with `@` a name without a file.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_manager_hears_what_it_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let listening = UnixDatagram::bind(&path).unwrap();
        let socket = UnixDatagram::unbound().unwrap();
        socket
            .connect_addr(&address(path.as_os_str()).unwrap())
            .unwrap();
        let notifier = Notifier {
            socket: Some(socket),
            every: None,
        };
        notifier.ready();
        notifier.reloading(1_234_000);
        for expected in ["READY=1", "RELOADING=1\nMONOTONIC_USEC=1234"] {
            let mut buffer = [0; 100];
            let length = listening.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], expected.as_bytes());
        }
        Notifier::default().ready(); // nobody asked
    }

    #[test]
    fn a_name_without_a_file_is_one() {
        let address = address(OsStr::new("@run/x")).unwrap();
        assert_eq!(address.as_abstract_name(), Some(&b"run/x"[..]));
    }
}
