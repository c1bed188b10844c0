//! JSON Schema (draft 2020-12) made from the types, so that it can't say anything else than they do.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

use super::Report;

/// What every `sensor.report/1` keeps to. More fields may be added, so others than these are allowed.
pub fn json_schema() -> Schema {
    schema_of::<Report>()
}

/// Of what is written: a field that is always there is required, null or not.
pub fn schema_of<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<T>()
}
