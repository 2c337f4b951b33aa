//! A key makes, replaces and revokes no key that is wider than itself, in whatever dimension.

use common::reqwest::Method;
use serde_json::{Value, json};
use tests::client::send;
use tests::{Answer, Client, World};

use super::accounts::{caller, register};

const ALL: [&str; 8] = [
    "upload", "purchase", "download", "account", "webhooks", "agents", "events", "leases",
];

/// Keys that manage the account and are narrower than their owner's in one dimension alone.
fn narrowings() -> Vec<(&'static str, Value)> {
    let key = |permissions: &[&str], limits: Value| json!({ "name": "narrow", "permissions": permissions, "limits": limits });
    let mut narrowings: Vec<(&str, Value)> = [
        "upload", "purchase", "download", "webhooks", "agents", "events", "leases",
    ]
    .iter()
    .map(|left_out| {
        let others: Vec<&str> = ALL.into_iter().filter(|each| each != left_out).collect();
        ("permissions", key(&others, json!({})))
    })
    .collect();
    narrowings.extend([
        ("budgetDayMinor", key(&ALL, json!({ "budgetDayMinor": 1 }))),
        (
            "budgetPurchaseMinor",
            key(&ALL, json!({ "budgetPurchaseMinor": 1 })),
        ),
        (
            "packageTypes",
            key(&ALL, json!({ "packageTypes": ["vector"] })),
        ),
        (
            "expiresAt",
            key(&ALL, json!({ "expiresAt": "2099-01-01T00:00:00Z" })),
        ),
    ]);
    narrowings
}

async fn made(client: &Client, body: &Value) -> Answer {
    let answer = client.post("/api/ai/keys", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer
}

fn with_key(world: &World, answer: &Answer) -> Client {
    let data = answer.data();
    world.anonymous.with_token(data["apiKey"].as_str().unwrap())
}

fn path_of(answer: &Answer) -> String {
    format!("/api/ai/keys/{}", answer.data()["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrower_key_neither_makes_nor_replaces_nor_revokes_a_wider_one_in_any_dimension() {
    let world = World::only_api().await;
    let wide = made(
        &world.seller,
        &json!({ "name": "wide", "permissions": ALL }),
    )
    .await;
    let owner = with_key(&world, &wide);
    for (dimension, body) in narrowings() {
        let narrow = made(&world.seller, &body).await;
        let client = with_key(&world, &narrow);
        let attempts = [
            client
                .post(&format!("{}/rotate", path_of(&wide)), &json!({}))
                .await,
            client.delete(&path_of(&wide)).await,
            client
                .post(
                    "/api/ai/keys",
                    &json!({ "name": "wider", "permissions": ALL }),
                )
                .await,
        ];
        for attempt in attempts {
            assert_eq!(
                attempt.fault(),
                (403, "FORBIDDEN".to_owned()),
                "{}",
                attempt.text
            );
            assert_eq!(
                attempt.details()["dimension"],
                dimension,
                "{}",
                attempt.text
            );
        }
        assert_eq!(owner.get("/api/ai/me").await.status, 200, "{dimension}");
        assert_eq!(world.seller.delete(&path_of(&narrow)).await.status, 200);
    }
    let untouched = "select count(*) from api_keys where name = 'wide' and expires_at is null and revoked_at is null";
    assert_eq!(world.count(untouched).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_replaces_itself_keeps_its_limits_and_lives_no_longer() {
    let world = World::only_api().await;
    for (dimension, body) in narrowings() {
        let first = made(&world.seller, &body).await;
        let path = format!("{}/rotate", path_of(&first));
        let second = with_key(&world, &first)
            .post(&path, &json!({ "overlapSeconds": 0 }))
            .await;
        assert_eq!(second.status, 201, "{dimension}: {}", second.text);
        let (first, second) = (first.data(), second.data());
        for field in [
            "permissions",
            "budgetDayMinor",
            "budgetPurchaseMinor",
            "packageTypes",
            "expiresAt",
        ] {
            assert_eq!(first[field], second[field], "{field}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_with_a_budget_gets_no_second_one_from_a_key_of_the_same_budget() {
    let world = World::only_api().await;
    let body = json!({ "name": "one", "permissions": ALL, "limits": { "budgetDayMinor": 500 } });
    let (one, other) = (
        made(&world.seller, &body).await,
        made(&world.seller, &body).await,
    );
    let path = format!("{}/rotate", path_of(&other));
    let refused = with_key(&world, &one).post(&path, &json!({})).await;
    assert_eq!(refused.fault(), (403, "FORBIDDEN".to_owned()));
    assert_eq!(refused.details()["dimension"], "budgetDayMinor");
    let part =
        json!({ "name": "part", "permissions": ["purchase"], "limits": { "budgetDayMinor": 500 } });
    let part = made(&with_key(&world, &one), &part).await;
    let path = format!("{}/rotate", path_of(&part));
    let replaced = with_key(&world, &one).post(&path, &json!({})).await;
    assert_eq!(
        replaced.status, 201,
        "it spends from the same budget: {}",
        replaced.text
    );
    let lines = "select count(distinct line_id) from api_keys where budget_day_minor = 500";
    assert_eq!(world.count(lines).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_replaces_and_revokes_every_key_of_its_account() {
    let world = World::only_api().await;
    let tokens = register(&world, "grace").await.data();
    let session = caller(&world, &tokens);
    for (_, body) in narrowings() {
        let key = made(&session, &body).await;
        let next = session
            .post(&format!("{}/rotate", path_of(&key)), &json!({}))
            .await;
        assert_eq!(next.status, 201, "{}", next.text);
        for key in [&key, &next] {
            assert_eq!(session.delete(&path_of(key)).await.status, 200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_revoke_themselves_and_each_other_at_once_do_not_block_each_other() {
    let world = World::only_api().await;
    for _ in 0..6 {
        let body = json!({ "name": "one of two", "permissions": ALL });
        let (one, other) = (
            made(&world.seller, &body).await,
            made(&world.seller, &body).await,
        );
        let attempts = [&one, &other].map(|by| {
            let client = with_key(&world, by);
            let paths = [path_of(&one), path_of(&other), path_of(by)];
            futures::future::join_all(paths.map(|path| {
                let client = client.clone();
                async move { client.delete(&path).await }
            }))
        });
        for answer in futures::future::join_all(attempts).await.concat() {
            assert!(matches!(answer.status, 200 | 401), "{}", answer.text);
        }
        let live = "select count(*) from api_keys where name = 'one of two' and revoked_at is null";
        assert_eq!(world.count(live).await, 0);
    }
}

fn once(client: &Client, path: &str, body: &Value) -> impl Future<Output = Answer> + use<> {
    let post = client.request(Method::POST, path);
    send(post.header("idempotency-key", "once").json(body))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_repeated_only_to_those_who_may_do_as_much() {
    let world = World::only_api().await;
    let manager = json!({ "name": "manager", "permissions": ["account"] });
    let manager = with_key(&world, &made(&world.seller, &manager).await);
    let body = json!({ "name": "another", "permissions": ["account"] });
    let first = once(&world.seller, "/api/ai/keys", &body).await;
    assert_eq!(first.status, 201, "{}", first.text);
    let narrower = once(&manager, "/api/ai/keys", &body).await;
    assert_eq!(
        narrower.fault(),
        (422, "IDEMPOTENCY_CONFLICT".to_owned()),
        "{}",
        narrower.text
    );
    let again = once(&world.seller, "/api/ai/keys", &body).await;
    assert_eq!(again.data()["id"], first.data()["id"]);

    // Nobody is answered who may not even ask.
    let wide = json!({ "name": "wide", "permissions": ALL });
    let path = "/api/ai/keys";
    let made = send(
        world
            .seller
            .request(Method::POST, path)
            .header("idempotency-key", "wide")
            .json(&wide),
    );
    assert_eq!(made.await.status, 201);
    let seen = send(
        manager
            .request(Method::POST, path)
            .header("idempotency-key", "wide")
            .json(&wide),
    )
    .await;
    assert_eq!(seen.fault(), (403, "FORBIDDEN".to_owned()), "{}", seen.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_replaced_another_and_a_session_get_the_answers_of_the_one_before() {
    let world = World::only_api().await;
    let tokens = register(&world, "grace").await.data();
    let session = caller(&world, &tokens);
    let before = made(&session, &json!({ "name": "one", "permissions": ALL })).await;
    let body = json!({ "name": "made", "permissions": ["upload"] });
    let first = once(&with_key(&world, &before), "/api/ai/keys", &body).await;
    let path = format!("{}/rotate", path_of(&before));
    let after = session.post(&path, &json!({ "overlapSeconds": 0 })).await;
    for client in [with_key(&world, &after), session] {
        let again = once(&client, "/api/ai/keys", &body).await;
        assert_eq!(again.data()["id"], first.data()["id"], "{}", again.text);
    }
}

/// The operations that take an Idempotency-Key and answer a secret, by the document.
fn that_show_secrets(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for methods in document["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let is_idempotent = parameters
                .into_iter()
                .any(|it| it["$ref"] == "#/components/parameters/Idempotency-Key");
            let examples: Vec<String> = operation["responses"]
                .as_object()
                .unwrap()
                .iter()
                .filter(|(status, _)| status.starts_with('2'))
                .map(|(_, answer)| answer["content"]["application/json"]["schema"].to_string())
                .collect();
            let schemas = examples.iter().map(|text| resolved(document, text, 0));
            let shows = |text: String| text.contains("\"apiKey\"") || text.contains("\"secret\"");
            if is_idempotent && schemas.into_iter().any(shows) {
                found.push(operation["operationId"].as_str().unwrap().to_owned());
            }
        }
    }
    found
}

/// A schema with what it refers to behind it.
fn resolved(document: &Value, text: &str, depth: usize) -> String {
    let mut all = text.to_owned();
    for rest in text.split("#/components/schemas/").skip(1) {
        let name = rest.split('"').next().unwrap();
        if depth < 3 {
            let schema = document["components"]["schemas"][name].to_string();
            all += &resolved(document, &schema, depth + 1);
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_holds_a_secret_is_not_repeated_in_full() {
    let world = World::only_api().await;
    let document = world.document().await;
    let mut found = that_show_secrets(&document);
    found.sort();
    assert_eq!(
        found,
        [
            "create_endpoint",
            "create_key",
            "create_own_key",
            "rotate_own_key"
        ],
        "each is asked twice below"
    );
    let key = made(&world.seller, &json!({ "name": "rotated" })).await;
    let rotate = format!("{}/rotate", path_of(&key));
    let url = format!("{}/endpoint", world.receiver.url());
    let of_a_new_user = json!({ "user": "grace", "name": "laptop", "permissions": ["upload"] });
    for (client, path, body, secret, id) in [
        (
            &world.seller,
            "/api/ai/keys",
            json!({ "name": "laptop" }),
            "apiKey",
            "id",
        ),
        (&world.seller, &rotate, json!({}), "apiKey", "id"),
        (
            &world.operator,
            "/admin/keys",
            of_a_new_user,
            "apiKey",
            "id",
        ),
        (
            &world.seller,
            "/api/ai/webhooks/endpoints",
            json!({ "url": url, "eventTypes": ["*"] }),
            "secret",
            "endpointId",
        ),
    ] {
        let first = once(client, path, &body).await;
        let second = once(client, path, &body).await;
        assert_eq!((first.status, second.status), (201, 201), "{}", second.text);
        let shown = first.data()[secret].as_str().unwrap().to_owned();
        assert!(!second.text.contains(&shown), "{path}: {}", second.text);
        assert_eq!(second.data()[secret], Value::Null, "{path}");
        assert_eq!(second.data()[id], first.data()[id], "{path}");
        assert_eq!(second.header("idempotent-replayed"), "true");
        assert_eq!(first.header("idempotent-replayed"), "");
    }
}
