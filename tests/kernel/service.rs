//! What a service manager hears of a run.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use crate::harness::{Pair, Sensor, need_kernel};

/// What comes next that is no sign of life.
fn next(manager: &UnixDatagram) -> String {
    loop {
        let heard = any(manager);
        if heard != "WATCHDOG=1" {
            return heard;
        }
    }
}

fn any(manager: &UnixDatagram) -> String {
    let mut buffer = [0; 1000];
    let length = manager.recv(&mut buffer).unwrap();
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

#[test]
fn the_service_manager_hears_of_start_reload_life_and_end() {
    need_kernel!();
    let pair = Pair::new(1500);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let reports = folder.path().join("reports");
    let mut command = pair.b.command(env!("CARGO_BIN_EXE_sensor"));
    command.env("NOTIFY_SOCKET", &path);
    command.env("WATCHDOG_USEC", "200000");
    // An interval that nobody would wait for: signs of life come all the same.
    let arguments = ["-i", "b0", "--interval", "1h"];
    let sensor = Sensor::launch(command, &arguments, folder, reports);
    assert_eq!(any(&manager), "READY=1");
    for _ in 0..3 {
        assert_eq!(any(&manager), "WATCHDOG=1");
    }
    sensor.signal(libc::SIGHUP);
    let reloading = next(&manager);
    assert!(
        reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="),
        "{reloading}"
    );
    assert_eq!(next(&manager), "READY=1");
    sensor.signal(libc::SIGTERM);
    assert_eq!(next(&manager), "STOPPING=1");
    sensor.wait().checked();
}
