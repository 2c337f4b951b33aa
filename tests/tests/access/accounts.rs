//! Accounts of people and agents.

use common::reqwest::Method;
use serde_json::{Value, json};
use tests::client::send;
use tests::{Answer, Client, World};

pub const PASSWORD: &str = "correct horse battery";

/// Registers a person.
pub async fn register(world: &World, name: &str) -> Answer {
    let body = json!({
        "email": format!("{name}@example.com"),
        "username": name,
        "password": PASSWORD,
    });
    world.anonymous.post("/api/auth/register", &body).await
}

/// Signs a person in: the tokens.
pub async fn signed_in(world: &World, name: &str) -> Value {
    let body = json!({ "email": format!("{name}@example.com"), "password": PASSWORD });
    world.anonymous.post("/api/auth/login", &body).await.data()
}

/// A caller with the access token of an answer.
pub fn caller(world: &World, tokens: &Value) -> Client {
    world
        .anonymous
        .with_token(tokens["accessToken"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_registers_signs_in_and_sees_the_account() {
    let world = World::only_api().await;
    let registered = register(&world, "grace").await;
    assert_eq!(registered.status, 201, "{}", registered.text);
    assert_eq!(registered.header("cache-control"), "no-store");
    let tokens = signed_in(&world, "grace").await;
    assert_eq!(tokens["tokenType"], "Bearer");
    assert_eq!(tokens["username"], "grace");
    let me = caller(&world, &tokens).get("/api/ai/me").await.data();
    assert_eq!(me["username"], "grace");
    assert_eq!(me["email"], "grace@example.com");
    assert_eq!(me["kind"], "person");
    assert_eq!(me["sessionId"], tokens["sessionId"]);
    assert_eq!(me["key"], Value::Null);
    let all = json!([
        "upload", "purchase", "download", "account", "webhooks", "agents", "events", "leases"
    ]);
    assert_eq!(me["permissions"], all);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_has_the_claims_of_the_seed_under_a_published_key() {
    use common::signatures::{Jwks, Verifier};
    let world = World::only_api().await;
    let tokens = register(&world, "grace").await.data();
    let jwks: Jwks =
        serde_json::from_value(world.anonymous.get("/.well-known/jwks.json").await.json()).unwrap();
    let token = tokens["accessToken"].as_str().unwrap();
    let verifier = Verifier::try_from(&jwks).unwrap();
    let claims: Value = verifier.verify("at+jwt", token).unwrap();
    assert_eq!(claims["sub"], tokens["userId"]);
    assert_eq!(claims["username"], "grace");
    assert_eq!(claims["type"], "access");
    let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(life, tokens["expiresIn"].as_i64().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_or_too_simple_is_refused_by_its_field() {
    let world = World::only_api().await;
    assert_eq!(register(&world, "grace").await.status, 201);
    assert_eq!(
        register(&world, "grace").await.fault(),
        (409, "CONFLICT".to_owned())
    );
    for (email, username, password, field) in [
        ("no-address", "ada", PASSWORD, "email"),
        ("ada@example.com", "a", PASSWORD, "username"),
        ("ada@example.com", "-ada", PASSWORD, "username"),
        ("ada@example.com", "ada lovelace", PASSWORD, "username"),
        ("ada@example.com", "ada", "short", "password"),
        ("ada@example.com", "ada", "ADA@example.com", "password"),
    ] {
        let body = json!({ "email": email, "username": username, "password": password });
        let answer = world.anonymous.post("/api/auth/register", &body).await;
        assert_eq!(
            answer.fault(),
            (400, "INVALID_INPUT".to_owned()),
            "{}",
            answer.text
        );
        assert!(answer.details()[field].is_string(), "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_address_look_the_same() {
    let world = World::only_api().await;
    register(&world, "grace").await;
    let mut answers = Vec::new();
    for email in ["grace@example.com", "nobody@example.com"] {
        let body = json!({ "email": email, "password": "not the right one" });
        let answer = world.anonymous.post("/api/auth/login", &body).await;
        assert_eq!(answer.fault(), (401, "UNAUTHORIZED".to_owned()));
        answers.push(answer.json()["error"].clone());
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_by_address_or_by_name_and_never_by_both() {
    let world = World::only_api().await;
    let user = register(&world, "grace").await.data()["userId"].clone();
    let login = async |body: Value| world.anonymous.post("/api/auth/login", &body).await;
    for body in [
        json!({ "email": " Grace@Example.com ", "password": PASSWORD }),
        json!({ "username": "grace", "password": PASSWORD }),
    ] {
        assert_eq!(login(body).await.data()["userId"], user);
    }
    for body in [
        json!({ "email": "grace@example.com", "username": "grace", "password": PASSWORD }),
        json!({ "password": PASSWORD }),
        json!({ "username": "grace", "password": PASSWORD, "deviceToken": "dt_1" }),
    ] {
        assert_eq!(login(body).await.fault(), (400, "INVALID_INPUT".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_registers_itself_and_can_do_everything_at_once() {
    let world = World::start().await;
    let body = json!({
        "agentName": "Collector 7",
        "agentType": "researcher",
        "metadata": { "model": "gpt-4" },
    });
    let answer = world.anonymous.post("/api/ai/register", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let data = answer.data();
    let agent = world.anonymous.with_token(data["apiKey"].as_str().unwrap());
    let me = agent.get("/api/ai/me").await.data();
    assert_eq!(me["userId"], data["userId"]);
    assert_eq!(me["metadata"]["model"], "gpt-4");
    assert_eq!(me["key"]["id"], data["keyId"]);
    assert!(me["key"].get("apiKey").is_none(), "{me}");
    let accepted = agent.upload(&tests::Sample::vector(1).request()).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    let again = world.anonymous.post("/api/ai/register", &body).await;
    assert_eq!(again.fault(), (409, "CONFLICT".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_changed_by_whoever_saw_its_version() {
    let world = World::only_api().await;
    let me = world.seller.get("/api/ai/me").await;
    let etag = me.header("etag").to_owned();
    let change = |about: Value, tag: &str| {
        let patch = world.seller.request(Method::PATCH, "/api/ai/me");
        send(
            patch
                .header("if-match", tag.to_owned())
                .json(&json!({ "about": about })),
        )
    };
    let changed = change(json!("We align things."), &etag).await;
    assert_eq!(changed.data()["about"], "We align things.");
    let late = change(json!("Too late."), &etag).await;
    assert_eq!(late.fault(), (412, "PRECONDITION_FAILED".to_owned()));
    assert_eq!(late.row_tag(), changed.row_tag());
    let gone = change(Value::Null, changed.header("etag")).await;
    assert_eq!(gone.data()["about"], Value::Null);
    let patch = world.seller.request(Method::PATCH, "/api/ai/me");
    let blind = send(patch.json(&json!({ "about": "x" }))).await;
    assert_eq!(blind.fault(), (428, "PRECONDITION_REQUIRED".to_owned()));
}
