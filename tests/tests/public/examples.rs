//! The examples of the document: each fits its own schema, and each request is one that the API reads.

use chrono::{DateTime, TimeDelta, Utc};
use common::reqwest::Method;
use serde_json::{Map, Value, json};
use tests::World;
use tests::client::send;
use tests::world::Plan;

use super::parameters::{resolved, usual};

async fn document(world: &World) -> Value {
    world.document().await
}

/// Moves the times of an example that must lie in the past, or not too far in it.
pub fn an_hour_ago(example: &mut Value) {
    for name in ["since", "from", "to"] {
        let field = example.get_mut(name);
        let is_time = |value: &Value| {
            value
                .as_str()
                .is_some_and(|text| DateTime::parse_from_rfc3339(text).is_ok())
        };
        if let Some(time) = field.filter(|value| is_time(value)) {
            *time = json!(Utc::now() - TimeDelta::hours(1));
        }
    }
}

/// Every media type with a schema, with its place in the document.
fn media_types<'a>(
    node: &'a Value,
    place: &str,
    found: &mut Vec<(String, &'a Map<String, Value>)>,
) {
    let children: Vec<(String, &Value)> = match node {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| (at.to_string(), item))
            .collect(),
        Value::Object(fields) => {
            if let Some(Value::Object(content)) = fields.get("content") {
                for (name, media) in content {
                    found.push((format!("{place}/{name}"), media.as_object().unwrap()));
                }
            }
            fields
                .iter()
                .map(|(name, value)| (name.clone(), value))
                .collect()
        }
        _ => return,
    };
    for (name, child) in children {
        media_types(child, &format!("{place}/{name}"), found);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_example_fits_its_own_schema() {
    let world = World::only_api().await;
    let document = document(&world).await;
    let mut found = Vec::new();
    media_types(&document, "", &mut found);
    let mut examples: Vec<(String, &Value, &Value)> = Vec::new();
    for (place, media) in found {
        let many = media.get("examples").and_then(Value::as_object);
        let many = many.into_iter().flatten();
        let many = many.map(|(_, example)| &example["value"]);
        let all = media.get("example").into_iter().chain(many);
        examples.extend(all.map(|example| (place.clone(), &media["schema"], example)));
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for (property, schema) in schema["properties"].as_object().into_iter().flatten() {
            let all = schema["examples"].as_array().into_iter().flatten();
            examples.extend(all.map(|example| (format!("{name}.{property}"), schema, example)));
        }
    }
    let mut faults = Vec::new();
    for (place, schema, example) in &examples {
        let schema = json!({ "allOf": [schema], "components": document["components"] });
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .unwrap();
        let errors = validator.iter_errors(example);
        faults.extend(errors.map(|fault| format!("{place}: {fault}")));
    }
    let checked = examples.len();
    assert!(checked > 1_000, "{checked} examples");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Beside the examples, what linters of OpenAPI warn of.
#[tokio::test(flavor = "multi_thread")]
async fn each_operation_has_a_good_answer_and_what_is_required_is_described() {
    let world = World::only_api().await;
    let document = document(&world).await;
    assert!(document["info"]["license"]["url"].is_string());
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let mut statuses = operation["responses"].as_object().unwrap().keys();
            assert!(
                statuses.any(|status| status.starts_with('2')),
                "{method} {path}"
            );
        }
    }
    let mut found = Vec::new();
    media_types(&document, "", &mut found);
    for (place, media) in found {
        let required = media["schema"]["required"].as_array().into_iter().flatten();
        for name in required {
            let described = media["schema"]["properties"].get(name.as_str().unwrap());
            assert!(described.is_some(), "{place}: {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_example_of_a_request_is_read() {
    let world = World::planned(Plan {
        worker: false,
        scheduler: false,
        cards: true,
        ..Plan::default()
    })
    .await;
    let document = document(&world).await;
    let (mut posted, mut refused) = (0, Vec::new());
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let media = &operation["requestBody"]["content"]["application/json"];
            // What the card provider signs nobody else can send.
            let example = media
                .get("example")
                .filter(|_| path != "/api/webhooks/stripe");
            let Some(example) = example else { continue };
            let mut example = example.clone();
            an_hour_ago(&mut example);
            let mut address = path.clone();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let parameter = resolved(&document, parameter);
                let name = format!("{{{}}}", parameter["name"].as_str().unwrap());
                address = address.replace(&name, &usual(parameter));
            }
            let client = match path.contains("/admin/") {
                true => &world.operator,
                false => &world.seller,
            };
            let method: Method = method.to_uppercase().parse().unwrap();
            let mut request = client.request(method, &address).header("if-match", "*");
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let mut parameters = parameters.map(|it| resolved(&document, it));
            let token = |it: &&Value| it["name"] == "Lease-Token" && it["required"] == true;
            if let Some(token) = parameters.find(token) {
                request = request.header("lease-token", usual(token));
            }
            let answer = send(request.header("prefer", "wait=0").json(&example)).await;
            if matches!(answer.status, 400 | 415 | 422 | 500..) {
                refused.push(format!(
                    "{path}: {example}: {} {}",
                    answer.status, answer.text
                ));
            }
            posted += 1;
        }
    }
    assert!(posted > 30, "{posted} requests");
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}
