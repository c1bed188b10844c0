//! The live view of real interfaces, on a terminal.

use crate::harness::{Pair, need_kernel};
use crate::support::tmux::{self, Terminal};
use crate::traffic;

const FLOWS: u16 = 64;

#[test]
fn what_is_counted_is_seen_by_every_backend() {
    need_kernel!();
    if let Some(reason) = tmux::missing() {
        println!("skipped: {reason}");
        return;
    }
    for (backend, hooks) in [("tc", "a0 tcx"), ("af-packet", "a0 af-packet")] {
        let pair = Pair::new(1500);
        let binary = env!("CARGO_BIN_EXE_sensor");
        let line = format!("{binary} top -i a0 --backend {backend} --interval 200ms udp");
        let terminal = Terminal::start(pair.a.command("tmux"), (80, 24), &line);
        terminal.shows(&[hooks, "0 packets", "lost 0", "accounting holds"]);
        let status = tmux::status(terminal.child("sensor"));
        for given_up in ["CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
            assert!(status.contains(given_up), "{given_up:?}: {status}");
        }
        let frames = traffic::frames(FLOWS);
        traffic::send(&pair.b, "b0", &frames, 1);
        terminal.shows(&["64 packets", "ingress", "dns"]);
        terminal.press(&["4"]);
        terminal.shows(&["source > destination 64"]);
        terminal.press(&["Space"]);
        traffic::send(&pair.b, "b0", &frames, 2);
        terminal.shows(&["counting goes on, 128 packets since", "64 packets,"]);
        terminal.press(&["Space"]);
        terminal.shows(&["192 packets,"]);
        terminal.press(&["r"]);
        terminal.shows(&["0 packets,", "nothing yet"]);
        traffic::send(&pair.b, "b0", &frames, 1);
        terminal.shows(&["64 packets,"]);
        terminal.press(&["q"]);
        let screen = terminal.shows(&["captured 64 packets", "lost 0", "ended 0"]);
        assert!(screen.contains("since the reset"), "{screen}");
        assert_eq!(terminal.flags(), (false, true));
    }
}
