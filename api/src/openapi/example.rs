//! Examples: a value that fits a schema.

use serde_json::{Value, json};

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
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next())
    {
        return match all.get(name) {
            Some(schema) if depth < 12 => of(schema, all, depth + 1),
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
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds[0].as_str().unwrap_or_default(),
        kind => kind.as_str().unwrap_or_default(),
    };
    match kind {
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
        Some("uuid") => "01935a7e-4c1b-7d20-9f3e-6a5b8c2d4e08".to_owned(),
        Some("uri") => "https://agent.example/webhook".to_owned(),
        Some("email") => "agent@example.com".to_owned(),
        Some("byte") => "VGhlIGJ5dGVzIG9mIGEgZmlsZQ==".to_owned(),
        _ => {
            let least = schema["minLength"].as_f64().unwrap_or_default() as usize;
            let text = "An example of this text".to_owned();
            match schema["maxLength"].as_f64() {
                Some(most) if (most as usize) < text.len() => "x".repeat(least.max(1)),
                _ => text,
            }
        }
    }
}
