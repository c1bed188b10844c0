use crate::filter::error::FilterError;
use crate::filter::library::Library;
use crate::filter::lower::lower;
use crate::filter::parser::parse;
use crate::filter::tree::{Prefix, Test, Tree};

struct Files(Vec<(&'static str, String)>);

impl Library for Files {
    fn named(&self, name: &str) -> Option<&str> {
        (name == "bad").then_some("tcp and port 65536")
    }

    fn names(&self) -> Vec<&str> {
        vec!["bad"]
    }

    fn list(&self, path: &str) -> Result<String, String> {
        let file = self.0.iter().find(|(name, _)| *name == path);
        file.map(|(_, text)| text.clone())
            .ok_or_else(|| "no such file".to_owned())
    }
}

fn with(files: &Files, text: &str) -> Result<Tree, FilterError> {
    lower(&parse(text, files)?, text, files)
}

#[test]
fn lists_come_from_files() {
    let files = Files(vec![
        ("block.txt", "10.0.0.0/8\nfe80::/10 # local\n".into()),
        ("my ports", "80\n443\n".into()),
        ("none", "# nobody\n".into()),
        ("bad", "10.0.0.0/8\nexample.org\n".into()),
    ]);
    for (typed, understood) in [
        ("src net in file block.txt", "src net in file block.txt"),
        ("ip host in file block.txt", "ip and net in file block.txt"),
        (
            "tcp port in file 'my ports'",
            "tcp and port in file \"my ports\"",
        ),
        ("net in file none", "len < 0"),
        ("not net in file none", "len >= 0"),
    ] {
        let tree = with(&files, typed).unwrap();
        assert_eq!(tree.to_string(), understood);
        assert_eq!(with(&files, understood), Ok(tree));
    }
    let error = with(&files, "tcp and net in file bad").unwrap_err();
    assert_eq!(error.origin.as_deref(), Some("bad, line 2"));
    assert_eq!(error.text, "example.org");
    let error = with(&files, "tcp and net in file nowhere").unwrap_err();
    assert_eq!(&error.text[error.span], "net in file nowhere");
    assert!(error.message.contains("no such file"));
    assert!(with(&files, "arp host in file block.txt").is_err());
    assert!(with(&files, "vlan in file block.txt").is_err());
    assert!(with(&files, "proto in file block.txt").is_err());
}

#[test]
fn mistakes_in_named_filters_are_shown_in_their_text() {
    let error = with(&Files(Vec::new()), "udp or @bad").unwrap_err();
    assert_eq!(error.origin.as_deref(), Some("@bad"));
    assert_eq!(&error.text[error.span], "65536");
}

#[test]
fn long_lists_stay_quick() {
    let line = |n: u32| {
        format!(
            "{}\n",
            std::net::Ipv4Addr::from(n.wrapping_mul(2_654_435_761))
        )
    };
    let text: String = (0..200_000).map(line).collect();
    let files = Files(vec![("long", text)]);
    let Ok(Tree::Test(Test::AddressIn(_, list))) = with(&files, "net in file long") else {
        panic!("no list");
    };
    assert!(list.prefixes.len() > 190_000);
    let sorted = |pair: &[Prefix]| pair[0] < pair[1];
    assert!(list.prefixes.windows(2).all(sorted));
    let files = Files(vec![("too", "10.0.0.1\n".repeat(1_000_001))]);
    assert!(with(&files, "net in file too").is_err());
}

#[test]
fn ports_of_a_file_are_merged_and_have_names() {
    let one = |text: &str, typed: &str| {
        with(&Files(vec![("p", text.into())]), typed).map(|tree| (tree.to_string(), tree))
    };
    let text = "80\n# web\n443\n8000-8010\n8005-8100\n81\n90-85\n";
    let (_, tree) = one(text, "port in file p").unwrap();
    let Tree::Test(Test::PortIn(_, list)) = tree else {
        panic!("{tree:?}")
    };
    let ends: Vec<_> = list.ranges.iter().map(|r| (r.first, r.last)).collect();
    assert_eq!(ends, [(80, 81), (85, 90), (443, 443), (8000, 8100)]);
    for (text, typed, braces) in [
        ("http\n", "port in file p", "port in {http}"),
        (
            "9000-9010\nHTTP # web\n22\n",
            "dst port in file p",
            "dst port in {9000-9010, http, 22}",
        ),
        ("https\n1\n", "tcp port in file p", "tcp port in {https, 1}"),
        (
            "domain-ssh",
            "tcp port in file p",
            "tcp portrange domain-ssh",
        ),
    ] {
        assert_eq!(
            one(text, typed).unwrap(),
            one("", braces).unwrap(),
            "{text}"
        );
    }
    for (text, said) in [
        ("65536", "not the number of a port"),
        ("-1", "not the number"),
        ("80,", "not the number"),
        ("1-2-3", "not the number"),
        ("1\nhtps", "did you mean 'https'?"),
    ] {
        let error = one(text, "port in file p").unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert!(
            error
                .origin
                .is_some_and(|origin| origin.starts_with("p, line "))
        );
    }
    assert!(one("https", "udp port in file p").is_err());
}
