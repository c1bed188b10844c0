//! What a key means, which depends on what is looked at.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::input::Input;
use super::state::{Mode, Tab};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Quit,
    Suspend,
    Tab(Tab),
    NextTab,
    PreviousTab,
    Up(usize),
    Down(usize),
    PageUp,
    PageDown,
    First,
    Last,
    /// By the column that is so many to the right.
    Sort(isize),
    Reverse,
    Open,
    Back,
    Help,
    Pause,
    Units,
    Names,
    Layer,
    Reset,
    Faster,
    Slower,
    Step,
    EditFilter,
    ApplyFilter,
    Edit(Edit),
}

/// A change of the line that is being typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    Insert(char),
    Erase,
    Delete,
    EraseWord,
    EraseLine,
    Left,
    Right,
    Home,
    End,
}

impl Edit {
    pub(super) fn on(self, input: &mut Input) {
        match self {
            Edit::Insert(c) => input.insert(c),
            Edit::Erase => input.erase(),
            Edit::Delete => input.delete(),
            Edit::EraseWord => input.erase_word(),
            Edit::EraseLine => input.erase_line(),
            Edit::Left => input.left(),
            Edit::Right => input.right(),
            Edit::Home => input.home(),
            Edit::End => input.end(),
        }
    }
}

/// `None` where the key means nothing.
pub fn action(key: KeyEvent, mode: &Mode) -> Option<Action> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        match key.code {
            KeyCode::Char('c') => return Some(Action::Quit),
            KeyCode::Char('z') => return Some(Action::Suspend),
            _ => {}
        }
    }
    match mode {
        Mode::Filter(_) => typed(key),
        Mode::Table => looked(key).or_else(|| moved(key)),
        Mode::Detail(_) => match key.code {
            KeyCode::Enter => Some(Action::Back),
            _ => looked(key),
        },
        Mode::Help => match key.code {
            KeyCode::Char('?') | KeyCode::Enter => Some(Action::Back),
            _ => looked(key),
        },
    }
}

/// Of the whole view.
fn looked(key: KeyEvent) -> Option<Action> {
    let action = match key.code {
        KeyCode::Char('q') | KeyCode::F(10) => Action::Quit,
        KeyCode::Char(digit @ '1'..='5') => {
            let place = digit as usize - '1' as usize;
            Action::Tab(Tab::ALL[place])
        }
        KeyCode::Tab => Action::NextTab,
        KeyCode::BackTab => Action::PreviousTab,
        KeyCode::Char('?' | 'h') | KeyCode::F(1) => Action::Help,
        KeyCode::Char('/' | 'f') => Action::EditFilter,
        KeyCode::Char(' ' | 'p') => Action::Pause,
        KeyCode::Char('u') => Action::Units,
        KeyCode::Char('n') => Action::Names,
        KeyCode::Char('l') => Action::Layer,
        KeyCode::Char('r') => Action::Reset,
        KeyCode::Char('+' | '=') => Action::Faster,
        KeyCode::Char('-') => Action::Slower,
        KeyCode::Char('.') => Action::Step,
        KeyCode::Esc | KeyCode::Backspace => Action::Back,
        _ => return None,
    };
    Some(action)
}

/// In a list.
fn moved(key: KeyEvent) -> Option<Action> {
    let action = match key.code {
        KeyCode::Up | KeyCode::Char('k') => Action::Up(1),
        KeyCode::Down | KeyCode::Char('j') => Action::Down(1),
        KeyCode::PageUp => Action::PageUp,
        KeyCode::PageDown => Action::PageDown,
        KeyCode::Home | KeyCode::Char('g') => Action::First,
        KeyCode::End | KeyCode::Char('G') => Action::Last,
        KeyCode::Char('>' | 's') | KeyCode::Right => Action::Sort(1),
        KeyCode::Char('<') | KeyCode::Left => Action::Sort(-1),
        KeyCode::Char('S' | 'R') => Action::Reverse,
        KeyCode::Enter => Action::Open,
        _ => return None,
    };
    Some(action)
}

/// Into the filter.
fn typed(key: KeyEvent) -> Option<Action> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let edit = match key.code {
        KeyCode::Enter => return Some(Action::ApplyFilter),
        KeyCode::Esc => return Some(Action::Back),
        KeyCode::Char('w') if control => Edit::EraseWord,
        KeyCode::Char('u') if control => Edit::EraseLine,
        KeyCode::Char('a') if control => Edit::Home,
        KeyCode::Char('e') if control => Edit::End,
        KeyCode::Char(c) if !control => Edit::Insert(c),
        KeyCode::Backspace => Edit::Erase,
        KeyCode::Delete => Edit::Delete,
        KeyCode::Left => Edit::Left,
        KeyCode::Right => Edit::Right,
        KeyCode::Home => Edit::Home,
        KeyCode::End => Edit::End,
        _ => return None,
    };
    Some(Action::Edit(edit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::state::FilterBox;

    fn key(code: KeyCode) -> KeyEvent {
        KeyEvent::new(code, KeyModifiers::NONE)
    }

    #[test]
    fn what_is_typed_into_the_filter_is_no_command() {
        let filter = Mode::Filter(FilterBox {
            input: Input::default(),
            error: None,
        });
        let q = key(KeyCode::Char('q'));
        assert_eq!(action(q, &filter), Some(Action::Edit(Edit::Insert('q'))));
        assert_eq!(action(q, &Mode::Table), Some(Action::Quit));
        assert_eq!(action(key(KeyCode::Esc), &filter), Some(Action::Back));
    }

    #[test]
    fn control_c_and_z_work_everywhere() {
        let filter = Mode::Filter(FilterBox {
            input: Input::default(),
            error: None,
        });
        for mode in [&filter, &Mode::Table, &Mode::Help] {
            let with = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
            assert_eq!(action(with('c'), mode), Some(Action::Quit));
            assert_eq!(action(with('z'), mode), Some(Action::Suspend));
        }
    }

    #[test]
    fn digits_are_tabs() {
        let tab = action(key(KeyCode::Char('4')), &Mode::Help);
        assert_eq!(tab, Some(Action::Tab(Tab::Flows)));
        assert_eq!(action(key(KeyCode::Char('6')), &Mode::Table), None);
    }
}
