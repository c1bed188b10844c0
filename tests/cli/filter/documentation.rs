//! The page on filters says nothing that is not so: every expression in it is tried.

use sensor::filter::{Filter, Library};

/// What the page refers to.
struct Page;

impl Library for Page {
    fn named(&self, name: &str) -> Option<&str> {
        (name == "web").then_some("port in {80, 443}")
    }

    fn names(&self) -> Vec<&str> {
        vec!["web"]
    }

    fn list(&self, path: &str) -> Result<String, String> {
        match path {
            "blocklist.txt" => Ok("10.0.0.0/8\n".to_owned()),
            "ports.txt" => Ok("80\n".to_owned()),
            other => Err(format!("no {other} on the page")),
        }
    }
}

#[test]
fn every_example_of_the_page_is_understood() {
    let page = include_str!("../../../docs/filter.md");
    let page = page.replace("\\|", "\u{1}"); // in a table's cell
    let examples: Vec<String> = section(&page, "## By example")
        .chain(section(&page, "## Beyond tcpdump"))
        .filter_map(|line| line.strip_prefix("| "))
        .filter_map(|row| row.split('|').next())
        .flat_map(quoted)
        .collect();
    assert!(examples.len() > 60, "{} examples", examples.len());
    for example in examples {
        let joins = ["and", "or", "not", "&&", "||", "!", "( )"];
        if joins.contains(&example.as_str()) {
            continue;
        }
        let filter = Filter::compile(&example, &Page);
        filter.unwrap_or_else(|error| panic!("docs/filter.md: {error}"));
    }
}

/// The lines of a section.
fn section<'a>(page: &'a str, title: &str) -> impl Iterator<Item = &'a str> {
    let at = page.find(title).unwrap_or_else(|| panic!("no {title}"));
    page[at..]
        .lines()
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
}

/// What stands in backquotes.
fn quoted(cell: &str) -> Vec<String> {
    let parts = cell.split('`').skip(1).step_by(2);
    parts.map(|part| part.replace('\u{1}', "|")).collect()
}
