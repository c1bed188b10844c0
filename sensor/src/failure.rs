//! Exit codes, and errors that know theirs.

use std::fmt;

/// What the process's exit status means; part of the command line's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    Ok = 0,
    /// Failed while running.
    Failed = 1,
    Usage = 2,
    NoPermission = 3,
    /// No such interface, or it can't be attached.
    Interface = 4,
    /// An input file is damaged or not a capture.
    BadFile = 5,
    /// A filter expression that can't be understood, or that the backend which was asked for can't decide.
    Filter = 6,
    /// An output could not be written; counting went on.
    Output = 7,
    /// The accounting identity is violated.
    Accounting = 8,
}

/// An error on its way to the user.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub error: anyhow::Error,
}

impl Failure {
    pub fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Failure {
            exit,
            error: error.into(),
        }
    }

    pub fn told(exit: Exit, message: impl fmt::Display) -> Self {
        Failure {
            exit,
            error: anyhow::anyhow!("{message}"),
        }
    }
}

/// Errors without a code of their own are failures while running.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Failure {
            exit: Exit::Failed,
            error,
        }
    }
}
