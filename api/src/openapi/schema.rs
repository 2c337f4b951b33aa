//! JSON Schemas (2020-12), as short as they can be said.

use serde_json::{Map, Value, json};

/// Text.
pub fn text(about: &str) -> Value {
    json!({ "type": "string", "description": about })
}

/// One of a few words.
pub fn word(about: &str, words: &[&str]) -> Value {
    json!({ "type": "string", "description": about, "enum": words })
}

/// An identifier of 32 hexadecimal digits behind a prefix.
pub fn id(prefix: &str, about: &str) -> Value {
    json!({ "type": "string", "description": about, "pattern": format!("^{prefix}_[0-9a-f]{{32}}$") })
}

/// A moment, RFC 3339.
pub fn time(about: &str) -> Value {
    json!({ "type": "string", "description": about, "format": "date-time" })
}

/// An address.
pub fn url(about: &str) -> Value {
    json!({ "type": "string", "description": about, "format": "uri" })
}

/// A whole number.
pub fn integer(about: &str) -> Value {
    json!({ "type": "integer", "description": about })
}

/// A whole number between two bounds, both allowed.
pub fn range(about: &str, least: i64, most: i64) -> Value {
    json!({ "type": "integer", "description": about, "minimum": least, "maximum": most })
}

/// A number.
pub fn number(about: &str) -> Value {
    json!({ "type": "number", "description": about })
}

/// Yes or no.
pub fn flag(about: &str) -> Value {
    json!({ "type": "boolean", "description": about })
}

/// A list.
pub fn list(about: &str, items: &Value) -> Value {
    json!({ "type": "array", "description": about, "items": items })
}

/// The same, or null.
pub fn nullable(mut schema: Value) -> Value {
    let plain = schema["type"].take();
    schema["type"] = json!([plain, "null"]);
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.push(Value::Null);
    }
    schema
}

/// An object that has all of these.
pub fn whole(properties: Value) -> Value {
    let names: Vec<String> = properties
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    partial(&names, properties)
}

/// An object that has at least the required ones.
pub fn partial(required: &[&str], properties: Value) -> Value {
    let mut schema = Map::from_iter([("type".to_owned(), json!("object"))]);
    // OpenAPI 3.0 takes no empty list.
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema.insert("properties".to_owned(), properties);
    Value::Object(schema)
}

/// A schema of the document.
pub fn named(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// What every good answer is wrapped in.
pub fn success(data: &Value) -> Value {
    whole(json!({ "success": { "const": true }, "data": data }))
}

/// A page of a list.
pub fn page(name: &str, items: &Value) -> Value {
    whole(json!({
        name: list("Newest first.", items),
        "nextCursor": nullable(text("Goes into `cursor` for the page that follows; null on the last one.")),
    }))
}
