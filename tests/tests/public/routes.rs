//! The document against the table from which the router is made: there is no other list of what is served.

use std::collections::BTreeSet;

use serde_json::Value;
use tests::World;
use tests::document::with_plain_paths;

/// Method and path of each operation, as the document writes them.
pub fn served() -> BTreeSet<(String, String)> {
    api::served()
        .map(|(method, route)| (method.as_str().to_lowercase(), camel_case(route)))
        .collect()
}

/// `{package_id}` is `{packageId}`.
pub fn camel_case(path: &str) -> String {
    let mut parts = path.split('_');
    let first = parts.next().unwrap().to_owned();
    let is_inside = |text: &str| {
        text.rfind('{') > text.rfind('}') || (text.contains('{') && !text.contains('}'))
    };
    parts.fold(first, |text, part| {
        if is_inside(&text) {
            let (head, tail) = part.split_at(1);
            text + &head.to_uppercase() + tail
        } else {
            format!("{text}_{part}")
        }
    })
}

fn described(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(move |method| (method.clone(), path.clone()))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_served_is_described_and_what_is_described_is_served() {
    let world = World::only_api().await;
    let served = served();
    assert!(served.len() > 120, "{}", served.len());
    for file in ["openapi.json", "openapi-3.1.json"] {
        let document = world.anonymous.document("v2", file).await;
        let described = described(&with_plain_paths(document));
        let missing: Vec<_> = served.difference(&described).collect();
        let invented: Vec<_> = described.difference(&served).collect();
        assert!(missing.is_empty(), "not described: {missing:#?}");
        assert!(invented.is_empty(), "not served: {invented:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_has_its_own_id_a_summary_its_codes_and_its_limits() {
    let world = World::only_api().await;
    let document = world.document().await;
    let mut ids = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(
                ids.insert(id.to_owned()),
                "{id} is the id of two operations"
            );
            assert!(!operation["summary"].as_str().unwrap().is_empty());
            let answers = operation["responses"].as_object().unwrap();
            assert!(
                answers.keys().any(|status| status < &"400".to_owned()),
                "{method} {path}"
            );
            assert!(answers.contains_key("500"), "{method} {path}");
            let is_limited = operation.get("x-rate-limit-policy").is_some();
            assert_eq!(is_limited, answers.contains_key("429"), "{method} {path}");
            let body = &operation["requestBody"]["content"]["application/json"];
            assert_eq!(
                body.is_null(),
                body.get("example").is_none(),
                "{method} {path}"
            );
        }
    }
}
