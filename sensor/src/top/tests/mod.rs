//! The view without a terminal: what is pressed, and what is seen then.

mod figures;
mod play;
mod screens;
mod state;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;
use sensor_common::flow::Direction;

use super::*;
use crate::counters::{Delta, DeltaConfig};
use crate::filter::Nothing;
use crate::names;
use crate::report::samples::{self, HOST, SECOND, START, tcp4, udp6};
use crate::report::{Context, FlowRow, Process};

/// Nobody's.
struct NoProcess;

impl Processes for NoProcess {
    fn of(&self, _: &FlowRow) -> Option<Process> {
        None
    }
}

/// A view of twelve seconds of traffic that is made up.
struct View {
    state: State,
    figures: Figures,
    lists: Lists,
    status: Status,
    context: Context,
    theme: Theme,
    size: (u16, u16),
}

fn config() -> DeltaConfig {
    DeltaConfig {
        names: 100,
        ..samples::config(1000)
    }
}

/// What comes in one second: downloads that get slower, a name, DNS, things that are no flows.
fn second(number: i64) -> Delta {
    count_second(&mut Delta::new(config()), number)
}

/// What payloads said stays known to `delta`.
fn count_second(delta: &mut Delta, number: i64) -> Delta {
    let at = number * SECOND;
    for talker in 0..9_u8 {
        let n = u64::from(talker) + 1;
        let far = [192, 0, 2, talker];
        let port = [443, 80, 22, 25, 3306, 50_000][usize::from(talker) % 6];
        if number % i64::from(talker + 1) != 0 {
            continue;
        }
        let there = tcp4(HOST, 41_000 + u16::from(talker), far, port).of(1000 / n, 90_000 / n);
        let bytes = 12_600_000 / n / (number as u64 + 1);
        let back = tcp4(far, port, HOST, 41_000 + u16::from(talker)).of(9000 / n, bytes);
        there.at(at).way(0, Direction::Egress).count(delta);
        back.at(at).way(0, Direction::Ingress).count(delta);
    }
    let dns = udp6(samples::LONG6, 40_000, samples::DNS6, 53).of(2, 200);
    dns.at(at).way(1, Direction::Ingress).count(delta);
    let answer = udp6(samples::DNS6, 53, samples::LONG6, 40_000).of(2, 1600);
    answer.at(at).way(1, Direction::Ingress).count(delta);
    samples::arp()
        .at(at)
        .way(0, Direction::Ingress)
        .count(delta);
    delta.flush();
    let asked = delta.flows().iter().find(|flow| flow.key.dst_port() == 80);
    if let Some(key) = asked.map(|flow| flow.key) {
        let payload = b"GET / HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: curl/8\r\n\r\n";
        delta.sample(&names::Sample {
            key,
            at: Some(START + at),
            payload,
            payload_len: payload.len() as u32,
            tcp_seq: Some(1),
            number: 0,
            last: false,
        });
    }
    delta.take()
}

fn source(slot: u8, name: &str, hooks: (&str, &str)) -> Source {
    Source {
        slot,
        name: name.to_owned(),
        ingress: hooks.0.to_owned(),
        egress: hooks.1.to_owned(),
        alive: true,
    }
}

impl View {
    fn empty() -> Self {
        View {
            state: State::new(vec!["eth0".to_owned(), "lo".to_owned()]),
            figures: Figures::new(config()),
            lists: Lists::default(),
            status: Status {
                sources: vec![
                    source(0, "eth0", ("xdp native", "tcx")),
                    source(1, "lo", ("tcx", "")),
                ],
                time: Some(START + 12 * SECOND),
                pace: "12 s".to_owned(),
                ..Status::default()
            },
            context: samples::context(),
            theme: Theme {
                colour: true,
                unicode: true,
            },
            size: (80, 24),
        }
    }

    fn new() -> Self {
        let mut view = View::empty();
        let mut counting = Delta::new(config());
        for number in 0..12 {
            let delta = count_second(&mut counting, number);
            view.figures.push(&delta, SECOND);
        }
        view.renew();
        view
    }

    fn sized(mut self, width: u16, height: u16) -> Self {
        self.size = (width, height);
        self
    }

    fn renew(&mut self) {
        self.figures.settle();
        self.lists = self.state.lists(&self.figures);
    }

    /// Types all that; gives what the last key asks for.
    fn press(&mut self, keys: &str) -> Effect {
        let codes: Vec<KeyCode> = keys.chars().map(KeyCode::Char).collect();
        self.press_codes(&codes)
    }

    fn press_codes(&mut self, codes: &[KeyCode]) -> Effect {
        let mut last = Effect::Nothing;
        for code in codes {
            let key = KeyEvent::new(*code, KeyModifiers::NONE);
            let Some(action) = keys::action(key, &self.state.mode) else {
                continue;
            };
            last = self.state.apply(action, &self.lists, 10, &Nothing);
            if last == Effect::Lists {
                self.renew();
            }
        }
        last
    }

    fn scene(&self) -> Scene<'_> {
        Scene {
            state: &self.state,
            figures: &self.figures,
            lists: &self.lists,
            status: &self.status,
            context: &self.context,
            theme: self.theme,
            processes: &NoProcess,
        }
    }

    fn terminal(&mut self) -> Terminal<TestBackend> {
        let (width, height) = self.size;
        if (width, height) >= view::LEAST {
            let rows = view::rows_seen(Rect::new(0, 0, width, height), &self.scene());
            self.state.fit(rows);
        }
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal
            .draw(|frame| view::draw(frame, &self.scene()))
            .unwrap();
        terminal
    }

    /// Lines without the blanks at their ends.
    fn screen(&mut self) -> String {
        let terminal = self.terminal();
        let buffer = terminal.backend().buffer();
        let area = *buffer.area();
        let mut text = String::new();
        for y in 0..area.height {
            let line: String = (0..area.width).map(|x| buffer[(x, y)].symbol()).collect();
            text += line.trim_end();
            text.push('\n');
        }
        text
    }
}
