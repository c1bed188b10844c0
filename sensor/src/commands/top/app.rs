//! The loop: figures from the feed, keys and signals from outside, pictures to the screen.

use std::collections::VecDeque;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyEventKind};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::sleep;

use super::feed::{Ending, Feed};
use super::screen::Screen;
use super::signals::{self, Signal, Signals};
use super::tell;
use crate::clock::Now;
use crate::commands::live::captured;
use crate::counters::DeltaConfig;
use crate::failure::{Exit, Failure};
use crate::filter::Library;
use crate::report::{self, FlowRow, Process, Time};
use crate::top::{Effect, Figures, Lists, Processes, Scene, State, Status, Theme, keys, view};
use crate::{status, units};

/// More pictures a second are no better.
const BETWEEN_PICTURES: Duration = Duration::from_millis(100);
/// Lists that took long to make are followed by a pause this many times as long: 3 % of one CPU at the most.
const PAUSES: u32 = 32;
/// How long a message stands there.
const MESSAGE: Duration = Duration::from_secs(30);
/// Messages that are told again in the end.
const MOST_MESSAGES: usize = 20;

pub(super) struct App<'a> {
    feed: Box<dyn Feed>,
    state: State,
    figures: Figures,
    lists: Lists,
    library: &'a dyn Library,
    theme: Theme,
    /// Figures have come that the lists don't have yet.
    stale: bool,
    /// The picture is not what it should be.
    dirty: bool,
    drawn: Option<Instant>,
    /// Not before: making them is expensive.
    next_lists: Instant,
    slow: Option<Duration>,
    /// The newest is the last.
    messages: VecDeque<(Instant, String)>,
    reset_at: Option<i64>,
}

enum Turn {
    On,
    End,
}

impl<'a> App<'a> {
    pub(super) fn new(
        feed: Box<dyn Feed>,
        config: DeltaConfig,
        library: &'a dyn Library,
        theme: Theme,
    ) -> Self {
        let mut state = State::new(feed.interfaces());
        state.matching = feed.matching();
        App {
            feed,
            state,
            figures: Figures::new(config),
            lists: Lists::default(),
            library,
            theme,
            stale: true,
            dirty: true,
            drawn: None,
            next_lists: Instant::now(),
            slow: None,
            messages: VecDeque::new(),
            reset_at: None,
        }
    }

    pub(super) async fn run(mut self, mut signals: Signals) -> Result<Exit, Failure> {
        let mut screen = Screen::take().map_err(|error| {
            Failure::told(
                Exit::Failed,
                format_args!("the terminal can't be drawn on: {error}"),
            )
        })?;
        let result = self.until_left(&mut screen, &mut signals).await;
        drop(screen);
        // The terminal may be gone; what was counted is told to whoever is left.
        let broken = result.err().map(|error| format!("the terminal: {error}"));
        self.conclude(broken)
    }

    async fn until_left(&mut self, screen: &mut Screen, signals: &mut Signals) -> io::Result<()> {
        let mut typed = listen();
        loop {
            let pause = self.feed.sleep(Now::read()).min(super::LONGEST_SLEEP);
            let event = tokio::select! {
                event = typed.recv() => event,
                signal = signals.next() => match signal {
                    Signal::End => return Ok(()),
                    Signal::Suspend => {
                        self.suspend(screen)?;
                        None
                    }
                },
                () = sleep(pause) => None,
            };
            if !screen.is_ours() {
                return Err(io::Error::other("a thread has failed"));
            }
            let mut next = event;
            while let Some(event) = next {
                if let Turn::End = self.take(&event, screen)? {
                    return Ok(());
                }
                next = typed.try_recv().ok();
            }
            self.catch_up(Now::read());
            self.show(screen)?;
        }
    }

    fn take(&mut self, event: &Event, screen: &mut Screen) -> io::Result<Turn> {
        self.dirty = true;
        let Event::Key(key) = event else {
            return Ok(Turn::On); // another size
        };
        if key.kind == KeyEventKind::Release {
            return Ok(Turn::On);
        }
        let Some(action) = keys::action(*key, &self.state.mode) else {
            return Ok(Turn::On);
        };
        let page = self.rows_seen(screen)?;
        let effect = self.state.apply(action, &self.lists, page, self.library);
        match effect {
            Effect::Nothing | Effect::Draw => {}
            Effect::Lists => self.make_lists(),
            Effect::Quit => return Ok(Turn::End),
            Effect::Suspend => self.suspend(screen)?,
            Effect::Pause => {
                self.feed.pause(self.state.paused, &mut self.figures);
                self.stale = true;
            }
            Effect::Reset => self.reset(),
            Effect::Faster => self.feed.speed(true),
            Effect::Slower => self.feed.speed(false),
            Effect::Step => {
                if self.feed.step(&mut self.figures) {
                    self.make_lists();
                }
            }
        }
        // Keys are answered at once.
        self.drawn = None;
        Ok(Turn::On)
    }

    fn suspend(&mut self, screen: &mut Screen) -> io::Result<()> {
        screen.give_back();
        signals::stop();
        self.dirty = true;
        self.drawn = None;
        screen.take_again()
    }

    fn reset(&mut self) {
        if !self.feed.resets() {
            return;
        }
        self.figures.reset();
        self.reset_at = Some(Now::read().wall);
        self.make_lists();
    }

    fn catch_up(&mut self, now: Now) {
        if self.feed.tick(now, &mut self.figures) {
            self.stale = true;
            self.dirty = true;
        }
        for message in self.feed.messages() {
            self.dirty = true;
            self.messages.push_back((Instant::now(), message));
            if self.messages.len() > MOST_MESSAGES {
                self.messages.pop_front();
            }
        }
        if self.stale && Instant::now() >= self.next_lists {
            self.make_lists();
        }
    }

    fn make_lists(&mut self) {
        let start = Instant::now();
        self.figures.settle();
        self.lists = self.state.lists(&self.figures);
        let pause = start.elapsed() * PAUSES;
        self.next_lists = Instant::now() + pause;
        let interval = Duration::from_nanos(self.figures.interval().unsigned_abs());
        self.slow = (pause > interval.max(BETWEEN_PICTURES) * 2).then_some(pause);
        self.stale = false;
        self.dirty = true;
    }

    fn show(&mut self, screen: &mut Screen) -> io::Result<()> {
        let recently = self
            .drawn
            .is_some_and(|drawn| drawn.elapsed() < BETWEEN_PICTURES);
        if !self.dirty || recently {
            return Ok(());
        }
        let rows = self.rows_seen(screen)?;
        self.state.fit(rows);
        let (status, context) = (self.status(), self.feed.context());
        let scene = self.scene(&status, &context);
        screen.draw(|frame| view::draw(frame, &scene))?;
        self.drawn = Some(Instant::now());
        self.dirty = false;
        Ok(())
    }

    fn rows_seen(&self, screen: &Screen) -> io::Result<usize> {
        let (status, context) = (self.status(), self.feed.context());
        let area = screen.size()?;
        if area.width < view::LEAST.0 || area.height < view::LEAST.1 {
            return Ok(1);
        }
        Ok(view::rows_seen(area, &self.scene(&status, &context)))
    }

    fn scene<'b>(&'b self, status: &'b Status, context: &'b report::Context) -> Scene<'b> {
        Scene {
            state: &self.state,
            figures: &self.figures,
            lists: &self.lists,
            status,
            context,
            theme: self.theme,
            processes: self,
        }
    }

    fn status(&self) -> Status {
        let mut status = self.feed.status(Now::read());
        let newest = self.messages.back();
        let newest = newest.filter(|(at, _)| at.elapsed() < MESSAGE);
        status.message = newest.map(|(_, text)| text.clone());
        status.slow = self.slow.map(|pause| {
            let every = units::duration(pause.as_secs_f64().round());
            let flows = units::count(self.figures.whole().flows().len() as u64);
            format!("lists of {flows} flows are made every {every}, to spare the CPU")
        });
        status
    }

    fn conclude(mut self, broken: Option<String>) -> Result<Exit, Failure> {
        let context = self.feed.context();
        let Ending {
            exit,
            complaints,
            closing_line,
        } = self.feed.finish(Now::read(), &mut self.figures);
        let told: Vec<String> = self.messages.into_iter().map(|(_, text)| text).collect();
        if closing_line.is_none() || exit != Exit::Ok {
            tell(&told);
        }
        tell(&complaints);
        self.figures.settle();
        let holds = self.figures.accounting().identity_holds;
        let mut line = closing_line
            .unwrap_or_else(|| captured(&report::build(self.figures.whole(), &context)));
        if let Some(at) = self.reset_at {
            line += &format!("; since the reset at {}", Time(at).strftime("%H:%M:%S UTC"));
        }
        status::note(&line);
        if !holds {
            status::warn("the accounting identity is violated: please report this");
            return Ok(Exit::Accounting);
        }
        match broken {
            Some(broken) => Err(Failure::told(Exit::Failed, broken)),
            None => Ok(exit),
        }
    }
}

impl Processes for App<'_> {
    fn of(&self, row: &FlowRow) -> Option<Process> {
        self.feed.process(row)
    }
}

/// Keys and sizes, from a thread that waits for them; it ends with the process.
fn listen() -> UnboundedReceiver<Event> {
    let (sender, receiver) = unbounded_channel();
    thread::spawn(move || {
        while let Ok(event) = event::read() {
            if sender.send(event).is_err() {
                return;
            }
        }
    });
    receiver
}
