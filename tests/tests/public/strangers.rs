//! Every route as nobody, as a stranger, as a revoked key: none of them sees or changes what is another's.

use std::collections::BTreeMap;

use common::identity::Permission;
use common::reqwest::Method;
use serde_json::{Value, json};
use tests::client::send;
use tests::{Answer, Client, World};

use super::examples::an_hour_ago;

/// Things of the seller and of a buyer, by the names that paths give them.
async fn things(world: &World) -> BTreeMap<&'static str, String> {
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 5_000).await;
    let bought = buyer.client.buy(&package).await.data();
    let purchase = bought["purchaseId"].as_str().unwrap().to_owned();
    let path = format!("/api/ai/packages/{package}/reviews");
    let put = buyer.client.request(Method::PUT, &path);
    send(put.json(&json!({ "rating": 4 }))).await;
    let reviews = world.anonymous.get(&path).await.data();
    let claim = json!({ "reason": "other", "description": "It is not what it was said to be." });
    let dispute = buyer
        .client
        .post(&format!("/api/ai/purchases/{purchase}/disputes"), &claim)
        .await
        .data();
    let endpoint =
        json!({ "url": format!("{}/endpoint", world.receiver.url()), "eventTypes": ["*"] });
    let endpoint = world
        .seller
        .post("/api/ai/webhooks/endpoints", &endpoint)
        .await
        .data();
    let key = world
        .seller
        .post("/api/ai/keys", &json!({ "name": "other" }))
        .await
        .data();
    let subscription = json!({ "name": "things-of-the-seller" });
    let subscription = world
        .seller
        .post("/api/ai/event-subscriptions", &subscription)
        .await
        .data();
    let upload: String = sqlx::query_scalar("select public_id from uploads limit 1")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    BTreeMap::from([
        ("packageId", package),
        ("packageType", "vector".to_owned()),
        ("purchaseId", purchase),
        ("disputeId", text(&dispute["disputeId"])),
        ("reviewId", text(&reviews["reviews"][0]["reviewId"])),
        ("endpointId", text(&endpoint["endpointId"])),
        ("keyId", text(&key["id"])),
        ("subscription", text(&subscription["name"])),
        ("uploadId", upload),
    ])
}

/// The operations of the document whose paths name things that there are, and how they are opened.
fn operations(document: &Value, things: &BTreeMap<&str, String>) -> Vec<(Method, String, Value)> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let filled = things.iter().fold(path.clone(), |path, (name, value)| {
            path.replace(&format!("{{{name}}}"), value)
        });
        // What is not here is as unknown as what is another's.
        let filled = filled
            .split('/')
            .map(|part| {
                if part.starts_with('{') {
                    "00000000-0000-0000-0000-000000000000"
                } else {
                    part
                }
            })
            .collect::<Vec<&str>>()
            .join("/");
        for (method, operation) in methods.as_object().unwrap() {
            let method: Method = method.to_uppercase().parse().unwrap();
            operations.push((method, filled.clone(), operation.clone()));
        }
    }
    operations
}

async fn ask(client: &Client, method: &Method, path: &str, operation: &Value) -> Answer {
    let mut request = client.request(method.clone(), path);
    request = request.header("if-match", "*");
    if let Some(example) = operation["requestBody"]["content"]["application/json"].get("example") {
        let mut example = example.clone();
        an_hour_ago(&mut example);
        request = request.json(&example);
    }
    send(request.header("prefer", "wait=0")).await
}

/// Whether an operation says that it can be asked without a key.
fn is_open(operation: &Value) -> bool {
    let security = operation["security"].as_array();
    security.is_some_and(|ways| ways.is_empty() || ways.contains(&json!({})))
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_and_a_revoked_key_open_nothing_that_asks_for_a_key() {
    let world = World::start().await;
    let things = things(&world).await;
    let document = world.document().await;
    let revoked = world
        .seller
        .post("/api/ai/keys", &json!({ "name": "gone" }))
        .await
        .data();
    let path = format!("/api/ai/keys/{}", revoked["id"].as_str().unwrap());
    assert_eq!(world.seller.delete(&path).await.status, 200);
    let revoked = world
        .anonymous
        .with_token(revoked["apiKey"].as_str().unwrap());
    let mut closed = 0;
    for (method, path, operation) in operations(&document, &things) {
        if path.contains("/events") || is_open(&operation) {
            continue;
        }
        for client in [&world.anonymous, &revoked] {
            let answer = ask(client, &method, &path, &operation).await;
            assert_eq!(answer.status, 401, "{method} {path}: {}", answer.text);
        }
        closed += 1;
    }
    assert!(closed > 80, "{closed}");
}

/// A client with a key of that user that may do just this.
async fn client_who_may(world: &World, user: &str, permissions: &[&str]) -> Client {
    let path = format!("/admin/users?exactName={user}");
    let found = world.operator.get(&path).await.data();
    let id = &found["users"][0]["userId"];
    let new = json!({ "userId": id, "name": "narrow", "permissions": permissions });
    let made = world.operator.post("/admin/keys", &new).await.data();
    world.anonymous.with_token(made["apiKey"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_the_one_permission_that_an_operation_needs_is_refused() {
    let world = World::start().await;
    let things = things(&world).await;
    let document = world.document().await;
    let operations = operations(&document, &things);
    let all = Permission::ALL.map(Permission::as_str);
    for permission in all {
        let others: Vec<&str> = all.into_iter().filter(|each| *each != permission).collect();
        let lacking = client_who_may(&world, "seller", &others).await;
        let having = client_who_may(&world, "stranger", &[permission]).await;
        let needing: Vec<_> = operations
            .iter()
            .filter(|(_, _, operation)| operation["x-permission"] == permission)
            .collect();
        assert!(needing.len() >= 3, "{permission}: {}", needing.len());
        let lacks = format!("This API key lacks the permission {permission}.");
        for (method, path, operation) in needing {
            let answer = ask(&lacking, method, path, operation).await;
            assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text);
            assert_eq!(answer.json()["error"]["message"], lacks, "{method} {path}");
            if method == Method::GET {
                let head = ask(&lacking, &Method::HEAD, path, operation).await;
                assert_eq!(head.status, 403, "HEAD {path}");
            }
            let answer = ask(&having, method, path, operation).await;
            assert!(
                answer.status != 401 && !answer.text.contains("lacks the permission"),
                "{method} {path}: {} {}",
                answer.status,
                answer.text
            );
        }
    }
    let bare = operations.iter().filter(|(_, path, operation)| {
        path.starts_with("/api/ai/webhooks/") && operation["x-permission"].is_null()
    });
    let ids: Vec<&Value> = bare.map(|(_, _, it)| &it["operationId"]).collect();
    assert_eq!(
        ids,
        ["list_event_types"],
        "all else of webhooks needs the permission"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_finds_nothing_of_anothers_and_changes_none_of_it() {
    let world = World::start().await;
    let things = things(&world).await;
    let document = world.document().await;
    // What is shown to everybody, or is about the stranger itself.
    let public = [
        "get_package",
        "list_versions",
        "list_reviews",
        "get_listing",
        "star_package",
        "unstar_package",
        "follow_package_page",
        "get_seller",
    ];
    let mut asked = 0;
    for (method, path, operation) in operations(&document, &things) {
        let id = operation["operationId"].as_str().unwrap();
        let names_a_thing = things
            .iter()
            .any(|(name, value)| *name != "packageType" && path.contains(value.as_str()));
        if !names_a_thing || public.contains(&id) || path.starts_with("/admin/") {
            continue;
        }
        let answer = ask(&world.stranger, &method, &path, &operation).await;
        let is_refused = matches!(answer.status, 403 | 404);
        assert!(
            is_refused,
            "{id}: {method} {path}: {} {}",
            answer.status, answer.text
        );
        if answer.status == 403 {
            let may_not = ["review_package", "withdraw_review"];
            assert!(
                may_not.contains(&id),
                "{id} tells that there is something: {}",
                answer.text
            );
        }
        asked += 1;
    }
    assert!(asked > 20, "{asked}");
    for (table, changed) in [
        ("purchases", "state <> 'disputed'"),
        ("reviews", "stars <> 4 or reply is not null"),
        ("listings", "version > 1"),
        ("packages", "details_version > 1"),
    ] {
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "select count(*) from {table} where {changed}"
        )))
        .fetch_one(&world.pool)
        .await
        .unwrap();
        assert_eq!(count, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_named_origins_call_from_a_browser() {
    let world = World::only_api().await;
    let preflight = |origin: &str| {
        let options = world
            .anonymous
            .request(Method::OPTIONS, "/api/ai/upload-package");
        send(
            options
                .header("origin", origin.to_owned())
                .header("access-control-request-method", "POST")
                .header(
                    "access-control-request-headers",
                    "authorization,idempotency-key",
                ),
        )
    };
    let named = preflight(tests::world::CORS_ORIGIN).await;
    assert_eq!(
        named.header("access-control-allow-origin"),
        tests::world::CORS_ORIGIN
    );
    assert!(
        named
            .header("access-control-allow-headers")
            .contains("idempotency-key")
    );
    assert_eq!(named.header("access-control-allow-credentials"), "");
    let other = preflight("https://elsewhere.example").await;
    assert_eq!(other.header("access-control-allow-origin"), "");
}
