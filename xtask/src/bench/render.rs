//! Figures as tables, for the screen and for the document.

use serde_json::Value;

/// Everything, aligned for a terminal.
pub(crate) fn screen(run: &Value) -> String {
    let mut text = machine(run);
    for table in tables(run) {
        text += &format!("\n{}\n", words(&table["title"]));
        text += &aligned(&grid(table));
    }
    text += "\nwhat is demanded\n";
    text += &aligned(&demands(run));
    for lost in missing(run) {
        text += &format!("missing: {lost}\n");
    }
    text
}

/// One table in Markdown, with its title as a caption; `None` where there is no such table.
pub(crate) fn table(run: &Value, id: &str) -> Option<String> {
    let table = tables(run).into_iter().find(|table| table["id"] == id)?;
    let caption = words(&table["title"]);
    Some(format!("*{caption}*\n\n{}", markdown(&grid(table))))
}

pub(crate) fn demands_table(run: &Value) -> String {
    markdown(&demands(run))
}

/// On which machine, in a sentence.
pub(crate) fn machine(run: &Value) -> String {
    let machine = &run["machine"];
    let part = |name: &str| words(&machine[name]);
    let kind = if machine["virtual"] == true {
        "virtual, "
    } else {
        ""
    };
    format!(
        "{}, {kind}{} CPUs, L2 {}, L3 {}, memory {}; Linux {}; {}; commit {}; {}; load average before {}, after {}\n",
        part("cpu"),
        machine["cores"],
        part("l2"),
        part("l3"),
        part("memory"),
        part("kernel"),
        part("rustc"),
        part("commit"),
        part("date"),
        part("load"),
        words(&run["load_after"]),
    )
}

/// What could not be measured, and why.
pub(crate) fn missing(run: &Value) -> Vec<String> {
    let of_parts = parts(run).flat_map(|part| list(&part["missing"]));
    let all = list(&run["missing"]).iter().chain(of_parts);
    let mut lines: Vec<String> = all
        .map(|lost| format!("{}: {}", words(&lost["what"]), words(&lost["why"])))
        .collect();
    lines.sort();
    lines.dedup();
    lines
}

fn parts(run: &Value) -> impl Iterator<Item = &Value> {
    let names = ["kernel", "poll", "system", "tap", "files", "memory"];
    names
        .into_iter()
        .map(|name| &run["parts"][name])
        .filter(|part| part.is_object())
}

fn tables(run: &Value) -> Vec<&Value> {
    parts(run).flat_map(|part| list(&part["tables"])).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn words(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Titles first.
fn grid(table: &Value) -> Vec<Vec<String>> {
    let titles = list(&table["columns"]).iter().map(words).collect();
    let rows = list(&table["rows"])
        .iter()
        .map(|row| list(row).iter().map(cell).collect());
    std::iter::once(titles).chain(rows).collect()
}

fn demands(run: &Value) -> Vec<Vec<String>> {
    let titles = ["what", "demanded", "measured", "met"].map(str::to_owned);
    let mut rows = vec![titles.to_vec()];
    for demand in parts(run).flat_map(|part| list(&part["demands"])) {
        let met = if demand["met"] == true { "yes" } else { "NO" };
        rows.push(vec![
            words(&demand["what"]),
            format!("{} {}", words(&demand["limit"]), cell(&demand["bound"])),
            cell(&demand["value"]),
            met.to_owned(),
        ]);
    }
    rows
}

/// The median, with the least and the greatest behind it.
fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(_) => number(value),
        Value::Object(figure) => format!(
            "{} ({}–{})",
            number(&figure["median"]),
            number(&figure["min"]),
            number(&figure["max"])
        ),
        _ => "-".to_owned(),
    }
}

/// Three significant digits.
fn number(value: &Value) -> String {
    let Some(value) = value.as_f64() else {
        return "-".to_owned();
    };
    match value.abs() {
        0.0 => "0".to_owned(),
        ..1.0 => format!("{value:.2}"),
        ..10.0 if value.fract() == 0.0 => format!("{value:.0}"),
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let gap = " ".repeat(width - cell.chars().count());
            line += &match column {
                0 => format!("  {cell}{gap}"),
                _ => format!("  {gap}{cell}"),
            };
        }
        text += line.trim_end();
        text += "\n";
    }
    text
}

fn markdown(rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        text += &format!("| {} |\n", row.join(" | "));
        if number == 0 {
            text += &format!("|{}\n", "---|".repeat(row.len()));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run() -> Value {
        json!({"parts": {"poll": {
            "tables": [{"id": "t", "title": "a table", "columns": ["who", "ns"], "rows": [
                ["we", {"median": 1.234, "min": 1.0, "max": 20.04, "n": 3}], ["they", null], ["it", 4321.0],
            ]}],
            "demands": [{"what": "x", "limit": "at most", "bound": 0.5, "value": 0.25, "met": true}],
            "missing": [{"what": "p", "why": "gone"}],
        }}})
    }

    #[test]
    fn a_table_in_markdown_has_medians_and_their_spread() {
        assert_eq!(
            table(&run(), "t").unwrap(),
            "*a table*\n\n| who | ns |\n|---|---|\n| we | 1.23 (1–20.0) |\n| they | - |\n| it | 4321 |\n"
        );
        assert_eq!(table(&run(), "u"), None);
    }

    #[test]
    fn the_screen_shows_tables_demands_and_what_is_missing() {
        let text = screen(&run());
        assert!(text.contains("  we    1.23 (1–20.0)\n"), "{text}");
        assert!(
            text.contains("  x     at most 0.50      0.25  yes\n"),
            "{text}"
        );
        assert!(text.ends_with("missing: p: gone\n"), "{text}");
    }
}
