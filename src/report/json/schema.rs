//! JSON Schemas, from the very types that are printed.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};
use ssh_doctor_checks::facts::Check;

use super::{Report, SCHEMA_VERSION};

/// The JSON Schema (draft 2020-12) of one report; it ends with a line end.
///
/// Each key is required, since each is always printed; what may be null says so. A later version may add keys and checks, so keys
/// that are not listed are not forbidden, and the names of checks are a pattern.
#[must_use]
pub fn schema() -> String {
    let mut schema = schema_of::<Report<'static>>("report", SCHEMA_VERSION);
    open_check_names(&mut schema);
    schema_text(&schema)
}

/// The schema of what `ssh-doctor` prints under a name.
pub(crate) fn schema_of<T: JsonSchema>(name: &str, version: u32) -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("$id".to_owned(), format!("urn:ssh-doctor:{name}:{version}").into());
    schema.insert("title".to_owned(), format!("ssh-doctor {name}").into());
    schema
}

/// The schema as text, with a line end at its end.
pub(crate) fn schema_text(schema: &Schema) -> String {
    let mut text = serde_json::to_string_pretty(schema.as_value()).unwrap_or_default();
    text.push('\n');
    text
}

fn open_check_names(schema: &mut Schema) {
    let names = Check::ALL.map(Check::name);
    let open = json!({
        "description": "The name of a check.",
        "type": "string",
        "pattern": "^[a-z][a-z-]*$",
        "examples": names,
    });
    if let Some(check) = schema.get_mut("$defs").and_then(Value::as_object_mut).and_then(|defs| defs.get_mut("Check")) {
        *check = open;
    }
}
