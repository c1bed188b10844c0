//! Figures on their way to JSON: what was measured over and over, tables of that, and what is demanded of it.

use serde_json::{Value, json};

/// One thing, measured once in each round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(pub Vec<f64>);

impl Samples {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        match sorted.len() {
            0 => f64::NAN,
            odd if odd % 2 == 1 => sorted[odd / 2],
            even => f64::midpoint(sorted[even / 2 - 1], sorted[even / 2]),
        }
    }

    /// Round by round.
    pub(crate) fn with(&self, other: &Samples, combine: impl Fn(f64, f64) -> f64) -> Samples {
        let pairs = self.0.iter().zip(&other.0);
        Samples(pairs.map(|(a, b)| combine(*a, *b)).collect())
    }

    pub(crate) fn minus(&self, other: &Samples) -> Samples {
        self.with(other, |a, b| a - b)
    }

    pub(crate) fn over(&self, other: &Samples) -> Samples {
        self.with(other, |a, b| a / b)
    }

    pub(crate) fn scaled(&self, by: f64) -> Samples {
        Samples(self.0.iter().map(|value| value * by).collect())
    }

    /// `{median, min, max, n}`; null where nothing was measured.
    pub(crate) fn json(&self) -> Value {
        if self.0.is_empty() {
            return Value::Null;
        }
        let least = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        json!({"median": rounded(self.median()), "min": rounded(least), "max": rounded(most), "n": self.0.len()})
    }
}

/// Four significant digits and a bit: more than any of these figures has.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// One field of a table.
pub(crate) enum Cell {
    Text(String),
    Number(f64),
    Samples(Samples),
    Nothing,
}

impl Cell {
    fn json(&self) -> Value {
        match self {
            Cell::Text(text) => json!(text),
            Cell::Number(number) => json!(rounded(*number)),
            Cell::Samples(samples) => samples.json(),
            Cell::Nothing => Value::Null,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Cell::Number(number)
    }
}

impl From<Samples> for Cell {
    fn from(samples: Samples) -> Self {
        Cell::Samples(samples)
    }
}

pub(crate) struct Table {
    /// The document refers to it by this.
    pub id: &'static str,
    /// With the unit.
    pub title: String,
    pub columns: Vec<&'static str>,
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(crate) fn new(
        id: &'static str,
        title: impl Into<String>,
        columns: &[&'static str],
    ) -> Self {
        Table {
            id,
            title: title.into(),
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        assert_eq!(cells.len(), self.columns.len(), "{}", self.id);
        self.rows.push(cells);
    }

    fn json(&self) -> Value {
        let rows: Vec<Vec<Value>> = self
            .rows
            .iter()
            .map(|row| row.iter().map(Cell::json).collect())
            .collect();
        json!({"id": self.id, "title": self.title, "columns": self.columns, "rows": rows})
    }
}

/// What the figures are held against.
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// All that one part measured.
#[derive(Default)]
pub(crate) struct Part {
    pub tables: Vec<Table>,
    demands: Vec<Value>,
    missing: Vec<Value>,
}

impl Part {
    pub(crate) fn demand(&mut self, what: impl Into<String>, limit: Limit, value: f64) {
        let (word, bound, met) = match limit {
            Limit::AtMost(bound) => ("at most", bound, value <= bound),
            Limit::AtLeast(bound) => ("at least", bound, value >= bound),
        };
        let (what, value) = (what.into(), rounded(value));
        self.demands
            .push(json!({"what": what, "limit": word, "bound": bound, "value": value, "met": met}));
    }

    /// A peer that could not be measured.
    pub(crate) fn missing(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.missing
            .push(json!({"what": what.into(), "why": why.into()}));
    }

    pub(crate) fn json(&self) -> Value {
        let tables: Vec<Value> = self.tables.iter().map(Table::json).collect();
        json!({"tables": tables, "demands": self.demands, "missing": self.missing})
    }
}
