//! The API's own description, as OpenAPI 3.1 and, from the same source, as 3.0.3.
//!
//! Operations are those of the table, schemas those of the types that they take and give; `deliveries.rs` has
//! what receivers are sent. Tests hold the documents to the official schemas, and to what is really answered
//! and sent.

mod deliveries;
mod example;
mod guide;
mod older;
mod operation;
mod parameters;
mod version;

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::http::Method;
use serde_json::{Map, Value, json};

pub use deliveries::Modes;

use crate::contract::{OPERATIONS, Operation, Schemas, WireType, reference_to, shown};
use crate::error::{ApiError, Code, Fault, Problem};
use crate::version::ApiVersion;

/// The document of one version of the API.
#[derive(Debug)]
struct Document {
    value: Value,
    in_3_1: String,
    in_3_0: String,
}

static DOCUMENTS: [LazyLock<Document>; 3] = [
    LazyLock::new(|| Document::of(ApiVersion::V1)),
    LazyLock::new(|| Document::of(ApiVersion::V2)),
    LazyLock::new(|| Document::of(ApiVersion::V3)),
];

impl Document {
    fn of(version: ApiVersion) -> Self {
        let value = document(version);
        Self {
            in_3_1: value.to_string(),
            in_3_0: older::older(value.clone()).to_string(),
            value,
        }
    }
}

/// The document in OpenAPI 3.1.
pub fn in_3_1(version: ApiVersion) -> &'static str {
    &DOCUMENTS[version as usize].in_3_1
}

/// The document in OpenAPI 3.0.3.
pub fn in_3_0(version: ApiVersion) -> &'static str {
    &DOCUMENTS[version as usize].in_3_0
}

fn document(version: ApiVersion) -> Value {
    let mut schemas = Schemas::new(version);
    let operations: Vec<(&Operation, Value)> = shown()
        .map(|row| (row, operation::operation(row, &mut schemas)))
        .collect();
    let components = components(version, schemas);
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Awareness Market",
            "version": format!("{} ({})", env!("CARGO_PKG_VERSION"), version.as_str()),
            "description": guide::introduction(version),
            "contact": { "name": "The operators of this marketplace" },
            "license": { "name": "Apache 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "apiKey": [] }, { "accessToken": [] }],
        "tags": guide::tags(),
        "paths": paths(version, operations, &components["schemas"]),
        "webhooks": deliveries::webhooks(),
        "components": components,
    })
}

fn paths(
    version: ApiVersion,
    operations: Vec<(&Operation, Value)>,
    schemas: &Value,
) -> Map<String, Value> {
    let mut paths = Map::new();
    for (row, mut operation) in operations {
        if let Some(body) = operation.get_mut("requestBody") {
            show_example(body, schemas);
        }
        for (_, answer) in operation["responses"].as_object_mut().into_iter().flatten() {
            show_example(answer, schemas);
        }
        let path = version::path(version, &path_of(row));
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        entry[row.method.as_str().to_ascii_lowercase()] = operation;
    }
    paths
}

/// Shows what a JSON body looks like.
fn show_example(body: &mut Value, schemas: &Value) {
    let media = body.pointer_mut("/content/application~1json");
    if let Some(media) = media.filter(|media| media.get("example").is_none()) {
        media["example"] = example::of(&media["schema"], schemas, 0);
    }
}

/// The document of the first version. What a request may say is the same in all of them.
fn first() -> &'static Value {
    &DOCUMENTS[0].value
}

/// The names that the query of each operation may have.
static QUERIES: LazyLock<HashMap<(Method, &str), Vec<String>>> = LazyLock::new(|| {
    let names = |row: &'static Operation| {
        let path = path_of(row);
        let method = row.method.as_str().to_ascii_lowercase();
        let parameters = first()["paths"][path][method]["parameters"].as_array();
        let parameters = parameters.into_iter().flatten().filter_map(resolved);
        let names = parameters
            .filter(|parameter| parameter["in"] == "query")
            .filter_map(|parameter| parameter["name"].as_str().map(str::to_owned));
        ((row.method.clone(), row.route), names.collect())
    };
    OPERATIONS.iter().map(names).collect()
});

/// The names that the query of an operation may have.
pub fn query_names(row: &Operation) -> &'static [String] {
    let found = QUERIES.get(&(row.method.clone(), row.route));
    found.map_or(&[], Vec::as_slice)
}

/// A parameter, or that which it refers to.
fn resolved(value: &Value) -> Option<Value> {
    match value["$ref"].as_str() {
        Some(reference) => first().pointer(reference.trim_start_matches('#')).cloned(),
        None => Some(value.clone()),
    }
}

/// The path of an operation, as clients read it.
pub fn path_of(row: &Operation) -> String {
    operation::camel_case(row.route)
}

/// What an operation takes, as one JSON Schema that stands by itself.
pub fn input_schema(row: &Operation) -> Value {
    let method = row.method.as_str().to_ascii_lowercase();
    let operation = &first()["paths"][path_of(row)][method];
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let parameters: Vec<Value> = parameters.filter_map(resolved).collect();
    let body = operation["requestBody"]["content"]["application/json"].get("schema");
    let body = body.cloned().map(inlined);
    let parameters: Vec<Value> = parameters.into_iter().map(inlined).collect();
    crate::routes::system::tools::merged(&parameters, body.as_ref())
}

/// The same, with the schemas themselves where they are referred to.
fn inlined(node: Value) -> Value {
    match node {
        Value::Array(items) => items.into_iter().map(inlined).collect(),
        Value::Object(mut fields) => {
            let reference = fields.shift_remove("$ref");
            let reference = reference.as_ref().and_then(Value::as_str);
            let target = reference.and_then(|it| first().pointer(it.trim_start_matches('#')));
            let mut whole = target
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default();
            // What is said at the place itself is about the place.
            whole.extend(fields);
            Value::Object(
                whole
                    .into_iter()
                    .map(|(name, value)| (name, inlined(value)))
                    .collect(),
            )
        }
        other => other,
    }
}

/// The named schemas, by where they come from.
fn schemas(version: ApiVersion, mut derived: Schemas) -> [Map<String, Value>; 2] {
    derived.of_answer(WireType::of::<Problem>());
    if version < ApiVersion::V3 {
        derived.of_answer(WireType::of::<Fault>());
    }
    let mut named = derived.named();
    version::shape(version, &mut named);
    [named, deliveries::schemas()]
}

fn components(version: ApiVersion, derived: Schemas) -> Value {
    let mut schemas: Map<String, Value> = schemas(version, derived).into_iter().flatten().collect();
    example::show_in(&mut schemas);
    let mut parameters = parameters::all(version);
    parameters.extend(deliveries::parameters());
    let mut responses = deliveries::responses();
    responses.extend(fault_responses(version));
    let key = json!({ "type": "http", "scheme": "bearer", "description": "An API key, `ak_ai_` and 32 hexadecimal digits." });
    let token = json!({
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "An access token of a session, from /api/auth/login.",
    });
    let operator = json!({
        "type": "http", "scheme": "bearer",
        "description": "The operators' token, or an access token of a user of role admin.",
    });
    json!({
        "securitySchemes": { "apiKey": key, "accessToken": token, "operatorToken": operator },
        "parameters": parameters,
        "requestBodies": deliveries::request_bodies(),
        "responses": responses,
        "schemas": schemas,
    })
}

/// What bad answers are, by status: the codes that have it, and an example.
fn fault_responses(version: ApiVersion) -> Map<String, Value> {
    let mut responses = Map::new();
    // No operation is asked with a method that it does not have.
    let codes = Code::ALL.into_iter();
    for code in codes.filter(|code| *code != Code::MethodNotAllowed) {
        let name = format!("Fault{}", code.status().as_u16());
        let meaning = format!("`{}`: {}", code.as_str(), code.meaning());
        let (media_type, schema) = match version {
            ApiVersion::V3 => ("application/problem+json", "Problem"),
            _ => ("application/json", "Fault"),
        };
        let entry = responses.entry(name).or_insert_with(|| {
            let mut content =
                json!({ media_type: { "schema": reference_to(schema), "examples": {} } });
            if version < ApiVersion::V3 {
                content["application/problem+json"] = json!({ "schema": reference_to("Problem") });
            }
            json!({ "description": "", "content": content })
        });
        let before = entry["description"].as_str().unwrap_or_default();
        let description = [before, &meaning].join("\n\n");
        entry["description"] = json!(description.trim());
        let error = ApiError::new(code, "What happened, for people.");
        let id = "req_5d41402abc4b2a76b9719d911017c592";
        let as_problem = version == ApiVersion::V3;
        let mut body = error.body(id, "https://awareness.market", as_problem);
        if !as_problem {
            body["metadata"]["timestamp"] = json!("2026-11-21T10:30:00.000Z");
        }
        entry["content"][media_type]["examples"][code.as_str()] = json!({ "value": body });
    }
    responses
}

#[cfg(test)]
mod tests;
