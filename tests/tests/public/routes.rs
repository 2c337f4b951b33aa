//! The document against the router's own text: there is no other list of what is served.

use std::collections::BTreeSet;

use serde_json::Value;
use tests::World;

const ROUTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../api/src/router");
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../api/src/contract");

/// All files of a folder, one after the other.
fn text_of(folder: &str) -> String {
    let files = std::fs::read_dir(folder).unwrap();
    files
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect()
}

/// Method and path of each row of the table.
fn rows() -> BTreeSet<(String, String)> {
    let table = text_of(TABLE);
    let mut rows = BTreeSet::new();
    for method in ["get", "post", "delete"] {
        for piece in table.split(&format!(" {method}(")).skip(1) {
            if let Some(("", rest)) = piece.trim_start().split_once('"') {
                let path = rest.split('"').next().unwrap();
                rows.insert((method.to_owned(), camel_case(path)));
            }
        }
    }
    rows
}

/// Method and path of each route, as the document writes them.
pub fn served() -> BTreeSet<(String, String)> {
    let router = text_of(ROUTER);
    let mut routes = rows();
    let mut one = "";
    for piece in router.split(".route(").collect::<Vec<_>>().windows(2) {
        let (before, piece) = (piece[0], piece[1]);
        if let Some((_, rest)) = before.rsplit_once("let one = \"") {
            one = rest.split('"').next().unwrap();
        }
        let path = match piece.trim_start().strip_prefix("one,") {
            Some(_) => one.to_owned(),
            None => piece.split('"').nth(1).unwrap().replace("{one}", one),
        };
        let rest = &piece[piece.find(',').unwrap()..];
        let end = rest.find(";\n").unwrap_or(rest.len());
        for method in ["get", "post", "put", "patch", "delete"] {
            let starts = [
                format!(" {method}("),
                format!(".{method}("),
                format!("\n{method}("),
            ];
            if starts.iter().any(|start| rest[..end].contains(start)) {
                routes.insert((method.to_owned(), camel_case(&path)));
            }
        }
    }
    // A directory's address with and without its slash is one.
    routes
        .into_iter()
        .filter(|(_, path)| path == "/" || !path.ends_with('/'))
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
    for path in ["/api/ai/openapi.json", "/api/ai/openapi-3.1.json"] {
        let described = described(&world.anonymous.get(path).await.json());
        let missing: Vec<_> = served.difference(&described).collect();
        let invented: Vec<_> = described.difference(&served).collect();
        assert!(missing.is_empty(), "not described: {missing:#?}");
        assert!(invented.is_empty(), "not served: {invented:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_has_its_own_id_a_summary_its_codes_and_its_limits() {
    let world = World::only_api().await;
    let document = world.anonymous.get("/api/ai/openapi-3.1.json").await.json();
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
