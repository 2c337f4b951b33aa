//! The OpenAPI documents against the official schemas, the router, what is answered and what is sent.

use std::collections::BTreeSet;

use common::reqwest::Method;
use common::webhooks::EventType;
use serde_json::{Value, json};
use tests::client::send;
use tests::document::with_plain_paths;
use tests::market::purchase_of;
use tests::{Client, Sample, World, libraries};
use uuid::Uuid;

use super::ground::{ENDPOINTS, arrives, happens, path_of, register};

const ENDPOINT: &str = "/api/ai/webhooks/endpoints/{endpointId}";

async fn older(world: &World) -> Value {
    with_plain_paths(world.anonymous.document("v2", "openapi.json").await)
}

async fn newer(world: &World) -> Value {
    world.document().await
}

/// Path, method and content of each operation.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().iter();
            methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        })
        .collect()
}

/// The operations of webhooks by id.
fn webhook_operations(document: &Value) -> BTreeSet<&str> {
    operations(document)
        .into_iter()
        .filter(|(path, ..)| path.starts_with("/api/ai/webhooks/"))
        .map(|(.., operation)| operation["operationId"].as_str().unwrap())
        .collect()
}

/// A schema, or the one that it refers to.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

/// What a schema of the 3.1 document finds wrong with a value.
fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut root = schema.clone();
    root["components"] = document["components"].clone();
    let validator = jsonschema::draft202012::new(&root).unwrap();
    let errors = validator.iter_errors(value);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

fn check(document: &Value, schema: &Value, value: &Value) {
    let faults = faults(document, schema, value);
    assert!(faults.is_empty(), "{value}: {faults:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_documents_of_each_version_are_valid_openapi() {
    let world = World::only_api().await;
    for version in ["v1", "v3"] {
        let older = world.anonymous.document(version, "openapi.json").await;
        let newer = world.anonymous.document(version, "openapi-3.1.json").await;
        let faults = libraries::python("validate.py", &json!([older, newer]));
        assert_eq!(faults, json!([[], []]), "{version}");
    }
    let (older, newer) = (older(&world).await, newer(&world).await);
    assert_eq!(older["openapi"], "3.0.3");
    assert_eq!(newer["openapi"], "3.1.1");
    let untitled = |document: &Value| {
        let mut document = document.clone();
        document["info"] = json!({ "version": "1" });
        document
    };
    let input = json!([older, newer, untitled(&older), untitled(&newer)]);
    let faults = libraries::python("validate.py", &input);
    assert_eq!(faults[0], json!([]));
    assert_eq!(faults[1], json!([]));
    for broken in [&faults[2], &faults[3]] {
        assert_eq!(broken[0]["at"], "info", "{broken}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_type_is_described_with_a_body_of_each_form() {
    let world = World::only_api().await;
    let (older, newer) = (older(&world).await, newer(&world).await);
    assert!(older.get("webhooks").is_none());
    let types: BTreeSet<&str> = EventType::ALL.iter().map(|it| it.as_str()).collect();
    for described in [
        &newer["webhooks"],
        &older["paths"][ENDPOINTS]["post"]["callbacks"],
    ] {
        let names = described.as_object().unwrap().keys().map(String::as_str);
        assert_eq!(names.collect::<BTreeSet<_>>(), types);
    }
    for event_type in types {
        let reference = &newer["webhooks"][event_type]["post"]["requestBody"]["$ref"];
        let pointer = reference.as_str().unwrap().trim_start_matches('#');
        let media = &newer.pointer(pointer).unwrap()["content"]["application/json"];
        for form in ["plain", "full", "thin"] {
            check(&newer, &media["schema"], &media["examples"][form]["value"]);
        }
        let bare = json!({ "event": event_type });
        assert!(!faults(&newer, &media["schema"], &bare).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_described_operation_is_served_and_asks_for_a_key_unless_it_is_open() {
    let world = World::only_api().await;
    let (older, newer) = (older(&world).await, newer(&world).await);
    assert_eq!(operations(&older).len(), operations(&newer).len());
    let own = world.anonymous.document("v2", "openapi-3.1.json").await;
    for (path, method, operation) in operations(&newer).into_iter().chain(operations(&own)) {
        let path = path.replace(['{', '}'], "");
        let method: Method = method.to_uppercase().parse().unwrap();
        let answer = send(world.anonymous.request(method, &path)).await;
        let statuses = operation["responses"].as_object().unwrap();
        assert!(
            statuses.contains_key(&answer.status.to_string()),
            "{path}: {}",
            answer.text
        );
        let needs_key = match operation.get("security") {
            Some(security) => security[0]
                .as_object()
                .is_some_and(|first| !first.is_empty()),
            None => true,
        };
        assert_eq!(answer.status == 401, needs_key, "{path}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_has_the_headers_that_are_described_and_no_other_of_ours() {
    let world = World::start().await;
    let newer = newer(&world).await;
    register(&world, "/hooks", json!({})).await;
    happens(&world, EventType::UploadFailed, Uuid::new_v4(), 1).await;
    let received = arrives(&world, "/hooks", |_| true).await;
    let parameters = &newer["webhooks"]["upload.failed"]["post"]["parameters"];
    let described: BTreeSet<&str> = parameters
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["$ref"].as_str().unwrap().rsplit('/').next().unwrap())
        .collect();
    let names = received.headers.keys().map(String::as_str);
    let sent: BTreeSet<&str> = names
        .filter(|name| name.starts_with("webhook-") || name.starts_with("x-"))
        .collect();
    assert_eq!(sent, described);
}

/// Calls described operations, and holds the answers to the document.
struct Caller {
    client: Client,
    document: Value,
    called: BTreeSet<String>,
}

impl Caller {
    fn new(client: &Client, document: Value) -> Self {
        Self {
            client: client.clone(),
            document,
            called: BTreeSet::new(),
        }
    }

    /// The data of a good answer. The path is the described one and what stands for its parameter.
    async fn call(&mut self, method: Method, described: &str, id: &str, body: Value) -> Value {
        let operation = &self.document["paths"][described][method.as_str().to_lowercase()];
        let operation_id = operation["operationId"].as_str().unwrap().to_owned();
        let path: Vec<&str> = described
            .split('/')
            .map(|part| if part.starts_with('{') { id } else { part })
            .collect();
        let mut request = self.client.request(method, &path.join("/"));
        request = request.header("if-match", "*");
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = send(request).await;
        let response = &operation["responses"][answer.status.to_string()];
        let told = format!("{operation_id}: {} {}", answer.status, answer.text);
        assert!(response.is_object(), "{told}");
        self.called.insert(operation_id);
        let schema = &response["content"]["application/json"]["schema"];
        if schema.is_null() {
            assert!(answer.text.is_empty(), "{told}");
            return Value::Null;
        }
        // Clients must expect more than is described; this test must not.
        let mut schema = resolved(&self.document, schema).clone();
        schema["properties"]["data"]["unevaluatedProperties"] = json!(false);
        check(&self.document, &schema, &answer.json());
        answer.data()
    }

    async fn get(&mut self, described: &str, id: &str) {
        self.call(Method::GET, described, id, Value::Null).await;
    }

    async fn post(&mut self, described: &str, id: &str, body: Value) -> Value {
        self.call(Method::POST, described, id, body).await
    }
}

/// All that is done with an endpoint.
async fn use_endpoint(api: &mut Caller, id: &str) {
    let at = |end: &str| format!("{ENDPOINT}{end}");
    api.get(ENDPOINT, id).await;
    api.get(ENDPOINTS, id).await;
    let plan = json!({ "plan": "custom", "planSeconds": [5] });
    api.call(Method::PATCH, ENDPOINT, id, plan).await;
    api.get("/api/ai/webhooks/event-types", id).await;
    let tested = api.post(&at("/test"), id, Value::Null).await;
    use_log(api, &tested).await;
    api.get(&at("/stats"), id).await;
    api.post(&at("/rotate-secret"), id, json!({})).await;
    let since = chrono::Utc::now() - chrono::TimeDelta::hours(1);
    let since = json!({ "since": since });
    let recovery = api.post(&at("/recover"), id, since).await;
    let recovery = recovery["recoveryId"].as_str().unwrap();
    api.get("/api/ai/webhooks/recoveries/{recoveryId}", recovery)
        .await;
    let reason = json!({ "reason": "a pause" });
    api.post(&at("/disable"), id, reason).await;
    api.post(&at("/enable"), id, json!({ "held": "drop" }))
        .await;
}

/// All that is done with a delivery and its event.
async fn use_log(api: &mut Caller, delivery: &Value) {
    let id = delivery["deliveryId"].as_str().unwrap();
    api.get("/api/ai/webhooks/deliveries", id).await;
    let one = "/api/ai/webhooks/deliveries/{deliveryId}";
    api.get(one, id).await;
    api.post(&format!("{one}/resend"), id, Value::Null).await;
    let id = delivery["eventId"].as_str().unwrap();
    api.get("/api/ai/webhooks/events", id).await;
    let one = "/api/ai/webhooks/events/{eventId}";
    api.get(one, id).await;
    let payload = format!("{one}/payload");
    api.call(Method::DELETE, &payload, id, Value::Null).await;
    api.get(one, id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_of_webhooks_answers_as_it_is_described() {
    let world = World::start().await;
    let mut api = Caller::new(&world.seller, newer(&world).await);
    let url = format!("{}/hooks", world.receiver.url());
    let endpoint = api.post(ENDPOINTS, "", json!({ "url": url })).await;
    let secret = endpoint["secret"].as_str().unwrap();
    world.receiver.trust_standard_secret(secret);
    let path = path_of(&endpoint);
    let id = path.rsplit('/').next().unwrap();
    use_endpoint(&mut api, id).await;
    let payloads = "/api/ai/webhooks/payloads";
    api.call(Method::DELETE, payloads, "", Value::Null).await;
    api.call(Method::DELETE, ENDPOINT, id, Value::Null).await;

    let described = webhook_operations(&api.document).into_iter();
    let missed: Vec<&str> = described.filter(|id| !api.called.contains(*id)).collect();
    // It takes a recovery that still runs, and this one may have ended; it answers as get_recovery does.
    assert_eq!(missed, ["cancel_recovery"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_name_an_address_are_answered_as_it_is_described() {
    let world = World::with_cards().await;
    let document = newer(&world).await;
    let url = world.webhook_url();
    let mut seller = Caller::new(&world.seller, document.clone());
    let upload = Sample::vector(301).request_with_webhook(&url);
    let upload = seller.post("/api/ai/upload-package", "", upload).await;
    let published = world
        .seller
        .ended(upload["uploadId"].as_str().unwrap())
        .await;
    let package = published["packageId"].as_str().unwrap();
    let listing = "/api/ai/listings/{packageId}";
    let change = json!({ "webhookUrl": url });
    seller.call(Method::PATCH, listing, package, change).await;
    let mut session = Sample::vector(302).request_with_webhook(&url);
    let fields = session.as_object_mut().unwrap();
    for name in ["vectorData", "wMatrixData"] {
        fields.remove(name).unwrap();
    }
    for (name, bytes) in [("package", 1), ("wMatrix", 1)] {
        fields.insert(format!("{name}SizeBytes"), json!(bytes));
        fields.insert(format!("{name}Sha256"), json!("00".repeat(32)));
    }
    seller.post("/api/ai/uploads", "", session).await;
    let batch = json!({ "packages": [Sample::vector(303).request()], "webhookUrl": url });
    seller.post("/api/ai/batch-upload", "", batch).await;

    let buyer = world.buyer("buyer", 10_000).await;
    let mut buyer = Caller::new(&buyer.client, document);
    let top_up = json!({ "amount": 25, "paymentMethodId": "pm_card_visa", "webhookUrl": url });
    buyer.post("/api/ai/credits/top-ups", "", top_up).await;
    let mut purchase = purchase_of(package);
    purchase["webhookUrl"] = json!(url);
    buyer.post("/api/ai/purchase-package", "", purchase).await;

    let calling_back =
        |(.., operation): &(&str, &str, &Value)| operation.get("callbacks").is_some();
    let taking: Vec<&str> = operations(&seller.document)
        .into_iter()
        .filter(calling_back)
        .map(|(.., operation)| operation["operationId"].as_str().unwrap())
        .filter(|id| !seller.called.contains(*id) && !buyer.called.contains(*id))
        .collect();
    assert_eq!(taking, ["create_endpoint"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_version_answers_as_its_own_document_says() {
    let world = World::start().await;
    let published = world.publish(&Sample::vector(304).request()).await;
    let package = published["packageId"].as_str().unwrap();
    let buyer = world.buyer("buyer", 10_000).await;
    buyer.client.buy(package).await;
    for (version, prefix) in [("v1", "/api"), ("v2", "/api/v2"), ("v3", "/api/v3")] {
        let document = world.anonymous.document(version, "openapi-3.1.json").await;
        let get = async |address: &str| {
            let request = buyer.client.request(Method::GET, address);
            // The path alone names the version.
            send(request.header("accept", "*/*")).await
        };
        for described in [
            "/ai/packages/{packageId}",
            "/ai/listings/{packageId}",
            "/ai/me",
            "/ai/purchases",
        ] {
            let described = format!("{prefix}{described}");
            let operation = &document["paths"][&described]["get"];
            let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
            assert!(!schema.is_null(), "{described}");
            let answer = get(&described.replace("{packageId}", package)).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            check(&document, schema, &answer.json());
        }
        let nothing = get(&format!("{prefix}/ai/packages/pkg_0")).await;
        let media_type = nothing.header("content-type").to_owned();
        let fault = &document["components"]["responses"]["Fault404"]["content"][&media_type];
        check(&document, &fault["schema"], &nothing.json());
    }
}
