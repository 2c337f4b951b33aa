//! The schemas of a document, derived from the types of requests and answers.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::version::ApiVersion;

/// A type of a request or an answer, whose schema is made when a document is.
#[derive(Clone, Copy)]
pub struct WireType(fn(&mut SchemaGenerator) -> Schema);

impl WireType {
    pub const fn of<T: JsonSchema>() -> Self {
        Self(|generator| generator.subschema_for::<T>())
    }
}

impl std::fmt::Debug for WireType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WireType")
    }
}

/// Where the named schemas of a document are.
const DEFINITIONS: &str = "#/components/schemas/";

/// Collects the named schemas of one document.
#[derive(Debug)]
pub struct Schemas {
    requests: SchemaGenerator,
    answers: SchemaGenerator,
    /// Those that are made of other named ones.
    composed: Map<String, Value>,
    version: ApiVersion,
}

impl Schemas {
    pub fn new(version: ApiVersion) -> Self {
        let settings = || {
            SchemaSettings::draft2020_12()
                .with(|settings| settings.definitions_path = "/components/schemas".into())
        };
        Self {
            requests: settings().for_deserialize().into_generator(),
            answers: settings().for_serialize().into_generator(),
            composed: Map::new(),
            version,
        }
    }

    /// The schema of what a client sends.
    pub fn of_request(&mut self, wire: WireType) -> Value {
        tidied(wire.0(&mut self.requests).to_value())
    }

    /// The schema of what a client reads, without an envelope.
    pub fn of_answer(&mut self, wire: WireType) -> Value {
        tidied(wire.0(&mut self.answers).to_value())
    }

    /// The schema of what a client reads, in the envelope of a good answer: `PayoutAnswer` around a `Payout`.
    /// From the third version on there is none.
    pub fn of_envelope(&mut self, wire: WireType) -> Value {
        let data = self.of_answer(wire);
        self.enveloped(data)
    }

    /// The same of what is answered with and without a dry run. Generators take the type that a call returns from
    /// its first good status, so this one has both.
    pub fn of_either(&mut self, done: WireType, dry_run: WireType) -> Value {
        let (done, dry_run) = (self.of_answer(done), self.of_answer(dry_run));
        let name = format!("{}OrDryRun", name_of_type(&done));
        let about = "What was done, or what a dry run found.";
        let either = json!({ "description": about, "oneOf": [done, dry_run] });
        let either = self.compose(name, either);
        self.enveloped(either)
    }

    fn enveloped(&mut self, data: Value) -> Value {
        if self.version >= ApiVersion::V3 {
            return data;
        }
        let name = format!("{}Answer", name_of_type(&data));
        let envelope = json!({
            "type": "object",
            "required": ["success", "data"],
            "properties": {
                "success": { "type": "boolean", "description": "Always true.", "examples": [true] },
                "data": data,
            },
        });
        self.compose(name, envelope)
    }

    fn compose(&mut self, name: String, schema: Value) -> Value {
        let reference = reference_to(&name);
        self.composed.insert(name, schema);
        reference
    }

    /// The parameters of a query: name, whether it is required, schema. What may be left out is never null.
    pub fn of_query(&mut self, wire: WireType) -> Vec<(String, bool, Value)> {
        // A query has no name in the document: only its parameters have.
        let mut own = self.requests.settings().clone().into_generator();
        let reference = wire.0(&mut own).to_value();
        let mut definitions = own.take_definitions(false);
        let query = name_of(&reference)
            .and_then(|name| definitions.remove(name))
            .unwrap_or(reference);
        let required = query["required"].as_array().cloned().unwrap_or_default();
        let properties = query["properties"].as_object().cloned().unwrap_or_default();
        // Types that the parameters name join the document.
        self.requests.definitions_mut().extend(definitions);
        let parameter = |(name, schema): (String, Value)| {
            let is_required = required.iter().any(|each| *each == name);
            (name, is_required, never_null(tidied(schema)))
        };
        properties.into_iter().map(parameter).collect()
    }

    /// All named schemas. A type that is both sent and read has one schema.
    pub fn named(mut self) -> Map<String, Value> {
        let mut named = self.requests.take_definitions(false);
        for (name, schema) in self.answers.take_definitions(false) {
            if let Some(sent) = named.get(&name) {
                assert_eq!(
                    *sent, schema,
                    "{name} is sent in one form and read in another"
                );
            }
            named.insert(name, schema);
        }
        named.extend(self.composed);
        named
            .into_iter()
            .map(|(name, schema)| (name, tidied(schema)))
            .collect()
    }
}

/// A reference to a named schema.
pub fn reference_to(name: &str) -> Value {
    json!({ "$ref": format!("{DEFINITIONS}{name}") })
}

/// The name of the schema that a reference refers to.
pub fn name_of(reference: &Value) -> Option<&str> {
    reference["$ref"].as_str()?.strip_prefix(DEFINITIONS)
}

fn name_of_type(reference: &Value) -> &str {
    name_of(reference).expect("an answer is a named type")
}

/// A schema in the words that the tools of OpenAPI know.
fn tidied(mut schema: Value) -> Value {
    tidy(&mut schema);
    schema
}

fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(fields) => {
            fields.shift_remove("$schema");
            // What is absent by default says no more than that it may be absent; an object has no default
            // that generators know.
            if fields
                .get("default")
                .is_some_and(|default| default.is_null() || default.is_object())
            {
                fields.shift_remove("default");
            }
            fold_variants(fields);
            // Of the types of an untagged enum a value is one: generators read it as the first that it fits.
            let is_named = |schema: &Value| schema.get("$ref").is_some();
            let alternatives = fields.get("anyOf").and_then(Value::as_array);
            if alternatives.is_some_and(|each| each.iter().all(is_named))
                && let Some(alternatives) = fields.shift_remove("anyOf")
            {
                fields.insert("oneOf".to_owned(), alternatives);
            }
            // Formats of Rust's own that OpenAPI does not have; the bounds say the same.
            if fields.get("format").is_some_and(|format| {
                matches!(
                    format.as_str(),
                    Some("uint8" | "uint16" | "uint32" | "uint64" | "uint")
                )
            }) {
                fields.insert("format".to_owned(), json!("int64"));
            }
            fields.values_mut().for_each(tidy);
        }
        _ => {}
    }
}

/// Makes of alternatives that are one word each a list of words, whose meanings go into the description.
fn fold_variants(fields: &mut Map<String, Value>) {
    let Some(variants) = fields.get("oneOf").and_then(Value::as_array) else {
        return;
    };
    let (mut words, mut meanings) = (Vec::new(), Vec::new());
    for variant in variants {
        let listed = variant["enum"].as_array().cloned();
        match (variant.get("const"), listed) {
            (Some(word), _) => {
                let meaning = variant["description"].as_str().unwrap_or_default();
                let text = word.as_str().unwrap_or_default();
                meanings.push(format!("- `{text}`: {}", meaning.replace('\n', " ")));
                words.push(word.clone());
            }
            (None, Some(listed)) => words.extend(listed),
            (None, None) => return,
        }
    }
    let about = fields.get("description").and_then(Value::as_str);
    let about = about.unwrap_or_default().to_owned();
    let description = [about, meanings.join("\n")].join("\n\n");
    fields.shift_remove("oneOf");
    fields.insert("description".to_owned(), json!(description.trim()));
    fields.insert("type".to_owned(), json!("string"));
    fields.insert("enum".to_owned(), json!(words));
}

fn never_null(mut schema: Value) -> Value {
    if let Some(kinds) = schema["type"].as_array() {
        let kind = kinds.iter().find(|kind| **kind != "null").cloned();
        schema["type"] = kind.unwrap_or_default();
    }
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.retain(|word| !word.is_null());
    }
    if let Some(first) = schema["anyOf"].get(0).cloned() {
        let about = schema.get("description").cloned();
        schema = first;
        if let Some(about) = about {
            schema["description"] = about;
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    /// A state.
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum State {
        /// It waits.
        Open,
        Closed,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Asked {
        /// In this state.
        state: Option<State>,
        limit: Option<u32>,
        name: String,
    }

    #[test]
    fn words_keep_their_meanings() {
        let mut schemas = Schemas::new(ApiVersion::V1);
        let reference = schemas.of_answer(WireType::of::<State>());
        assert_eq!(reference, json!({ "$ref": "#/components/schemas/State" }));
        let state = schemas.named().remove("State").unwrap();
        assert_eq!(state["type"], "string");
        let mut words: Vec<&str> = state["enum"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        words.sort_unstable();
        assert_eq!(words, ["closed", "open"]);
        assert_eq!(state["description"], "A state.\n\n- `open`: It waits.");
    }

    #[test]
    fn a_query_is_its_parameters_none_of_which_is_null() {
        let mut schemas = Schemas::new(ApiVersion::V1);
        let parameters = schemas.of_query(WireType::of::<Asked>());
        let names: Vec<(&str, bool)> = parameters
            .iter()
            .map(|(name, is_required, _)| (name.as_str(), *is_required))
            .collect();
        assert_eq!(names, [("state", false), ("limit", false), ("name", true)]);
        assert_eq!(
            parameters[0].2,
            json!({ "$ref": "#/components/schemas/State", "description": "In this state." })
        );
        assert_eq!(
            parameters[1].2,
            json!({ "type": "integer", "format": "int64", "minimum": 0 })
        );
        assert_eq!(schemas.named().keys().collect::<Vec<_>>(), ["State"]);
    }
}
