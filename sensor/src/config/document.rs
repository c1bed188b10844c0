//! One config file as written: keys, values, and the place of each.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place, Problem};
use super::surroundings::LARGEST;

/// What stands in the file, without knowing what it means.
#[derive(Clone, Debug, Default)]
pub struct Document {
    path: PathBuf,
    text: String,
    /// Where each line starts.
    lines: Vec<usize>,
    /// Name and offset of each table.
    pub tables: Vec<(String, usize)>,
    pub entries: Vec<Entry>,
}

/// `key = value`, in a table or above the first one.
#[derive(Clone, Debug)]
pub struct Entry {
    pub table: Option<String>,
    pub key: String,
    pub key_at: usize,
    pub value: Value,
}

/// A value and the bytes that it was written with.
#[derive(Clone, Debug)]
pub struct Value {
    pub what: What,
    pub at: Range<usize>,
}

#[derive(Clone, Debug)]
pub enum What {
    Text(String),
    /// In decimal digits.
    Integer(String),
    Boolean(bool),
    List(Vec<Value>),
    /// Of no use for any setting.
    Other(&'static str),
}

impl Document {
    /// As much of the file as can be understood, and all that is wrong with it.
    pub fn read(path: &Path, bytes: &[u8]) -> (Self, Vec<ConfigError>) {
        let text = match text(bytes) {
            Ok(text) => text,
            Err(problem) => {
                let empty = Document {
                    path: path.to_owned(),
                    ..Document::default()
                };
                return (empty, vec![ConfigError::file(path, problem)]);
            }
        };
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut document = Document {
            path: path.to_owned(),
            text: text.to_owned(),
            lines: line_starts(text),
            ..Document::default()
        };
        document.take(table.get_ref());
        let errors = errors
            .iter()
            .map(|error| document.syntax_error(error))
            .collect();
        (document, errors)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Line and column, from 1, of a byte of the text.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|index| self.lines.get(index));
        let before = start.and_then(|start| self.text.get(*start..offset));
        (line.max(1), before.unwrap_or_default().chars().count() + 1)
    }

    pub(super) fn error(&self, offset: usize, problem: Problem) -> ConfigError {
        let (line, column) = self.line_column(offset);
        let place = Place::At {
            path: self.path.clone(),
            line,
            column,
        };
        ConfigError { place, problem }
    }

    /// Offset of byte `inner` of a string; where it's written with escapes, that of the string.
    pub(super) fn offset_in(&self, value: &Value, inner: usize) -> usize {
        let What::Text(text) = &value.what else {
            return value.at.start;
        };
        let written = self.text.get(value.at.clone()).unwrap_or_default();
        match written.find(text.as_str()) {
            Some(quotes) => value.at.start + quotes + text.floor_char_boundary(inner),
            None => value.at.start,
        }
    }

    fn take(&mut self, root: &DeTable<'_>) {
        for (key, value) in root {
            match value.get_ref() {
                DeValue::Table(table) => {
                    let name = key.get_ref().to_string();
                    self.tables.push((name.clone(), key.span().start));
                    for (key, value) in table {
                        self.entries.push(entry(Some(name.clone()), key, value));
                    }
                }
                _ => self.entries.push(entry(None, key, value)),
            }
        }
        self.entries.sort_by_key(|entry| entry.key_at);
        self.tables.sort_by_key(|(_, at)| *at);
    }

    fn syntax_error(&self, error: &toml::de::Error) -> ConfigError {
        let Some(at) = error.span() else {
            let problem = Problem::Syntax(error.message().to_owned());
            return ConfigError::file(&self.path, problem);
        };
        if error.message() == "duplicate key"
            && let Some(key) = self.text.get(at.clone())
            && let Some(first) = self.first_line(key, at.start)
        {
            let key = key.to_owned();
            return self.error(at.start, Problem::Duplicate { key, first });
        }
        // Sentences come in several lines.
        let message = error.message().replace('\n', ", ");
        self.error(at.start, Problem::Syntax(message))
    }

    /// The line of the key that `again` repeats: tables are contiguous, so it's the nearest one before.
    fn first_line(&self, key: &str, again: usize) -> Option<usize> {
        let key = key.trim_matches(['"', '\'']);
        let keys = self.entries.iter();
        let before = keys.filter(|entry| entry.key == key && entry.key_at < again);
        match before.map(|entry| entry.key_at).max() {
            Some(at) => Some(self.line_column(at).0),
            None => self.first_header(key, again),
        }
    }

    /// Of a table that is there twice the parser keeps the last place only.
    fn first_header(&self, name: &str, again: usize) -> Option<usize> {
        let before = self.text.get(..again)?;
        let is_header = |line: &str| {
            let line = line.trim_start().trim_start_matches('[').trim_start();
            line.strip_prefix(name)
                .is_some_and(|rest| rest.trim_start().starts_with([']', '.', '=']))
        };
        before.lines().position(is_header).map(|index| index + 1)
    }
}

fn text(bytes: &[u8]) -> Result<&str, Problem> {
    if bytes.len() > LARGEST {
        return Err(Problem::TooLarge(LARGEST));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        let byte = bytes.get(offset).copied().unwrap_or_default();
        Problem::NotUtf8 { offset, byte }
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn line_starts(text: &str) -> Vec<usize> {
    let ends = text.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(ends).collect()
}

type Key<'i> = toml::Spanned<toml::de::DeString<'i>>;

fn entry(table: Option<String>, key: &Key<'_>, value: &toml::Spanned<DeValue<'_>>) -> Entry {
    Entry {
        table,
        key: key.get_ref().to_string(),
        key_at: key.span().start,
        value: Value::new(value),
    }
}

impl Value {
    fn new(value: &toml::Spanned<DeValue<'_>>) -> Self {
        let what = match value.get_ref() {
            DeValue::String(text) => What::Text(text.to_string()),
            DeValue::Integer(integer) => {
                let digits = integer.as_str().replace('_', "");
                match i128::from_str_radix(&digits, integer.radix()) {
                    Ok(number) => What::Integer(number.to_string()),
                    Err(_) => What::Integer(digits),
                }
            }
            DeValue::Boolean(boolean) => What::Boolean(*boolean),
            DeValue::Array(values) => What::List(values.iter().map(Value::new).collect()),
            DeValue::Float(_) => What::Other("a float"),
            DeValue::Datetime(_) => What::Other("a date or time"),
            DeValue::Table(_) => What::Other("a table"),
        };
        Value {
            what,
            at: value.span(),
        }
    }
}

impl What {
    /// For `expected .., found ..`.
    pub fn kind(&self) -> &'static str {
        match self {
            What::Text(_) => "a string",
            What::Integer(_) => "an integer",
            What::Boolean(_) => "a boolean",
            What::List(_) => "an array",
            What::Other(kind) => kind,
        }
    }
}
