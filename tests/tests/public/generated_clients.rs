//! Clients that others' generators make of the documents: each compiles and goes the whole way of a seller and
//! a buyer. `tests/libraries` holds the ways; `AWARENESS_LONG=1` goes them with more documents.

use serde_json::{Value, json};
use tests::{Sample, World, libraries};

/// openapi-python-client forgets an import in a module whose body has two media types and which takes nothing
/// optional; nothing of ours is wrong there.
const FORGOTTEN_IMPORT: [&str; 2] = ["/validate_package.py:", r#"Name "Unset" is not defined"#];

/// The documents that clients are made from: all, or as many as the short form takes.
fn some<T, const COUNT: usize>(documents: [T; COUNT], short: usize) -> impl Iterator<Item = T> {
    let taken = if tests::is_long() { COUNT } else { short };
    documents.into_iter().take(taken)
}

/// What a script is given, and what it must have seen.
async fn way(world: &World, version: &str, file: &str, number: u64) -> (Value, Value) {
    let sample = Sample::vector(number);
    let buyer = world
        .buyer(&format!("buyer of {version} {file}"), 1_000)
        .await;
    let mut upload = sample.request();
    upload["name"] = json!(format!("Made for {version} {file}"));
    let given = json!({
        "document": world.anonymous.document(version, file).await,
        "baseUrl": format!("http://{}", world.anonymous.authority()),
        "buyer": buyer.client.token(),
        "upload": upload,
        "webhookUrl": world.webhook_url(),
    });
    let seen = json!({
        "upload": "completed",
        "found": [true, true],
        "purchase": "settled",
        "paid": true,
        "receipt": true,
        "downloaded": sample.package.len(),
        "review": 5,
        "refund": "refunded",
        "statement": 3,
    });
    (given, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn python_clients_of_each_document_go_the_whole_way() {
    let world = World::start().await;
    let documents = [
        ("v1", "openapi.json"),
        ("v3", "openapi-3.1.json"),
        ("v1", "openapi-3.1.json"),
        ("v2", "openapi-3.1.json"),
        ("v3", "openapi.json"),
    ];
    for (number, (version, file)) in (1..).zip(some(documents, 2)) {
        let (given, seen) = way(&world, version, file, number).await;
        let went = libraries::python("journey.py", &given);
        let faults = went["faults"].as_array().unwrap();
        let is_theirs = |fault: &&Value| {
            let fault = fault.as_str().unwrap();
            FORGOTTEN_IMPORT.iter().all(|part| fault.contains(part))
        };
        let ours: Vec<&Value> = faults.iter().filter(|fault| !is_theirs(fault)).collect();
        assert!(ours.is_empty(), "{version} {file}: {ours:#?}");
        assert_eq!(went["steps"], seen, "{version} {file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_clients_of_each_document_go_the_whole_way() {
    let world = World::start().await;
    let files = ["openapi-3.1.json", "openapi.json"];
    for (number, file) in (1..).zip(some(files, 1)) {
        let (given, seen) = way(&world, "v3", file, number).await;
        let went = libraries::javascript("journey.js", &given);
        assert_eq!(went, json!({ "faults": [], "steps": seen }), "{file}");
    }
}
