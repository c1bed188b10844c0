//! The named filters and the files of lists that the expressions of the fuzzer may refer to.

use sensor::filter::Library;

pub(super) struct Shelf;

const NAMED: [(&str, &str); 7] = [
    ("web", "port in {80, 443}"),
    ("office", "src net 10.0.0.0/8 and not @web"),
    ("big", "bytes > 10M"),
    ("again", "@again or tcp"),
    ("wrong", "tcp prot 80"),
    ("lines", "tcp # comment\nor udp"),
    ("empty", ""),
];

impl Library for Shelf {
    fn named(&self, name: &str) -> Option<&str> {
        let (_, text) = NAMED.iter().find(|(known, _)| *known == name)?;
        Some(text)
    }

    fn names(&self) -> Vec<&str> {
        NAMED.iter().map(|(name, _)| *name).collect()
    }

    fn list(&self, path: &str) -> Result<String, String> {
        Ok(match path {
            "ports.txt" => "22 # ssh\n80\nhttps\n8000-8100\n",
            "nets.txt" => "10.0.0.1/8\n192.168.0.0/16\n2001:db8::/32\n\n# none\n",
            "hosts.txt" => "10.0.0.1\r\n2001:db8::1\r\n",
            "empty.txt" => "# nothing\n",
            "wrong.txt" => "10.0.0.1\nten\n",
            "vlans.txt" => "10\n20-29\n",
            _ => return Err("there is no such file".to_owned()),
        }
        .to_owned())
    }
}
