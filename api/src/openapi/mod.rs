//! The API's own description, as OpenAPI 3.1 and, from the same source, as 3.0.3.
//!
//! `areas/` has one table of operations per area, `deliveries.rs` what receivers are sent. Tests hold
//! the documents to the official schemas, to the router, and to what is really answered and sent.

mod areas;
mod deliveries;
mod fields;
mod guide;
mod older;
mod operation;
mod parameters;
mod schema;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use schema::named;

pub use deliveries::Modes;
pub use operation::Operation;

use crate::contract::{self, Schemas};
use crate::error::{ApiError, Code};

static DOCUMENT: LazyLock<Value> = LazyLock::new(document);
/// The document in OpenAPI 3.1.
pub static DOCUMENT_3_1: LazyLock<String> = LazyLock::new(|| DOCUMENT.to_string());
/// The document in OpenAPI 3.0.3.
pub static DOCUMENT_3_0: LazyLock<String> =
    LazyLock::new(|| older::older(DOCUMENT.clone()).to_string());

fn document() -> Value {
    let mut derived = Schemas::new();
    let operations = operations(&mut derived);
    let components = components(derived);
    let schemas = components["schemas"].as_object().cloned();
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Awareness Market",
            "version": env!("CARGO_PKG_VERSION"),
            "description": guide::introduction(),
            "license": { "name": "Apache 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "apiKey": [] }, { "accessToken": [] }],
        "tags": guide::tags(),
        "paths": paths(operations, &schemas.unwrap_or_default()),
        "webhooks": deliveries::webhooks(),
        "components": components,
    })
}

/// All operations, those of the table last.
fn operations(derived: &mut Schemas) -> Vec<Operation> {
    let described = contract::OPERATIONS.iter();
    let described = described.map(|operation| operation.describe(derived));
    areas::operations().into_iter().chain(described).collect()
}

fn paths(operations: Vec<Operation>, schemas: &Map<String, Value>) -> Map<String, Value> {
    let mut paths = Map::new();
    for operation in operations {
        let (path, method) = (operation.path.to_string(), operation.method);
        let mut rendered = operation.render();
        show_examples(&mut rendered["requestBody"], schemas);
        for (_, answer) in rendered["responses"].as_object_mut().into_iter().flatten() {
            show_examples(answer, schemas);
        }
        if rendered["requestBody"].is_null() {
            rendered
                .as_object_mut()
                .map(|object| object.shift_remove("requestBody"));
        }
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        entry[method] = rendered;
    }
    paths
}

/// Shows what a JSON body looks like.
fn show_examples(body: &mut Value, schemas: &Map<String, Value>) {
    let media = body
        .get_mut("content")
        .and_then(|content| content.get_mut("application/json"));
    if let Some(media) = media.filter(|media| media.get("example").is_none()) {
        media["example"] = fields::example(&media["schema"], schemas, 0);
    }
}

/// The names that the query of an operation may have, by its route as the router writes it, and its method.
static QUERIES: LazyLock<HashMap<String, HashMap<String, Vec<String>>>> = LazyLock::new(|| {
    let mut queries: HashMap<String, HashMap<String, Vec<String>>> = HashMap::new();
    let paths = DOCUMENT["paths"].as_object().into_iter().flatten();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let parameters = parameters.filter_map(resolved);
            let names = parameters
                .filter(|parameter| parameter["in"] == "query")
                .filter_map(|parameter| parameter["name"].as_str().map(str::to_owned));
            let methods = queries.entry(operation::snake_case(path)).or_default();
            methods.insert(method.to_uppercase(), names.collect());
        }
    }
    queries
});

/// The names that the query of an operation may have.
pub fn query_names(method: &str, route: &str) -> &'static [String] {
    let found = QUERIES.get(route).and_then(|methods| methods.get(method));
    found.map_or(&[], Vec::as_slice)
}

/// A parameter, or that which it refers to.
fn resolved(value: &Value) -> Option<Value> {
    match value["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).cloned(),
        None => Some(value.clone()),
    }
}

/// What an operation takes, as one JSON Schema that stands by itself.
pub fn input_schema(method: &str, path: &str) -> Value {
    let operation = &DOCUMENT["paths"][path][&method.to_lowercase()];
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
            let target = reference.and_then(|it| DOCUMENT.pointer(it.trim_start_matches('#')));
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
fn schemas(derived: Schemas) -> [Map<String, Value>; 4] {
    [
        areas::schemas(),
        derived.named(),
        fault_schemas(),
        deliveries::schemas(),
    ]
}

fn components(derived: Schemas) -> Value {
    let schemas: Map<String, Value> = schemas(derived).into_iter().flatten().collect();
    let mut parameters = parameters::all();
    parameters.extend(deliveries::parameters());
    let mut responses = deliveries::responses();
    responses.extend(fault_responses());
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
fn fault_responses() -> Map<String, Value> {
    let mut responses = Map::new();
    // No operation is asked with a method that it does not have.
    let codes = Code::ALL.into_iter();
    for code in codes.filter(|code| *code != Code::MethodNotAllowed) {
        let name = format!("Fault{}", code.status().as_u16());
        let meaning = format!("`{}`: {}", code.as_str(), code.meaning());
        let entry = responses.entry(name).or_insert_with(|| {
            json!({
                "description": "",
                "content": {
                    "application/json": { "schema": named("Fault"), "examples": {} },
                    "application/problem+json": { "schema": named("Problem") },
                },
            })
        });
        let before = entry["description"].as_str().unwrap_or_default();
        let description = [before, &meaning].join("\n\n");
        entry["description"] = json!(description.trim());
        let error = ApiError::new(code, "What happened, for people.");
        let id = "req_5d41402abc4b2a76b9719d911017c592";
        let mut body = error.body(id, "https://awareness.market", false);
        body["metadata"]["timestamp"] = json!("2026-11-21T10:30:00.000Z");
        entry["content"]["application/json"]["examples"][code.as_str()] = json!({ "value": body });
    }
    responses
}

/// The schemas of what every bad answer is, in its two forms.
fn fault_schemas() -> Map<String, Value> {
    let codes = Code::ALL.map(Code::as_str);
    let mut schemas = fields::schemas(
        "DryRun
        dryRun?: flag True.
        wouldSucceed?: flag Whether it would have been done.
        valid?: flag Whether the package would be published.
        items?: [object] The verdict on each package of a batch.
        message?: text|null For people.

        Fault
        success: flag Always false.
        error: $Error What happened.
        metadata: $FaultMetadata When, and under which id.

        Error
        code: text For machines; codes are only ever added.
        message: text For people.
        details: object By the path of a field, if fields are at fault.
        retryable: flag Whether the same request may succeed later.
        docUrl: url A page about the code.
        retryAfter?: int Seconds after which it may be tried again.
        limit?: int The requests that the limit allows, with RATE_LIMIT_EXCEEDED.
        window?: text In which time, with RATE_LIMIT_EXCEEDED.

        FaultMetadata
        timestamp: time When.
        requestId: text To be named when asking for help.

        Problem
        type: url A page about the code.
        title: text The status in words.
        status: int The status.
        detail: text For people.
        code: text For machines.
        details: object By the path of a field, if fields are at fault.
        retryable: flag Whether the same request may succeed later.
        retryAfter?: int Seconds after which it may be tried again.
        limit?: int The requests that the limit allows.
        window?: text In which time.
        requestId: text To be named when asking for help.",
    );
    for name in ["Error", "Problem"] {
        schemas[name]["properties"]["code"]["examples"] = json!(codes);
    }
    schemas
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// All references of a document.
    fn references<'a>(node: &'a Value, found: &mut BTreeSet<&'a str>) {
        match node {
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|value| references(value, found));
            }
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_component_is_referred_to() {
        let document = document();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        for reference in &found {
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        let kinds = document["components"].as_object().unwrap().iter();
        for (kind, components) in kinds.filter(|(kind, _)| *kind != "securitySchemes") {
            for name in components.as_object().unwrap().keys() {
                let reference = format!("#/components/{kind}/{name}");
                assert!(
                    found.contains(reference.as_str()),
                    "{reference} is not used"
                );
            }
        }
    }

    #[test]
    fn the_document_and_the_table_of_operations_are_about_the_same() {
        let described: BTreeSet<(String, String)> = operations(&mut Schemas::new())
            .iter()
            .map(|it| (it.method.to_uppercase(), operation::snake_case(&it.path)))
            .collect();
        let entered: BTreeSet<(String, String)> = crate::access::OPERATIONS
            .iter()
            // A directory's address with and without its slash is one.
            .filter(|it| it.route == "/" || !it.route.ends_with('/'))
            .map(|it| (it.method.to_owned(), it.route.to_owned()))
            .collect();
        assert_eq!(described, entered);
    }

    #[test]
    fn no_two_schemas_have_one_name() {
        let mut derived = Schemas::new();
        operations(&mut derived);
        let mut names = BTreeSet::new();
        for (name, _) in schemas(derived).into_iter().flatten() {
            let is_numbered = name.ends_with(|last: char| last.is_ascii_digit());
            assert!(!is_numbered, "{name}: two types have one name");
            assert!(
                names.insert(name.clone()),
                "{name} is the name of two schemas"
            );
        }
    }

    #[test]
    fn operation_ids_and_places_are_taken_once() {
        let operations = operations(&mut Schemas::new());
        let count = operations.len();
        let places: BTreeSet<_> = operations
            .iter()
            .map(|it| (it.path.clone(), it.method))
            .collect();
        let rendered = operations.into_iter().map(operation::Operation::render);
        let ids: BTreeSet<String> = rendered.map(|it| it["operationId"].to_string()).collect();
        assert_eq!((places.len(), ids.len()), (count, count));
    }
}
