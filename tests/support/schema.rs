//! JSON that we write against the schemas that we publish; stricter than these, as a field they don't name is a mistake.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

/// One line for each place where a report is not what its schema says.
pub(crate) fn problems(report: &Value) -> Vec<String> {
    static REPORT: LazyLock<Validator> =
        LazyLock::new(|| strict(sensor::report::json_schema().into()));
    broken(&REPORT, report)
}

/// The same of a line of buckets.
#[allow(dead_code, reason = "every integration crate uses a part of it only")]
pub(crate) fn problems_of_bucket(line: &Value) -> Vec<String> {
    static BUCKET: LazyLock<Validator> =
        LazyLock::new(|| strict(sensor::sink::jsonl::json_schema().into()));
    broken(&BUCKET, line)
}

/// The same of what doctor writes.
#[allow(dead_code, reason = "every integration crate uses a part of it only")]
pub(crate) fn problems_of_doctor(found: &Value) -> Vec<String> {
    static DOCTOR: LazyLock<Validator> =
        LazyLock::new(|| strict(sensor::doctor::json_schema().into()));
    broken(&DOCTOR, found)
}

/// The same of what changed between two reports.
#[allow(dead_code, reason = "every integration crate uses a part of it only")]
pub(crate) fn problems_of_diff(diff: &Value) -> Vec<String> {
    static DIFF: LazyLock<Validator> = LazyLock::new(|| strict(sensor::diff::json_schema().into()));
    broken(&DIFF, diff)
}

fn broken(schema: &Validator, value: &Value) -> Vec<String> {
    let said =
        |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
    schema.iter_errors(value).map(said).collect()
}

/// The published schema lets later versions add fields; this one has to know all of them.
fn strict(mut schema: Value) -> Validator {
    close(&mut schema);
    let options = jsonschema::options().should_validate_formats(true);
    options.build(&schema).unwrap()
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(close);
            if object.get("properties").is_some_and(Value::is_object) {
                object.insert("additionalProperties".to_owned(), false.into());
            }
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        _ => {}
    }
}
