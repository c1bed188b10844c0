//! What filters may refer to: the named ones of the configuration, and lists in files.

use std::collections::BTreeMap;

use super::surroundings::read_list;
use crate::filter::Library;

/// A list of a million IPv6 prefixes has 40 MB.
const LARGEST_LIST: u64 = 64 << 20;

/// The edge of the filter language.
#[derive(Clone, Debug, Default)]
pub struct Edge {
    filters: BTreeMap<String, String>,
}

impl Edge {
    pub fn new(filters: BTreeMap<String, String>) -> Self {
        Edge { filters }
    }

    /// Names and texts of the configuration's filters.
    pub fn filters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.filters
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

impl Library for Edge {
    fn named(&self, name: &str) -> Option<&str> {
        self.filters.get(name).map(String::as_str)
    }

    fn names(&self) -> Vec<&str> {
        self.filters.keys().map(String::as_str).collect()
    }

    /// Relative paths are relative to the current directory, as everywhere on the command line.
    fn list(&self, path: &str) -> Result<String, String> {
        read_list(path, LARGEST_LIST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_found_by_name() {
        let edge = Edge::new(BTreeMap::from([("web".into(), "port 80".into())]));
        assert_eq!(edge.named("web"), Some("port 80"));
        assert_eq!(edge.named("wep"), None);
        assert_eq!(edge.names(), ["web"]);
    }

    #[test]
    fn a_list_is_text_of_a_file_of_bearable_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        let path = path.to_str().unwrap();
        let edge = Edge::default();
        assert!(edge.list(path).unwrap_err().contains("No such file"));
        std::fs::write(path, "10.0.0.0/8\n").unwrap();
        assert_eq!(edge.list(path).as_deref(), Ok("10.0.0.0/8\n"));
        std::fs::write(path, b"10.\xff").unwrap();
        assert!(edge.list(path).unwrap_err().contains("offset 3"));
        assert!(
            read_list(path, 3).unwrap_err().contains("larger than"),
            "one byte over the limit"
        );
        let folder = folder.path().to_str().unwrap();
        assert!(edge.list(folder).unwrap_err().contains("directory"));
    }
}
