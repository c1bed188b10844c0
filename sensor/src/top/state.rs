//! What is looked at: which list in which order, the filter, the units. It changes with what is typed and knows no terminal.

use sensor_common::flow::FlowKey;

use super::figures::Figures;
use super::input::Input;
use super::keys::{Action, Edit};
use super::lists::{self, Column, Id, Layer, List, Order};
use super::matching::{Matching, Shown};
use crate::filter::{FilterError, Library};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    Overview,
    Talkers,
    Conversations,
    Flows,
    Protocols,
}

impl Tab {
    pub const ALL: [Tab; 5] = [
        Tab::Overview,
        Tab::Talkers,
        Tab::Conversations,
        Tab::Flows,
        Tab::Protocols,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Tab::Overview => "overview",
            Tab::Talkers => "talkers",
            Tab::Conversations => "conversations",
            Tab::Flows => "flows",
            Tab::Protocols => "protocols",
        }
    }

    /// What its table can be sorted by, in the order in which it is shown.
    pub fn columns(self) -> &'static [Column] {
        use Column::{Back, Forth, Long, Name, Protocol, Short, Total};
        match self {
            Tab::Overview | Tab::Talkers | Tab::Conversations => &[Name, Forth, Back, Long, Total],
            Tab::Flows => &[Name, Protocol, Short, Long, Total],
            Tab::Protocols => &[Name, Short, Long, Total],
        }
    }

    fn next(self, step: isize) -> Tab {
        let place = self as isize + step;
        Tab::ALL[place.rem_euclid(Tab::ALL.len() as isize) as usize]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    Bits,
    Bytes,
    Packets,
}

#[derive(Clone, Debug)]
pub enum Mode {
    Table,
    Filter(FilterBox),
    Detail(FlowKey),
    Help,
}

/// The filter that is being typed, and what is wrong with it so far.
#[derive(Clone, Debug)]
pub struct FilterBox {
    pub input: Input,
    pub error: Option<FilterError>,
}

/// Where one is in a list.
#[derive(Clone, Debug)]
pub struct Table {
    pub column: Column,
    pub reversed: bool,
    pub selected: usize,
    /// The row that the selection stays with, wherever it goes; none at the top, which is whoever is the first.
    chosen: Option<Id>,
    /// The first row that is seen.
    pub offset: usize,
}

pub struct State {
    pub tab: Tab,
    tables: [Table; 5],
    pub mode: Mode,
    pub matching: Option<Matching>,
    pub units: Units,
    /// Beside or in place of addresses.
    pub names: bool,
    pub layer: Layer,
    pub paused: bool,
    /// Names of the interfaces by slot, for filters.
    interfaces: Vec<String>,
}

/// What is to be done after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Nothing,
    Draw,
    /// Make the lists again, and draw.
    Lists,
    Quit,
    Suspend,
    /// [`State::paused`] has changed.
    Pause,
    Reset,
    Faster,
    Slower,
    Step,
}

/// The lists of the tab that is looked at.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    pub main: List,
    /// Of the overview.
    pub protocols: List,
    /// Where a filter is on.
    pub shown: Option<Shown>,
}

impl State {
    pub fn new(interfaces: Vec<String>) -> Self {
        State {
            tab: Tab::Overview,
            tables: std::array::from_fn(|_| Table {
                column: Column::Long,
                reversed: false,
                selected: 0,
                chosen: None,
                offset: 0,
            }),
            mode: Mode::Table,
            matching: None,
            units: Units::Bits,
            names: true,
            layer: Layer::Application,
            paused: false,
            interfaces,
        }
    }

    pub fn table(&self) -> &Table {
        &self.tables[self.tab as usize]
    }

    fn table_mut(&mut self) -> &mut Table {
        &mut self.tables[self.tab as usize]
    }

    pub fn order(&self) -> Order {
        let table = self.table();
        Order {
            column: table.column,
            reversed: table.reversed,
            packets: self.units == Units::Packets,
        }
    }

    /// The lists as they are now; the selection stays with its row.
    pub fn lists(&mut self, figures: &Figures) -> Lists {
        let (matching, order) = (self.matching.as_ref(), self.order());
        let by_rate = Order {
            column: Column::Long,
            reversed: false,
            ..order
        };
        let main = match self.tab {
            Tab::Overview | Tab::Talkers => lists::talkers(figures, matching, order),
            Tab::Conversations => lists::conversations(figures, matching, order),
            Tab::Flows => lists::flows(figures, matching, order),
            Tab::Protocols => lists::protocols(figures, matching, self.layer, order),
        };
        let protocols = match self.tab {
            Tab::Overview => lists::protocols(figures, matching, Layer::Application, by_rate),
            _ => List::default(),
        };
        let shown = matching.map(|matching| shown(figures, matching));
        self.follow(&main);
        Lists {
            main,
            protocols,
            shown,
        }
    }

    fn follow(&mut self, list: &List) {
        let table = self.table_mut();
        let chosen = table.chosen.as_ref();
        let place = chosen.and_then(|id| list.rows.iter().position(|row| row.id == *id));
        table.selected = place
            .unwrap_or(table.selected)
            .min(list.rows.len().saturating_sub(1));
    }

    /// Scrolls so far that the selected row is among `rows` that are seen.
    pub fn fit(&mut self, rows: usize) {
        let table = self.table_mut();
        let least = (table.selected + 1).saturating_sub(rows.max(1));
        table.offset = table.offset.clamp(least, table.selected.max(least));
    }

    pub fn apply(
        &mut self,
        action: Action,
        lists: &Lists,
        page: usize,
        library: &dyn Library,
    ) -> Effect {
        match action {
            Action::Quit => Effect::Quit,
            Action::Suspend => Effect::Suspend,
            Action::Tab(tab) => self.turn_to(tab),
            Action::NextTab => self.turn_to(self.tab.next(1)),
            Action::PreviousTab => self.turn_to(self.tab.next(-1)),
            Action::Up(rows) => self.go(-(rows as isize), lists),
            Action::Down(rows) => self.go(rows as isize, lists),
            Action::PageUp => self.go(-(page.max(1) as isize), lists),
            Action::PageDown => self.go(page.max(1) as isize, lists),
            Action::First => self.go(isize::MIN / 2, lists),
            Action::Last => self.go(isize::MAX / 2, lists),
            Action::Sort(step) => self.sort(step),
            Action::Reverse => {
                let table = self.table_mut();
                table.reversed = !table.reversed;
                Effect::Lists
            }
            Action::Open => self.open(lists, library),
            Action::Back => self.back(),
            Action::Help => self.switch(Mode::Help),
            Action::Pause => {
                self.paused = !self.paused;
                Effect::Pause
            }
            Action::Units => {
                self.units = match self.units {
                    Units::Bits => Units::Bytes,
                    Units::Bytes => Units::Packets,
                    Units::Packets => Units::Bits,
                };
                Effect::Lists
            }
            Action::Names => {
                self.names = !self.names;
                Effect::Draw
            }
            Action::Layer => {
                self.layer = match self.layer {
                    Layer::Application => Layer::Transport,
                    Layer::Transport => Layer::Network,
                    Layer::Network => Layer::Application,
                };
                Effect::Lists
            }
            Action::Reset => Effect::Reset,
            Action::Faster => Effect::Faster,
            Action::Slower => Effect::Slower,
            Action::Step => Effect::Step,
            Action::EditFilter => {
                let text = self.matching.as_ref().map_or("", Matching::text);
                self.switch(Mode::Filter(FilterBox {
                    input: Input::new(text),
                    error: None,
                }))
            }
            Action::ApplyFilter => self.apply_filter(library),
            Action::Edit(edit) => self.edit(edit, library),
        }
    }

    fn turn_to(&mut self, tab: Tab) -> Effect {
        self.tab = tab;
        self.mode = Mode::Table;
        Effect::Lists
    }

    fn switch(&mut self, mode: Mode) -> Effect {
        self.mode = mode;
        Effect::Draw
    }

    fn go(&mut self, by: isize, lists: &Lists) -> Effect {
        let rows = &lists.main.rows;
        let table = self.table_mut();
        let last = rows.len().saturating_sub(1);
        table.selected = table.selected.saturating_add_signed(by).min(last);
        table.chosen = match table.selected {
            0 => None,
            place => rows.get(place).map(|row| row.id.clone()),
        };
        Effect::Draw
    }

    fn sort(&mut self, step: isize) -> Effect {
        let columns = self.tab.columns();
        let table = self.table_mut();
        let place = columns.iter().position(|one| *one == table.column);
        let next = place.unwrap_or(0) as isize + step;
        table.column = columns[next.rem_euclid(columns.len() as isize) as usize];
        table.reversed = false;
        Effect::Lists
    }

    /// A flow shows all that is known of it; of anything else its flows are shown.
    fn open(&mut self, lists: &Lists, library: &dyn Library) -> Effect {
        let Some(row) = lists.main.rows.get(self.table().selected) else {
            return Effect::Nothing;
        };
        let text = match &row.id {
            Id::Flow(key) => return self.switch(Mode::Detail(*key)),
            Id::Talker(addr) => format!("host {addr}"),
            Id::Conversation(a, b) => format!("host {a} and host {b}"),
            Id::Protocol(name) => name.clone(),
        };
        match Matching::compile(&text, library, &self.interfaces) {
            Ok(matching) => {
                self.matching = matching;
                self.turn_to(Tab::Flows)
            }
            // Of a name that is none of the language: `other`, `ip-proto-99`.
            Err(error) => self.switch(Mode::Filter(FilterBox {
                input: Input::new(&text),
                error: Some(error),
            })),
        }
    }

    /// One step back: from a detail or the help to the list, and then the filter goes.
    fn back(&mut self) -> Effect {
        if !matches!(self.mode, Mode::Table) {
            return self.switch(Mode::Table);
        }
        match self.matching.take() {
            Some(_) => Effect::Lists,
            None => Effect::Nothing,
        }
    }

    /// What is typed is looked at with every key.
    fn edit(&mut self, edit: Edit, library: &dyn Library) -> Effect {
        let Mode::Filter(filter) = &mut self.mode else {
            return Effect::Nothing;
        };
        edit.on(&mut filter.input);
        let compiled = Matching::compile(filter.input.text(), library, &self.interfaces);
        filter.error = compiled.err();
        Effect::Draw
    }

    fn apply_filter(&mut self, library: &dyn Library) -> Effect {
        let Mode::Filter(filter) = &mut self.mode else {
            return Effect::Nothing;
        };
        match Matching::compile(filter.input.text(), library, &self.interfaces) {
            Ok(matching) => {
                self.matching = matching;
                self.mode = Mode::Table;
                Effect::Lists
            }
            Err(error) => {
                filter.error = Some(error);
                Effect::Draw
            }
        }
    }
}

fn shown(figures: &Figures, matching: &Matching) -> Shown {
    let mut shown = Shown {
        all_flows: figures.whole().flows().len(),
        ..Shown::default()
    };
    for (_, amount) in lists::amounts(figures, Some(matching)) {
        shown.flows += 1;
        shown.counts += amount.total;
    }
    shown
}
