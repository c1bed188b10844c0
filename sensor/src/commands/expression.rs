//! The text of a filter, from wherever it was given.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::cli;
use crate::config;
use crate::escape;
use crate::failure::{Exit, Failure};
use crate::filter::{Filter, FilterError, Library};

/// Longer than anybody writes; lists of addresses have files of their own.
const LARGEST_FILE: u64 = 64 << 10;

/// A filter as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Text {
    text: String,
    /// The file that it came from.
    origin: Option<String>,
}

impl Text {
    fn compile(self, library: &dyn Library) -> Result<Filter, Failure> {
        Filter::compile(&self.text, library).map_err(|error| {
            // An error in a named filter has an origin already.
            let origin = error.origin.clone().or(self.origin);
            Failure::new(Exit::Filter, FilterError { origin, ..error })
        })
    }
}

impl cli::FilterOption {
    pub(super) fn compile(&self, library: &dyn Library) -> Result<Option<Filter>, Failure> {
        let text = self.text()?;
        text.map(|text| text.compile(library)).transpose()
    }

    /// `None` where nothing was given, or nothing but blanks and comments: everything is counted.
    fn text(&self) -> Result<Option<Text>, Failure> {
        let text = match (&self.filter, &self.filter_file) {
            (Some(text), _) => Text {
                text: text.clone(),
                origin: None,
            },
            (None, Some(path)) => Text {
                text: without_comments(&read(path)?),
                origin: Some(escape::path(path)),
            },
            (None, None) => return Ok(None),
        };
        Ok(Some(text).filter(|text| !text.text.trim().is_empty()))
    }
}

impl cli::Expression {
    pub(super) fn compile(&self, library: &dyn Library) -> Result<Option<Filter>, Failure> {
        let text = self.text()?;
        text.map(|text| text.compile(library)).transpose()
    }

    /// Nothing was given, not even something empty.
    pub(super) fn is_missing(&self) -> bool {
        let option = &self.option;
        self.words.is_empty() && option.filter.is_none() && option.filter_file.is_none()
    }

    /// The words joined by blanks, as tcpdump does it, or what an option says.
    fn text(&self) -> Result<Option<Text>, Failure> {
        if self.words.is_empty() {
            return self.option.text();
        }
        let text = Text {
            text: self.words.join(" "),
            origin: None,
        };
        Ok(Some(text).filter(|text| !text.text.trim().is_empty()))
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let refused = |why: &dyn std::fmt::Display| {
        let path = escape::path(path);
        Failure::told(
            Exit::Filter,
            format_args!("can't read the filter in {path}: {why}"),
        )
    };
    let mut bytes = Vec::new();
    config::note_read(path);
    File::open(path)
        .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
        .map_err(|error| refused(&error))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(refused(
            &"it is larger than 64 KiB; put lists of addresses into files of their own: net in file LIST",
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        refused(&format_args!("it is not text at byte offset {offset}"))
    })
}

/// Blanks in place of comments, so that every word keeps its place.
fn without_comments(text: &str) -> String {
    let mut rest = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = match line.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (line, ""),
        };
        let kept = line.find('#').unwrap_or(line.len());
        rest.push_str(&line[..kept]);
        rest.extend(std::iter::repeat_n(' ', line.len() - kept));
        rest.push_str(end);
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(text: Option<&str>, file: Option<&Path>) -> cli::FilterOption {
        cli::FilterOption {
            filter: text.map(str::to_owned),
            filter_file: file.map(Path::to_owned),
        }
    }

    #[test]
    fn words_are_joined_and_blank_ones_are_no_filter() {
        let words = |words: &[&str]| {
            let expression = cli::Expression {
                words: words.iter().map(|word| (*word).to_owned()).collect(),
                option: option(None, None),
            };
            expression.text().unwrap().map(|text| text.text)
        };
        assert_eq!(
            words(&["tcp", "port", "443"]).as_deref(),
            Some("tcp port 443")
        );
        assert_eq!(words(&["  "]), None);
        assert_eq!(words(&[]), None);
    }

    #[test]
    fn comments_leave_every_word_in_its_place() {
        let text = "tcp # café\nport 80 #\n# all\nor udp";
        let rest = without_comments(text);
        assert_eq!(rest.len(), text.len());
        assert_eq!(rest.find("udp"), text.find("udp"));
        let words: Vec<&str> = rest.split_whitespace().collect();
        assert_eq!(words, ["tcp", "port", "80", "or", "udp"]);
    }

    #[test]
    fn a_file_has_its_name_and_its_limits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.filter");
        std::fs::write(&path, "# web\nport 80\n").unwrap();
        let text = option(None, Some(&path)).text().unwrap().unwrap();
        assert_eq!(text.text.trim(), "port 80");
        assert!(text.origin.unwrap().ends_with("web.filter"));
        std::fs::write(&path, "# nothing\n").unwrap();
        assert_eq!(option(None, Some(&path)).text().unwrap(), None);
        for (bytes, why) in [
            (&b"port \xff"[..], "not text at byte offset 5"),
            (&vec![b' '; (64 << 10) + 1], "larger than 64 KiB"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let failure = option(None, Some(&path)).text().unwrap_err();
            assert_eq!(failure.exit, Exit::Filter);
            assert!(failure.error.to_string().contains(why), "{}", failure.error);
        }
        let missing = option(None, Some(&folder.path().join("none"))).text();
        assert!(missing.is_err());
    }
}
