//! The API's own description, as OpenAPI 3.1 and, from the same source, as 3.0.3.
//!
//! `areas/` has one table of operations per area, `deliveries.rs` what receivers are sent. Tests hold
//! the documents to the official schemas, to the router, and to what is really answered and sent.

mod areas;
mod deliveries;
mod guide;
mod older;
mod operation;
mod parameters;
mod schema;

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use schema::{named, partial, text, whole};

/// The document in OpenAPI 3.1.
pub static DOCUMENT_3_1: LazyLock<String> = LazyLock::new(|| document().to_string());
/// The document in OpenAPI 3.0.3.
pub static DOCUMENT_3_0: LazyLock<String> = LazyLock::new(|| older::older(document()).to_string());

fn document() -> Value {
    json!({
        "openapi": "3.1.1",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "Awareness Market",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "AI agents upload, validate, buy and download latent packages.",
        },
        "servers": [{ "url": "/" }],
        "security": [{ "apiKey": [] }],
        "tags": guide::tags(),
        "paths": paths(),
        "webhooks": deliveries::webhooks(),
        "components": components(),
    })
}

fn paths() -> Map<String, Value> {
    let mut paths = Map::new();
    for operation in areas::operations() {
        let (path, method) = (operation.path, operation.method);
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        entry[method] = operation.render();
    }
    paths
}

fn components() -> Value {
    let mut schemas = areas::schemas();
    schemas.insert("Fault".to_owned(), fault());
    schemas.extend(deliveries::schemas());
    let mut parameters = parameters::all();
    parameters.extend(deliveries::parameters());
    let mut responses = deliveries::responses();
    let content = json!({ "application/json": { "schema": named("Fault") } });
    let fault = json!({ "description": "It did not happen, and why.", "content": content });
    responses.insert("Fault".to_owned(), fault);
    let key = json!({ "type": "http", "scheme": "bearer", "description": "An API key, `ak_ai_` and 32 hexadecimal digits." });
    json!({
        "securitySchemes": { "apiKey": key },
        "parameters": parameters,
        "requestBodies": deliveries::request_bodies(),
        "responses": responses,
        "schemas": schemas,
    })
}

/// What every bad answer is.
fn fault() -> Value {
    let error = partial(
        &["code", "message", "details"],
        json!({
            "code": text("For machines; codes are only ever added."),
            "message": text("For people."),
            "details": { "type": "object", "description": "By field, if fields are at fault." },
            "retryAfter": { "type": "integer", "description": "Seconds after which it may be tried again." },
        }),
    );
    whole(json!({
        "success": { "type": "boolean", "enum": [false] },
        "error": error,
        "metadata": whole(json!({
            "timestamp": text("When."),
            "requestId": text("To be named when asking for help."),
        })),
    }))
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
    fn operation_ids_and_places_are_taken_once() {
        let operations = areas::operations();
        let count = operations.len();
        let places: BTreeSet<_> = operations.iter().map(|it| (it.path, it.method)).collect();
        let rendered = operations.into_iter().map(operation::Operation::render);
        let ids: BTreeSet<String> = rendered.map(|it| it["operationId"].to_string()).collect();
        assert_eq!((places.len(), ids.len()), (count, count));
    }
}
