//! Examples: a value that fits a schema.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::contract::name_of;

/// Examples of properties, by their names; where one name has several types, by `Schema.name`.
static NAMED: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("examples.json")).expect("a test reads it"));

/// Shows what each property of these schemas looks like, unless it says so itself.
pub fn show_in(schemas: &mut Map<String, Value>) {
    for (name, schema) in schemas {
        let parts = schema.get_mut("allOf").and_then(Value::as_array_mut);
        for part in parts.into_iter().flatten() {
            show_properties(name, part);
        }
        show_properties(name, schema);
    }
}

fn show_properties(of: &str, schema: &mut Value) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, property) in properties.into_iter().flatten() {
        if let Some(example) = of_property(of, name, property) {
            property["examples"] = json!([example]);
        }
    }
}

fn of_property(of: &str, name: &str, schema: &Value) -> Option<Value> {
    const SAYS_SO: [&str; 8] = [
        "$ref", "allOf", "anyOf", "oneOf", "const", "enum", "example", "examples",
    ];
    if SAYS_SO.iter().any(|word| schema.get(word).is_some()) {
        return None;
    }
    let by_form = |word: &str| {
        let is_text = kind_of(schema) == "string" && schema.get(word).is_some();
        is_text.then(|| json!(example_text(schema)))
    };
    let named = [NAMED.get(&format!("{of}.{name}")), NAMED.get(name)];
    let named = named
        .into_iter()
        .flatten()
        .find(|named| is_of(schema, named));
    by_form("format")
        .or_else(|| named.cloned())
        .or_else(|| by_form("pattern"))
}

/// The type of a schema; of what may be null, the other one.
fn kind_of(schema: &Value) -> &str {
    let kind = match &schema["type"] {
        Value::Array(kinds) => &kinds[0],
        kind => kind,
    };
    kind.as_str().unwrap_or_default()
}

fn is_of(schema: &Value, value: &Value) -> bool {
    match (kind_of(schema), value) {
        ("string", Value::String(_)) | ("number", Value::Number(_)) => true,
        ("integer", Value::Number(number)) => number.is_i64(),
        ("array", Value::Array(items)) => items.iter().all(|item| is_of(&schema["items"], item)),
        _ => false,
    }
}

/// A value that fits a schema, for readers.
pub fn of(schema: &Value, all: &Value, depth: usize) -> Value {
    let known = [
        schema.get("example"),
        schema.get("const"),
        schema["examples"].get(0),
    ];
    if let Some(example) = known.into_iter().flatten().next() {
        return example.clone();
    }
    if let Some(name) = name_of(schema) {
        return match all.get(name) {
            Some(schema) if depth < 16 => of(schema, all, depth + 1),
            _ => json!({}),
        };
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let parts = parts.iter().map(|part| of(part, all, depth + 1));
        let fields = parts.filter_map(|part| part.as_object().cloned()).flatten();
        return Value::Object(fields.collect());
    }
    for alternatives in ["anyOf", "oneOf"] {
        if let Some(first) = schema[alternatives].get(0) {
            return of(first, all, depth + 1);
        }
    }
    match kind_of(schema) {
        "object" => {
            // What must be there; of what may all be left out, the first.
            let required = schema["required"].as_array();
            let is_shown = |at: usize, name: &String| match required {
                Some(required) => required.iter().any(|each| *each == *name),
                None => at == 0,
            };
            let properties = schema["properties"].as_object().into_iter().flatten();
            let shown = properties
                .enumerate()
                .filter(|(at, (name, _))| is_shown(*at, name));
            let each = shown.map(|(_, (name, inner))| (name.clone(), of(inner, all, depth + 1)));
            Value::Object(each.collect())
        }
        "array" => json!([of(&schema["items"], all, depth + 1)]),
        "integer" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "number" => schema.get("minimum").cloned().unwrap_or(json!(0.05)),
        "boolean" => json!(true),
        "string" => json!(example_text(schema)),
        _ => Value::Null,
    }
}

fn example_text(schema: &Value) -> String {
    if let Some(pattern) = schema["pattern"].as_str() {
        let prefix = pattern
            .trim_start_matches('^')
            .split('[')
            .next()
            .unwrap_or_default();
        let count = pattern
            .rsplit_once('{')
            .and_then(|(_, rest)| rest.split('}').next()?.parse::<usize>().ok());
        let digits = "01935a7e4c1b7d209f3e6a5b8c2d4e08".repeat(4);
        return format!("{prefix}{}", &digits[..count.unwrap_or(32)]);
    }
    match schema["format"].as_str() {
        Some("date-time") => "2026-11-21T10:30:00Z".to_owned(),
        Some("date") => "2026-11-21".to_owned(),
        Some("uuid") => "01935a7e-4c1b-7d20-9f3e-6a5b8c2d4e08".to_owned(),
        Some("uri") => "https://agent.example/webhook".to_owned(),
        Some("email") => "agent@example.com".to_owned(),
        Some("byte") => "VGhlIGJ5dGVzIG9mIGEgZmlsZQ==".to_owned(),
        _ => "text".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::openapi::first;

    #[test]
    fn every_scalar_property_has_an_example_and_every_example_a_property() {
        let mut names = BTreeSet::new();
        let mut without = Vec::new();
        let schemas = first()["components"]["schemas"].as_object().unwrap();
        for (schema, content) in schemas {
            let parts = content["allOf"].as_array().into_iter().flatten();
            let properties = parts
                .chain([content])
                .filter_map(|part| part["properties"].as_object());
            for (name, property) in properties.flatten() {
                names.extend([name.clone(), format!("{schema}.{name}")]);
                let is_scalar = ["string", "integer", "number"].contains(&kind_of(property));
                let is_closed = property.get("enum").or(property.get("const")).is_some();
                let is_shown = property["examples"].get(0).or(property.get("example"));
                if is_scalar && !is_closed && is_shown.is_none() {
                    without.push(format!("{schema}.{name}"));
                }
            }
        }
        assert!(without.is_empty(), "without an example: {without:#?}");
        let unused: Vec<_> = NAMED.keys().filter(|name| !names.contains(*name)).collect();
        assert!(unused.is_empty(), "examples of no property: {unused:?}");
    }
}
