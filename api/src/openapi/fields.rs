//! Objects of the document, one line a field: `name: kind What it is.`
//!
//! A `?` behind the name says that it may be missing, a `|null` behind the kind that it may be null.
//! Kinds are `text`, `int`, `num`, `flag`, `time`, `date`, `url`, `uuid`, `object`, `any`, `id(pkg)`,
//! `digits(64)`, `word(a,b)`, `size(3,100)` for text of that length, `range(1,5)` for whole numbers,
//! `$Name` for a schema of the document and `[kind]` for a list. Tests read every line.

use common::catalog::CATEGORIES;
use serde_json::{Map, Value, json};

use super::schema::{id, named};

/// The object that these lines describe.
pub fn object(lines: &str) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, rest) = line.split_once(": ").expect("a line has a name");
        let (kind, about) = rest.split_once(' ').expect("a line says what it is");
        let name = match name.strip_suffix('?') {
            Some(name) => name,
            None => {
                required.push(name);
                name
            }
        };
        properties.insert(name.to_owned(), field(kind, about));
    }
    let mut schema = json!({ "type": "object" });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema["properties"] = Value::Object(properties);
    schema
}

/// The same, which takes nothing else.
pub fn closed(lines: &str) -> Value {
    let mut schema = object(lines);
    schema["additionalProperties"] = json!(false);
    schema
}

/// Named schemas, each a title line without indent and then its fields.
pub fn schemas(text: &str) -> Map<String, Value> {
    let mut schemas = Map::new();
    for block in text
        .split("\n\n")
        .map(str::trim)
        .filter(|block| !block.is_empty())
    {
        let (title, lines) = block.split_once('\n').expect("a schema has fields");
        schemas.insert(title.trim().to_owned(), object(lines));
    }
    schemas
}

/// A value of a kind.
pub fn field(kind: &str, about: &str) -> Value {
    let (kind, is_nullable) = match kind.strip_suffix("|null") {
        Some(kind) => (kind, true),
        None => (kind, false),
    };
    let mut schema = plain(kind);
    if is_nullable {
        schema = nullable(schema);
    }
    if schema.get("$ref").is_none() {
        schema["description"] = json!(about);
    }
    schema
}

fn plain(kind: &str) -> Value {
    if let Some(inner) = kind.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        return json!({ "type": "array", "items": plain(inner) });
    }
    if let Some(name) = kind.strip_prefix('$') {
        return named(name);
    }
    let (head, arguments) = match kind.split_once('(') {
        Some((head, rest)) => (head, rest.trim_end_matches(')')),
        None => (kind, ""),
    };
    let numbers: Vec<f64> = arguments
        .split(',')
        .filter_map(|text| text.parse().ok())
        .collect();
    let wholes: Vec<i64> = arguments
        .split(',')
        .filter_map(|text| text.parse().ok())
        .collect();
    let words: Vec<&str> = arguments.split(',').collect();
    match head {
        "text" => json!({ "type": "string" }),
        "int" => json!({ "type": "integer" }),
        "num" => json!({ "type": "number" }),
        "flag" => json!({ "type": "boolean" }),
        "time" => json!({ "type": "string", "format": "date-time" }),
        "url" => json!({ "type": "string", "format": "uri" }),
        "uuid" => json!({ "type": "string", "format": "uuid" }),
        "object" => json!({ "type": "object" }),
        "any" => json!({}),
        "id" => {
            let mut schema = id(arguments, "");
            schema
                .as_object_mut()
                .map(|schema| schema.shift_remove("description"));
            schema
        }
        "digits" => json!({ "type": "string", "pattern": format!("^[0-9a-f]{{{arguments}}}$") }),
        "word" => json!({ "type": "string", "enum": words }),
        "size" => json!({ "type": "string", "minLength": wholes[0], "maxLength": wholes[1] }),
        "range" => json!({ "type": "integer", "minimum": wholes[0], "maximum": wholes[1] }),
        "between" => json!({ "type": "number", "minimum": numbers[0], "maximum": numbers[1] }),
        "category" => json!({ "type": "string", "enum": CATEGORIES.map(|(name, _)| name) }),
        "currency" => json!({ "type": "string", "pattern": "^[A-Z]{3}$", "example": "USD" }),
        "email" => json!({ "type": "string", "format": "email", "minLength": 3, "maxLength": 254 }),
        "username" => {
            json!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{2,38}$", "example": "grace.hopper" })
        }
        "signed" => {
            json!({ "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]{1,2})?$", "example": "12.50" })
        }
        "refresh" => json!({ "type": "string", "pattern": "^rt_[0-9a-f]{64}$" }),
        "tag" => json!({ "type": "string", "pattern": "^[a-z0-9-]{1,30}$", "example": "images" }),
        // The first version calls a purchase by number.
        "purchase" => {
            json!({ "anyOf": [{ "type": "integer" }, id("pur", "From the second version on.")] })
        }
        other => unreachable!("no kind is called {other}"),
    }
}

fn nullable(schema: Value) -> Value {
    match schema.get("type") {
        Some(Value::String(kind)) => {
            let mut schema = schema.clone();
            schema["type"] = json!([kind, "null"]);
            if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
                words.push(Value::Null);
            }
            schema
        }
        _ => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

/// A value that fits a schema, for readers.
pub fn example(schema: &Value, all: &Map<String, Value>, depth: usize) -> Value {
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
            Some(schema) if depth < 12 => example(schema, all, depth + 1),
            _ => json!({}),
        };
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let parts = parts.iter().map(|part| example(part, all, depth + 1));
        let fields = parts.filter_map(|part| part.as_object().cloned()).flatten();
        return Value::Object(fields.collect());
    }
    for alternatives in ["anyOf", "oneOf"] {
        if let Some(first) = schema[alternatives].get(0) {
            return example(first, all, depth + 1);
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
            let each =
                shown.map(|(_, (name, inner))| (name.clone(), example(inner, all, depth + 1)));
            Value::Object(each.collect())
        }
        "array" => json!([example(&schema["items"], all, depth + 1)]),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_an_object() {
        let schema = closed("name: size(3,100) Its name.\n  of?: [id(pkg)]|null Whose.");
        assert_eq!(schema["required"], json!(["name"]));
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["properties"]["name"]["minLength"], 3);
        assert_eq!(schema["properties"]["of"]["type"], json!(["array", "null"]));
        assert_eq!(
            schema["properties"]["of"]["items"]["pattern"],
            "^pkg_[0-9a-f]{32}$"
        );
    }
}
