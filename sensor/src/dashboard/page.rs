//! The page put together: template, styles, scripts and data in one file, with a policy that lets nothing else run.

use std::io::{self, Write};

use sha2::{Digest, Sha256};

use super::data::Data;
use super::escape::base64;

const TEMPLATE: &str = include_str!("assets/page.html");
pub(super) const UPLOT: &str = include_str!("assets/vendor/uplot/uPlot.iife.min.js");
pub(super) const UPLOT_STYLE: &str = include_str!("assets/vendor/uplot/uPlot.min.css");
pub(super) const UPLOT_LICENSE: &str = include_str!("assets/vendor/uplot/LICENSE");

/// One scope for all of them, each before those that use it.
const SCRIPTS: [&str; 13] = [
    include_str!("assets/page-format.js"),
    include_str!("assets/page-dom.js"),
    include_str!("assets/page-theme.js"),
    include_str!("assets/page-source.js"),
    include_str!("assets/page-model.js"),
    include_str!("assets/page-span.js"),
    include_str!("assets/page-table.js"),
    include_str!("assets/page-lists.js"),
    include_str!("assets/page-series.js"),
    include_str!("assets/page-chart.js"),
    include_str!("assets/page-summary.js"),
    include_str!("assets/page-live.js"),
    include_str!("assets/page-main.js"),
];
const STYLES: [&str; 2] = [
    include_str!("assets/page.css"),
    include_str!("assets/page-parts.css"),
];

const DIFF_TEMPLATE: &str = include_str!("assets/diff.html");
/// Of the page of differences: it has the lists, and no charts.
const DIFF_SCRIPTS: [&str; 5] = [
    include_str!("assets/page-format.js"),
    include_str!("assets/page-dom.js"),
    include_str!("assets/page-theme.js"),
    include_str!("assets/page-table.js"),
    include_str!("assets/diff-main.js"),
];
const DIFF_STYLE: &str = include_str!("assets/diff.css");

/// The page that a server hands out, which gets its data from the same server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LivePage {
    pub html: String,
    /// For the header of the same name: a header holds even where somebody strips the page's own.
    pub content_security_policy: String,
}

/// `events`: path of the stream of server-sent events, each named `report` with a [`Data`] as JSON; the last one is `end`.
pub fn live_page(events: &str) -> LivePage {
    let parts = Parts::new(Feed::Live);
    let mut html = Vec::new();
    let url = serde_json::to_string(events).unwrap_or_default();
    let data = format!("{{\"events\":{}}}", super::escape::json_in_html(&url));
    // Writing to memory can't fail.
    let _ = parts.write(&data, &mut html);
    LivePage {
        html: String::from_utf8_lossy(&html).into_owned(),
        content_security_policy: parts.policy,
    }
}

pub(super) fn write(data: &Data, to: &mut dyn Write) -> io::Result<()> {
    Parts::new(Feed::Embedded).write(&data.to_json()?, to)
}

/// `json` must be safe within HTML.
pub(super) fn write_diff(json: &str, to: &mut dyn Write) -> io::Result<()> {
    Parts::of_diff().write(json, to)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Feed {
    Embedded,
    Live,
}

struct Parts {
    template: &'static str,
    style: String,
    script: String,
    policy: String,
}

impl Parts {
    fn new(feed: Feed) -> Self {
        let style = [UPLOT_STYLE, STYLES[0], STYLES[1]].join("\n");
        let script = in_one_scope(&SCRIPTS);
        let connect = match feed {
            Feed::Embedded => "",
            Feed::Live => "; connect-src 'self'",
        };
        let policy = format!(
            "default-src 'none'; script-src {} {}; style-src {}; base-uri 'none'; form-action 'none'{connect}",
            hash_source(UPLOT),
            hash_source(&script),
            hash_source(&style),
        );
        Parts {
            template: TEMPLATE,
            style,
            script,
            policy,
        }
    }

    fn of_diff() -> Self {
        let style = [STYLES[0], STYLES[1], DIFF_STYLE].join("\n");
        let script = in_one_scope(&DIFF_SCRIPTS);
        let policy = format!(
            "default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'",
            hash_source(&script),
            hash_source(&style),
        );
        Parts {
            template: DIFF_TEMPLATE,
            style,
            script,
            policy,
        }
    }

    /// Marker by marker from the front: what is put in is never looked through for markers.
    fn write(&self, data: &str, to: &mut dyn Write) -> io::Result<()> {
        let licence = UPLOT_LICENSE.trim();
        let parts = [
            ("{{policy}}", self.policy.as_str()),
            ("{{style}}", &self.style),
            ("{{data}}", data),
            ("{{licence}}", licence),
            ("{{uplot}}", UPLOT),
            ("{{script}}", &self.script),
        ];
        let mut rest = self.template;
        for (marker, text) in parts {
            let Some((before, after)) = rest.split_once(marker) else {
                continue;
            };
            to.write_all(before.as_bytes())?;
            to.write_all(text.as_bytes())?;
            rest = after;
        }
        to.write_all(rest.as_bytes())
    }
}

fn in_one_scope(scripts: &[&str]) -> String {
    format!("\"use strict\";(() => {{\n{}}})();\n", scripts.concat())
}

/// The browser hashes the text between the tags.
fn hash_source(text: &str) -> String {
    format!("'sha256-{}'", base64(&Sha256::digest(text.as_bytes())))
}
