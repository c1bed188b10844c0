//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::escape;

/// One mistake; a file may have many.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{place}: {problem}")]
pub struct ConfigError {
    pub place: Place,
    pub problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    File(PathBuf),
    /// Both count from 1, columns in characters.
    At {
        path: PathBuf,
        line: usize,
        column: usize,
    },
    /// An environment variable.
    Variable(String),
}

/// Texts from the file are escaped when they are shown.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    #[error("there is no such config file")]
    Missing,
    #[error("this is a directory, not a config file")]
    Directory,
    #[error("the config file can't be read: {0}")]
    Unreadable(String),
    #[error("the config file is larger than {} KiB: is this the right file?", .0 / 1024)]
    TooLarge(usize),
    #[error("the config file is not UTF-8 text: byte 0x{byte:02x} at offset {offset}")]
    NotUtf8 { offset: usize, byte: u8 },
    #[error("{}", escape::text(.0))]
    Syntax(String),
    #[error(
        "`{}` is there twice, first in line {first}: remove one of them",
        escape::text(key)
    )]
    Duplicate { key: String, first: usize },
    #[error("no {what} is called `{}`{}", escape::text(name), Hint(help))]
    Unknown {
        what: String,
        name: String,
        help: Option<String>,
    },
    #[error("{}: expected {expected}, found {found}", escape::text(name))]
    WrongType {
        name: String,
        expected: String,
        found: &'static str,
    },
    #[error("{name}: {}", escape::text(message))]
    Value { name: String, message: String },
    #[error("{name}: it can't stand together with {other}, which {told} sets: remove one of them")]
    Conflict {
        name: String,
        other: String,
        told: String,
    },
    #[error("{}: {}{}", escape::text(name), escape::text(message), Hint(help))]
    Filter {
        name: String,
        message: String,
        help: Option<String>,
    },
}

struct Hint<'a>(&'a Option<String>);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(help) => write!(f, ": {}", escape::text(help)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(path) => f.write_str(&escape::path(path)),
            Place::At { path, line, column } => {
                write!(f, "{}:{line}:{column}", escape::path(path))
            }
            Place::Variable(name) => f.write_str(name),
        }
    }
}

impl ConfigError {
    pub(super) fn file(path: &Path, problem: Problem) -> Self {
        ConfigError {
            place: Place::File(path.to_owned()),
            problem,
        }
    }

    /// Where it comes in the order of reading: the environment, the file, its lines.
    pub(super) fn order(&self) -> (usize, usize) {
        match &self.place {
            Place::At { line, column, .. } => (*line, *column),
            _ => (0, 0),
        }
    }
}
