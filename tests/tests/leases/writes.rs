//! Writes under a lease: whoever lost it changes nothing, however late that is found.

use common::reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tests::cards::TOP_UPS;
use tests::client::send;
use tests::{Client, World};

use super::ground::{acquire, blocked, expire, extend, reason, release, show, token};

async fn register(owner: &Client, id: &str) {
    let body = json!({
        "agentId": id,
        "name": "Vision Broker",
        "capabilities": ["vision"],
        "costPerTaskMinor": 250,
    });
    let answer = owner.post("/api/agents", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

/// A change of an agent, whatever its version.
fn rename(owner: &Client, name: &str) -> RequestBuilder {
    let request = owner.request(Method::PATCH, "/api/agents/broker");
    request
        .header("if-match", "*")
        .json(&json!({ "name": name }))
}

async fn name(world: &World) -> String {
    let agent = world.anonymous.get("/api/agents/broker").await.data();
    agent["name"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_with_a_lease_that_is_held_happens_and_no_other_does() {
    let world = World::only_api().await;
    register(&world.seller, "broker").await;
    let lease = acquire(&world.seller, "import").await;
    let strangers = acquire(&world.stranger, "import").await;
    let done = rename(&world.seller, "First").header("lease-token", token(&lease));
    let done = send(done).await;
    assert_eq!(done.status, 200, "{}", done.text);

    let unknown = "lt_00000000000000000000000000000000";
    for (token, expected) in [
        (unknown, (410, "UNKNOWN")),
        (token(&strangers), (410, "UNKNOWN")),
        ("", (400, "")),
        ("lt_0000", (400, "")),
    ] {
        let refused = rename(&world.seller, "Second").header("lease-token", token);
        let refused = send(refused).await;
        let expected = (expected.0, expected.1.to_owned());
        assert_eq!(reason(&refused), expected, "{token}: {}", refused.text);
    }
    let two = rename(&world.seller, "Second")
        .header("lease-token", token(&lease))
        .header("lease-token", token(&lease));
    assert_eq!(send(two).await.status, 400);
    expire(&world).await;
    let late = rename(&world.seller, "Second").header("lease-token", token(&lease));
    assert_eq!(reason(&send(late).await), (410, "EXPIRED".to_owned()));
    assert_eq!(name(&world).await, "First");
    let read = world.seller.request(Method::GET, "/api/agents/broker");
    let read = send(read.header("lease-token", unknown)).await;
    assert_eq!(read.status, 200, "what only reads is never late");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_write_is_told_so_before_anything_of_a_lease() {
    let world = World::only_api().await;
    let lease = acquire(&world.seller, "import").await;
    let new = json!({ "name": "narrow", "permissions": ["download"] });
    let key = world.seller.post("/api/ai/keys", &new).await.data();
    let narrow = world.anonymous.with_token(key["apiKey"].as_str().unwrap());
    for (client, status) in [(&world.anonymous, 401), (&narrow, 403)] {
        let write = rename(client, "Second").header("lease-token", token(&lease));
        assert_eq!(send(write).await.status, status);
    }
    // Who is nobody yet holds none.
    let register = world.anonymous.request(Method::POST, "/api/ai/register");
    let register = register
        .header("lease-token", token(&lease))
        .json(&json!({ "agentName": "newcomer", "agentType": "broker" }));
    assert_eq!(reason(&send(register).await), (410, "UNKNOWN".to_owned()));
    assert_eq!(world.user_id("newcomer").await, None);
}

/// Writes of each kind: in a transaction of the outbox, in one of their own, of a single statement, and in a task
/// that outlives its request.
fn writes<'a>(world: &'a World, package: &str) -> Vec<(&'a Client, Method, String, Value)> {
    let agent = "/api/agents/broker".to_owned();
    let quote = json!({ "packageId": package, "packageType": "vector" });
    let described = json!({ "description": "Not what it was before." });
    let top_up = json!({ "amount": 20.0, "paymentMethodId": "pm_card_visa" });
    let (seller, buyer) = (&world.seller, &world.stranger);
    vec![
        (
            seller,
            Method::PATCH,
            agent.clone(),
            json!({ "name": "Second" }),
        ),
        (
            seller,
            Method::POST,
            format!("{agent}/heartbeat"),
            json!({ "availability": "busy" }),
        ),
        (seller, Method::DELETE, agent, Value::Null),
        (
            seller,
            Method::POST,
            "/api/ai/keys".to_owned(),
            json!({ "name": "second" }),
        ),
        (
            seller,
            Method::PATCH,
            "/api/ai/me".to_owned(),
            json!({ "about": "Second" }),
        ),
        (
            seller,
            Method::PATCH,
            format!("/api/ai/packages/{package}"),
            described,
        ),
        (buyer, Method::POST, "/api/ai/quotes".to_owned(), quote),
        (buyer, Method::POST, TOP_UPS.to_owned(), top_up),
    ]
}

/// Everything that those writes would change.
async fn state(world: &World) -> String {
    sqlx::query_scalar(
        "select concat_ws(
             ' ',
             (select md5(string_agg(agents::text, '|' order by agent_id)) from agents),
             (select md5(string_agg(users.about, '|' order by id)) from users),
             (select md5(string_agg(listings::text, '|' order by package_id)) from listings),
             (select count(*) from api_keys), (select count(*) from quotes), (select count(*) from payments),
             (select md5(string_agg(packages.description, '|' order by id)) from packages)
         )",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_lease_is_lost_between_its_check_and_its_commit_changes_nothing() {
    let world = World::with_cards().await;
    let package = world.package_for(5.0).await;
    register(&world.seller, "broker").await;
    let before = state(&world).await;
    for (client, method, path, body) in writes(&world, &package) {
        let lease = acquire(client, "import").await;
        // Whoever takes the lease over has locked its row, and not yet committed: the check still finds it held.
        let mut taking_over = common::db::begin(&world.pool).await.unwrap();
        sqlx::query(
            "update leases
             set fence = nextval('lease_fences'), token_hash = sha256($1::text::bytea), holder = 'another'
             where fence = $2",
        )
        .bind(&path)
        .bind(lease["fence"].as_i64())
        .execute(&mut *taking_over)
        .await
        .unwrap();
        let write = client.request(method.clone(), &path);
        let write = write
            .header("lease-token", token(&lease))
            .header("if-match", "*");
        let write = if body.is_null() {
            write
        } else {
            write.json(&body)
        };
        let mut writing = tokio::spawn(send(write));
        tokio::select! {
            answer = &mut writing => panic!("{method} {path} did not wait: {}", answer.unwrap().text),
            () = blocked(&world, 1) => {}
        }
        taking_over.commit().await.unwrap();
        let late = writing.await.unwrap();
        assert_eq!(
            late.fault(),
            (410, "LEASE_LOST".to_owned()),
            "{method} {path}"
        );
        assert_eq!(
            reason(&late),
            (410, "UNDER_WAY".to_owned()),
            "{method} {path}"
        );
        assert_eq!(state(&world).await, before, "{method} {path}");
        expire(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_given_up_only_after_the_writes_under_it_and_extended_beside_them() {
    let world = World::only_api().await;
    let lease = acquire(&world.seller, "import").await;
    let owner = world.seller_id().await;
    let mut writing = common::db::begin(&world.pool).await.unwrap();
    sqlx::query("select require_lease($1, 'import', $2)")
        .bind(owner)
        .bind(lease["fence"].as_i64())
        .execute(&mut *writing)
        .await
        .unwrap();
    let extended = extend(&world.seller, "import", token(&lease), 300_000).await;
    assert_eq!(extended.status, 200, "{}", extended.text);
    assert_eq!(show(&world.seller, "import").await.status, 200);
    let releasing = tokio::spawn({
        let (seller, token) = (world.seller.clone(), token(&lease).to_owned());
        async move { release(&seller, "import", &token).await }
    });
    blocked(&world, 1).await;
    assert!(!releasing.is_finished());
    writing.commit().await.unwrap();
    assert_eq!(releasing.await.unwrap().status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_write_of_an_account_says_that_it_takes_a_lease() {
    let world = World::only_api().await;
    let document = world.document().await;
    let mut count = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let security = operation.get("security").map(Value::to_string);
            let is_of_an_account =
                security.is_none_or(|ways| ways.contains("apiKey") || ways.contains("accessToken"));
            let parameters = operation["parameters"].to_string();
            let takes = parameters.contains("Lease-Token");
            let is_write = method != "get";
            assert_eq!(takes, is_write && is_of_an_account, "{method} {path}");
            let says_gone = operation["responses"]["410"].is_object();
            assert!(says_gone || !takes, "{method} {path}");
            count += usize::from(takes);
        }
    }
    assert!(count > 40, "{count}");
}
