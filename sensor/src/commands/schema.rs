//! `sensor schema`: what JSON that we write keeps to, for those who check it or make types of it.

use crate::cli::{self, SchemaOf};
use crate::failure::{Exit, Failure};
use crate::{diff, doctor, report, sink};

pub fn run(args: &cli::Schema) -> Result<Exit, Failure> {
    let schema = match args.of {
        SchemaOf::Report => report::json_schema(),
        SchemaOf::Bucket => sink::jsonl::json_schema(),
        SchemaOf::Doctor => doctor::json_schema(),
        SchemaOf::Diff => diff::json_schema(),
    };
    sink::write_stdout(|to| {
        serde_json::to_writer_pretty(&mut *to, &schema)?;
        to.write_all(b"\n")
    })
    .map_err(|error| Failure::new(Exit::Output, error))?;
    Ok(Exit::Ok)
}
