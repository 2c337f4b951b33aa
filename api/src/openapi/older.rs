//! The document as OpenAPI 3.0.3: the same source without what 3.0 cannot say. What `webhooks` lists
//! is found there among the callbacks.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::contract::name_of;

/// Fields that hold values, not schemas.
const VALUES: [&str; 3] = ["enum", "example", "value"];

/// The older view of a 3.1 document.
pub fn older(mut document: Value) -> Value {
    document["openapi"] = json!("3.0.3");
    if let Some(fields) = document.as_object_mut() {
        fields.shift_remove("webhooks");
    }
    let named = document["components"]["schemas"].clone();
    rewrite(&mut document, &named);
    let mut referred = HashSet::new();
    references(&document, &mut referred);
    if let Some(schemas) = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    {
        schemas.retain(|name, _| referred.contains(name));
    }
    document
}

fn references(node: &Value, found: &mut HashSet<String>) {
    match node {
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(fields) => {
            found.extend(name_of(node).map(str::to_owned));
            fields.values().for_each(|value| references(value, found));
        }
        _ => {}
    }
}

fn rewrite(node: &mut Value, named: &Value) {
    match node {
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, named)),
        Value::Object(fields) => rewrite_object(fields, named),
        _ => {}
    }
}

fn rewrite_object(fields: &mut Map<String, Value>, named: &Value) {
    for (name, value) in fields.iter_mut() {
        if name == "properties" {
            // Names of properties are no keywords.
            let schemas = value.as_object_mut().into_iter().flatten();
            schemas.for_each(|(_, schema)| rewrite(schema, named));
        } else if !VALUES.contains(&name.as_str()) {
            rewrite(value, named);
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
    // Beside a reference nothing else is read.
    if (fields.len() > 1 || is_nullable)
        && let Some(reference) = fields.shift_remove("$ref")
    {
        let whole = json!({ "$ref": reference });
        let referred = &named[name_of(&whole).unwrap_or_default()];
        match (is_nullable, referred["enum"].as_array()) {
            (true, Some(words)) => write_out(fields, words),
            (true, None) => {
                // Of which type null is matters to linters alone; with this one all generators compile.
                let nothing = json!({ "type": "boolean", "nullable": true, "enum": [null] });
                fields.insert("anyOf".to_owned(), json!([whole, nothing]));
            }
            (false, _) => {
                fields.insert("allOf".to_owned(), json!([whole]));
            }
        }
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

/// A closed list that may be null: no form that keeps its name is read by all generators.
fn write_out(fields: &mut Map<String, Value>, words: &[Value]) {
    let words: Vec<Value> = words.iter().cloned().chain([Value::Null]).collect();
    fields.insert("type".to_owned(), json!("string"));
    fields.insert("nullable".to_owned(), json!(true));
    fields.insert("enum".to_owned(), json!(words));
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
            "components": { "schemas": { "A": { "type": "object" }, "B": { "type": "string", "enum": ["b"] } } },
            "schema": {
                "type": "object",
                "properties": {
                    "type": { "const": "a.b" },
                    "example": { "type": ["integer", "null"] },
                    "code": { "type": "string", "examples": ["A", "B"] },
                    "nothing": { "type": "null", "description": "Not yet." },
                    "named": { "$ref": "#/a", "description": "Here." },
                    "maybe": { "anyOf": [{ "$ref": "#/components/schemas/A" }, { "type": "null" }] },
                    "word": { "anyOf": [{ "$ref": "#/components/schemas/B" }, { "type": "null" }] },
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
                                { "type": "boolean", "nullable": true, "enum": [null] },
                            ],
                        },
                        "word": { "type": "string", "nullable": true, "enum": ["b", null] },
                        "size": { "type": "integer", "example": 7 },
                    },
                    "example": { "type": ["kept"], "const": 1 },
                },
            })
        );
    }
}
