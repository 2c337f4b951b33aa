//! The document as OpenAPI 3.0.3: the same source without what 3.0 cannot say. What `webhooks` lists
//! is found there among the callbacks.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

/// Fields that hold values, not schemas.
const VALUES: [&str; 3] = ["enum", "example", "value"];

/// The older view of a 3.1 document.
pub fn older(mut document: Value) -> Value {
    document["openapi"] = json!("3.0.3");
    if let Some(fields) = document.as_object_mut() {
        fields.shift_remove("webhooks");
    }
    let kinds = kinds(&document);
    rewrite(&mut document, &kinds);
    document
}

/// The types of the named schemas, by what refers to them.
fn kinds(document: &Value) -> Kinds {
    let schemas = document["components"]["schemas"].as_object();
    let kind = |(name, schema): (&String, &Value)| {
        let kind = schema["type"].as_str()?;
        Some((format!("#/components/schemas/{name}"), kind.to_owned()))
    };
    schemas.into_iter().flatten().filter_map(kind).collect()
}

type Kinds = HashMap<String, String>;

fn rewrite(node: &mut Value, kinds: &Kinds) {
    match node {
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, kinds)),
        Value::Object(fields) => rewrite_object(fields, kinds),
        _ => {}
    }
}

fn rewrite_object(fields: &mut Map<String, Value>, kinds: &Kinds) {
    for (name, value) in fields.iter_mut() {
        if name == "properties" {
            // Names of properties are no keywords.
            let schemas = value.as_object_mut().into_iter().flatten();
            schemas.for_each(|(_, schema)| rewrite(schema, kinds));
        } else if !VALUES.contains(&name.as_str()) {
            rewrite(value, kinds);
        }
    }
    if let Some(constant) = fields.shift_remove("const") {
        fields.insert("enum".to_owned(), json!([constant]));
    }
    // An array is of a schema, which there has one example; a map is of a body, which has many.
    if let Some(Value::Array(examples)) = fields.get("examples") {
        let first = examples.first().cloned();
        let is_list = examples.len() > 1;
        fields.shift_remove("examples");
        if let Some(first) = first.filter(|_| !is_list) {
            fields.insert("example".to_owned(), first);
        }
    }
    let is_nullable = drop_null(fields);
    // Beside a reference nothing else is read, and null goes with a type alone: that of what is referred to.
    if (fields.len() > 1 || is_nullable)
        && let Some(reference) = fields.shift_remove("$ref")
    {
        let kind = reference
            .as_str()
            .and_then(|reference| kinds.get(reference));
        let nothing = json!({ "type": kind, "nullable": true, "enum": [null] });
        let whole = json!({ "$ref": reference });
        match is_nullable {
            true => fields.insert("anyOf".to_owned(), json!([whole, nothing])),
            false => fields.insert("allOf".to_owned(), json!([whole])),
        };
    } else if is_nullable {
        fields.insert("nullable".to_owned(), json!(true));
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

/// Takes null away from the alternatives; of one that is left, it makes the schema itself.
fn drop_null(fields: &mut Map<String, Value>) -> bool {
    let is_null = |schema: &Value| schema["type"] == "null" || schema["enum"] == json!([null]);
    let Some(alternatives) = fields.get_mut("anyOf").and_then(Value::as_array_mut) else {
        return false;
    };
    let count = alternatives.len();
    alternatives.retain(|schema| !is_null(schema));
    if alternatives.len() == count {
        return false;
    }
    if let [only] = alternatives.as_mut_slice() {
        let only = only.take();
        fields.shift_remove("anyOf");
        for (name, value) in only.as_object().cloned().into_iter().flatten() {
            fields.entry(name).or_insert(value);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_the_newer_version_can_say_is_said_in_the_older_one() {
        let document = json!({
            "openapi": "3.1.1",
            "webhooks": {},
            "components": { "schemas": { "A": { "type": "object" } } },
            "schema": {
                "type": "object",
                "properties": {
                    "type": { "const": "a.b" },
                    "example": { "type": ["integer", "null"] },
                    "code": { "type": "string", "examples": ["A", "B"] },
                    "nothing": { "type": "null", "description": "Not yet." },
                    "named": { "$ref": "#/a", "description": "Here." },
                    "maybe": { "anyOf": [{ "$ref": "#/components/schemas/A" }, { "type": "null" }] },
                    "size": { "type": "integer", "examples": [7] },
                },
                "example": { "type": ["kept"], "const": 1 },
            },
        });
        assert_eq!(
            older(document),
            json!({
                "openapi": "3.0.3",
                "components": { "schemas": { "A": { "type": "object" } } },
                "schema": {
                    "type": "object",
                    "properties": {
                        "type": { "enum": ["a.b"] },
                        "example": { "type": "integer", "nullable": true },
                        "code": { "type": "string" },
                        "nothing": { "type": "string", "description": "Not yet.", "nullable": true, "enum": [null] },
                        "named": { "description": "Here.", "allOf": [{ "$ref": "#/a" }] },
                        "maybe": {
                            "anyOf": [
                                { "$ref": "#/components/schemas/A" },
                                { "type": "object", "nullable": true, "enum": [null] },
                            ],
                        },
                        "size": { "type": "integer", "example": 7 },
                    },
                    "example": { "type": ["kept"], "const": 1 },
                },
            })
        );
    }
}
