//! What an expression may refer to and the core must not fetch by itself.

/// Given by the edge: the configuration's named filters, the file system.
pub trait Library {
    /// Text of the filter that is called `@name`.
    fn named(&self, name: &str) -> Option<&str>;

    /// The names that there are, for suggestions.
    fn names(&self) -> Vec<&str>;

    /// Whole text of the file of a list; the error says why it can't be had.
    fn list(&self, path: &str) -> Result<String, String>;
}

/// No named filters, no files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Library for Nothing {
    fn named(&self, _: &str) -> Option<&str> {
        None
    }

    fn names(&self) -> Vec<&str> {
        Vec::new()
    }

    fn list(&self, path: &str) -> Result<String, String> {
        Err(format!("{path} is not read here"))
    }
}
