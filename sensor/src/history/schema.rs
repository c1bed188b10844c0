//! The columns of each table: what a set's files have, and what docs/fields.md says.

use std::sync::Arc;

use parquet::schema::parser::parse_message_type;
use parquet::schema::types::Type;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Nanoseconds since the epoch, UTC.
    Time,
    Int64,
    Int32,
    /// 0 to 65,535.
    Port,
    Text,
    Bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// May be null.
    pub(super) optional: bool,
}

const fn required(name: &'static str, shape: Shape) -> Column {
    Column {
        name,
        shape,
        optional: false,
    }
}

const fn optional(name: &'static str, shape: Shape) -> Column {
    Column {
        name,
        shape,
        optional: true,
    }
}

/// One row for each flow and stretch, sorted by the flow, then by time.
pub(super) const FLOWS: &[Column] = &[
    optional("start", Shape::Time),
    required("length_ns", Shape::Int64),
    required("slot", Shape::Int32),
    optional("interface", Shape::Text),
    required("direction", Shape::Text),
    required("network", Shape::Text),
    required("network_number", Shape::Int32),
    optional("src_addr", Shape::Text),
    optional("dst_addr", Shape::Text),
    optional("src_port", Shape::Port),
    optional("dst_port", Shape::Port),
    required("transport", Shape::Text),
    required("transport_number", Shape::Int32),
    optional("application", Shape::Text),
    optional("classified_by", Shape::Text),
    required("settled", Shape::Bool),
    optional("name", Shape::Text),
    optional("name_source", Shape::Text),
    optional("details", Shape::Text),
    required("packets", Shape::Int64),
    required("bytes", Shape::Int64),
    optional("first", Shape::Time),
    optional("last", Shape::Time),
    required("tcp_flags", Shape::Int32),
];

/// One row for each bucket and class of packets, sorted by time.
pub(super) const BUCKETS: &[Column] = &[
    required("start", Shape::Time),
    required("length_ns", Shape::Int64),
    required("stretch", Shape::Time),
    required("direction", Shape::Text),
    required("kind", Shape::Text),
    required("network", Shape::Text),
    required("transport", Shape::Text),
    optional("application", Shape::Text),
    required("number", Shape::Int32),
    required("packets", Shape::Int64),
    required("bytes", Shape::Int64),
];

/// The terms of the accounting identity, by interface and direction, and what stands beside them.
pub(super) const ACCOUNTING: &[Column] = &[
    optional("start", Shape::Time),
    required("length_ns", Shape::Int64),
    optional("slot", Shape::Int32),
    optional("interface", Shape::Text),
    optional("direction", Shape::Text),
    required("term", Shape::Text),
    optional("what", Shape::Text),
    optional("number", Shape::Int32),
    required("packets", Shape::Int64),
    required("bytes", Shape::Int64),
    optional("first", Shape::Time),
    optional("last", Shape::Time),
];

/// Names of the addresses that the set's flows are between.
pub(super) const NAMES: &[Column] = &[
    required("addr", Shape::Text),
    required("rank", Shape::Int32),
    required("name", Shape::Text),
    required("source", Shape::Text),
];

pub(super) fn of(table: &str) -> &'static [Column] {
    match table {
        "flows" => FLOWS,
        "buckets" => BUCKETS,
        "accounting" => ACCOUNTING,
        _ => NAMES,
    }
}

impl Shape {
    /// As Parquet's message types have it.
    fn declared(self, name: &str) -> String {
        match self {
            Shape::Time => format!("int64 {name} (timestamp(nanos,true))"),
            Shape::Int64 => format!("int64 {name}"),
            Shape::Int32 => format!("int32 {name}"),
            Shape::Port => format!("int32 {name} (integer(16,false))"),
            Shape::Text => format!("binary {name} (string)"),
            Shape::Bool => format!("boolean {name}"),
        }
    }
}

/// The schema of a table's files.
pub(super) fn schema(columns: &[Column]) -> parquet::errors::Result<Arc<Type>> {
    let mut text = "message sensor_history {".to_owned();
    for column in columns {
        let repetition = if column.optional {
            "optional"
        } else {
            "required"
        };
        let declared = column.shape.declared(column.name);
        text.push_str(&format!(" {repetition} {declared};"));
    }
    text.push_str(" }");
    parse_message_type(&text).map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::super::name::TABLES;
    use super::*;

    const FIELDS: &str = include_str!("../../../docs/fields.md");

    #[test]
    fn the_fields_page_has_these_columns_and_no_others() {
        for table in TABLES {
            let head = format!("### History: {table}\n");
            let (_, section) = FIELDS.split_once(&head).unwrap();
            let section = section.split("\n#").next().unwrap();
            let told: Vec<(&str, &str)> = section
                .lines()
                .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
                .map(|(name, rest)| (name, rest.split(' ').next().unwrap()))
                .collect();
            let words: Vec<String> = of(table).iter().map(word).collect();
            let have: Vec<(&str, &str)> = of(table)
                .iter()
                .zip(&words)
                .map(|(column, word)| (column.name, word.as_str()))
                .collect();
            assert_eq!(told, have, "{table}");
        }
    }

    fn word(column: &Column) -> String {
        let word = match column.shape {
            Shape::Time => "time",
            Shape::Int64 => "int64",
            Shape::Int32 => "int32",
            Shape::Port => "port",
            Shape::Text => "text",
            Shape::Bool => "bool",
        };
        let null = if column.optional { "?" } else { "" };
        format!("{word}{null}")
    }

    #[test]
    fn the_schema_is_one_that_parquet_takes() {
        for table in TABLES {
            let schema = schema(of(table)).unwrap();
            assert_eq!(schema.get_fields().len(), of(table).len());
        }
    }
}
