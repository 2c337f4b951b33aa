//! The document of each version of the API: what [`crate::version`] does to an answer, done to its schema.

use common::ids::PurchaseId;
use schemars::{JsonSchema as _, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::version::ApiVersion;

/// Gives named schemas the shape of a version.
pub fn shape(version: ApiVersion, schemas: &mut Map<String, Value>) {
    for schema in schemas.values_mut() {
        shape_one(version, schema);
    }
}

fn shape_one(version: ApiVersion, schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(|item| shape_one(version, item)),
        Value::Object(fields) => {
            let names: Vec<String> = properties(fields)
                .map_or_else(Vec::new, |properties| properties.keys().cloned().collect());
            let has = |name: &str| names.iter().any(|each| each == name);
            if has("purchase") && has("purchaseId") {
                name_purchase(version, fields);
            }
            if version == ApiVersion::V3 && has("price") && has("priceMinor") {
                leave_out(fields, "price");
            }
            fields
                .values_mut()
                .for_each(|value| shape_one(version, value));
        }
        _ => {}
    }
}

/// A purchase is a number with its id beside it in the first version, and its id alone from the second on.
fn name_purchase(version: ApiVersion, fields: &mut Map<String, Value>) {
    let Some(properties) = properties(fields) else {
        return;
    };
    let is_nullable = properties["purchaseId"]["anyOf"]
        .as_array()
        .is_some_and(|each| each.contains(&json!({ "type": "null" })));
    let mut schema = match version {
        ApiVersion::V1 => json!({ "type": "integer", "format": "int64" }),
        _ => PurchaseId::json_schema(&mut SchemaGenerator::default()).to_value(),
    };
    schema["description"] = json!("The purchase.");
    if is_nullable {
        schema["type"] = json!([schema["type"], "null"]);
    }
    properties.insert("purchaseId".to_owned(), schema);
    if version != ApiVersion::V1 {
        leave_out(fields, "purchase");
    }
}

fn leave_out(fields: &mut Map<String, Value>, name: &str) {
    if let Some(properties) = properties(fields) {
        properties.shift_remove(name);
    }
    if let Some(required) = fields.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|each| *each != name);
    }
}

fn properties(fields: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    fields.get_mut("properties")?.as_object_mut()
}

/// Where an operation is found in that version: a client that is made from a document speaks its version
/// without a word.
pub fn path(version: ApiVersion, path: &str) -> String {
    let name = version.as_str();
    match (version, path.strip_prefix("/api/")) {
        (ApiVersion::V1, _) => path.to_owned(),
        (_, Some(rest)) => format!("/api/{name}/{rest}"),
        (_, None) if path.starts_with("/admin/") => format!("/{name}{path}"),
        (_, None) => path.to_owned(),
    }
}
