//! Hostile values for each parameter of each operation, on both locales: none is a fault of ours.

use common::reqwest::Method;
use futures::StreamExt as _;
use serde_json::{Value, json};
use tests::World;
use tests::client::send;
use tests::servers::Locale;
use tests::world::Plan;

/// Requests under way at once.
const AT_ONCE: usize = 16;

/// As they stand in an address.
fn hostile() -> Vec<String> {
    let plain = [
        "%00",
        "a%00b",
        "%FF%FE",
        "%E2%80%AE",
        "%C2%B2",
        "%E2%91%A0",
        "%C2%BD",
        "%F0%9F%9A%80",
        "%ED%A0%80",
        "-1",
        "0",
        "1.5",
        "1e400",
        "NaN",
        "true",
        "null",
        "[]",
        "%7B%7D",
        "%27%20or%201=1--",
        "..",
        "%2E%2E%2F",
        "*",
        "%25",
        "-5000-01-01T00:00:00Z",
        "%2B275000-01-01T00:00:00Z",
        "9999-12-31T23:59:60Z",
        "1e9-01-01",
        "99999999999999999999",
        "170141183460469231731687303715884105728",
    ];
    let long = [
        "a".repeat(10_000),
        "9".repeat(10_000),
        "%D0%96".repeat(3_000),
    ];
    plain.map(str::to_owned).into_iter().chain(long).collect()
}

pub fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

/// What a parameter is when another one is tried.
pub fn usual(parameter: &Value) -> String {
    let schema = &parameter["schema"];
    let schema = schema["anyOf"].get(1).unwrap_or(schema);
    let example = [
        &parameter["example"],
        &schema["example"],
        &schema["default"],
        &schema["enum"][0],
    ];
    let example = example.into_iter().find(|example| !example.is_null());
    let prefix = schema["pattern"]
        .as_str()
        .and_then(|pattern| pattern.strip_prefix('^')?.split_once("_["));
    match example {
        None if prefix.is_some() => format!("{}_{}", prefix.unwrap().0, "0".repeat(32)),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "00000000-0000-0000-0000-000000000000".to_owned(),
    }
}

/// Each operation once for each of its parameters and hostile values: method, address, name.
fn requests(document: &Value) -> Vec<(Method, String, String)> {
    let hostile = hostile();
    let mut requests = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            // Streams do not end by themselves.
            if operation["responses"]["200"]["content"]["text/event-stream"].is_object() {
                continue;
            }
            let Ok(method) = method.to_uppercase().parse::<Method>() else {
                continue;
            };
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let parameters: Vec<&Value> = parameters.map(|it| resolved(document, it)).collect();
            let places =
                |place: &'static str| parameters.iter().filter(move |it| it["in"] == place);
            for tried in places("path").chain(places("query")) {
                let name = tried["name"].as_str().unwrap();
                for value in &hostile {
                    let mut address = path.clone();
                    for other in places("path") {
                        let other_name = other["name"].as_str().unwrap();
                        let filled = if other_name == name {
                            value.clone()
                        } else {
                            usual(other)
                        };
                        address = address.replace(&format!("{{{other_name}}}"), &filled);
                    }
                    if tried["in"] == "query" {
                        let required = places("query")
                            .filter(|it| it["required"] == true && it["name"] != name);
                        let required = required
                            .map(|it| format!("{}={}", it["name"].as_str().unwrap(), usual(it)));
                        let pairs: Vec<String> =
                            required.chain([format!("{name}={value}")]).collect();
                        address = format!("{address}?{}", pairs.join("&"));
                    }
                    requests.push((method.clone(), address, name.to_owned()));
                }
            }
        }
    }
    requests
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_of_any_parameter_is_a_fault_of_ours_on_any_locale() {
    for locale in [Locale::C, Locale::Icu] {
        let world = World::planned(Plan {
            worker: false,
            scheduler: false,
            locale,
            ..Plan::default()
        })
        .await;
        let document = world.document().await;
        let requests = requests(&document);
        assert!(requests.len() > 2_000, "{} requests", requests.len());
        let faults: Vec<String> = futures::stream::iter(requests)
            .map(|(method, address, name)| {
                let client = match address.contains("/admin/") {
                    true => &world.operator,
                    false => &world.seller,
                };
                async move {
                    let request = client
                        .request(method.clone(), &address)
                        .header("prefer", "wait=0");
                    let request = request.header("if-match", "*");
                    let answer = match method {
                        Method::GET | Method::DELETE => send(request).await,
                        _ => send(request.json(&json!({}))).await,
                    };
                    let shown: String = address.chars().take(120).collect();
                    (answer.status >= 500).then(|| {
                        format!(
                            "{name}: {method} {shown}: {} {}",
                            answer.status, answer.text
                        )
                    })
                }
            })
            .buffer_unordered(AT_ONCE)
            .filter_map(|fault| async move { fault })
            .collect()
            .await;
        assert!(
            faults.is_empty(),
            "{locale:?}: {} faults\n{}",
            faults.len(),
            faults.join("\n")
        );
    }
}
