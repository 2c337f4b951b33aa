//! The document as OpenAPI 3.0.3: the same source without what 3.0 cannot say. What `webhooks` lists
//! is found there among the callbacks.

use serde_json::{Map, Value, json};

/// Fields that hold values, not schemas.
const VALUES: [&str; 3] = ["enum", "example", "value"];

/// The older view of a 3.1 document.
pub fn older(mut document: Value) -> Value {
    document["openapi"] = json!("3.0.3");
    if let Some(fields) = document.as_object_mut() {
        fields.shift_remove("webhooks");
        fields.shift_remove("jsonSchemaDialect");
    }
    rewrite(&mut document);
    document
}

fn rewrite(node: &mut Value) {
    match node {
        Value::Array(items) => items.iter_mut().for_each(rewrite),
        Value::Object(fields) => rewrite_object(fields),
        _ => {}
    }
}

fn rewrite_object(fields: &mut Map<String, Value>) {
    for (name, value) in fields.iter_mut() {
        if name == "properties" {
            // Names of properties are no keywords.
            let schemas = value.as_object_mut().into_iter().flatten();
            schemas.for_each(|(_, schema)| rewrite(schema));
        } else if !VALUES.contains(&name.as_str()) {
            rewrite(value);
        }
    }
    if let Some(constant) = fields.shift_remove("const") {
        fields.insert("enum".to_owned(), json!([constant]));
    }
    // An array is of a schema, which there has one example; a map is of a body, which has many.
    if let Some(Value::Array(_)) = fields.get("examples") {
        fields.shift_remove("examples");
    }
    let kind = fields.get("type").cloned();
    match kind {
        Some(Value::Array(kinds)) => {
            let plain = kinds.into_iter().find(|kind| kind != "null");
            fields.insert("type".to_owned(), plain.unwrap_or_default());
            fields.insert("nullable".to_owned(), json!(true));
        }
        Some(Value::String(kind)) if kind == "null" => {
            // 3.0 has no type of which null is the only value.
            fields.insert("type".to_owned(), json!("string"));
            fields.insert("nullable".to_owned(), json!(true));
            fields.insert("enum".to_owned(), json!([null]));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_the_newer_version_can_say_is_said_in_the_older_one() {
        let document = json!({
            "openapi": "3.1.1",
            "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
            "webhooks": {},
            "schema": {
                "type": "object",
                "properties": {
                    "type": { "const": "a.b" },
                    "example": { "type": ["integer", "null"] },
                    "code": { "type": "string", "examples": ["A", "B"] },
                    "nothing": { "type": "null", "description": "Not yet." },
                },
                "example": { "type": ["kept"], "const": 1 },
            },
        });
        assert_eq!(
            older(document),
            json!({
                "openapi": "3.0.3",
                "schema": {
                    "type": "object",
                    "properties": {
                        "type": { "enum": ["a.b"] },
                        "example": { "type": "integer", "nullable": true },
                        "code": { "type": "string" },
                        "nothing": { "type": "string", "description": "Not yet.", "nullable": true, "enum": [null] },
                    },
                    "example": { "type": ["kept"], "const": 1 },
                },
            })
        );
    }
}
