//! Keys of an account: never wider than the key that makes them, replaced with an overlap, bounded by
//! budgets.

use common::reqwest::Method;
use serde_json::{Value, json};
use tests::client::send;
use tests::{Answer, Client, World};

async fn made(client: &Client, body: Value) -> Answer {
    client.post("/api/ai/keys", &body).await
}

fn with_key(world: &World, answer: &Answer) -> Client {
    let data = answer.data();
    world.anonymous.with_token(data["apiKey"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_listed_and_revoked_and_shown_once() {
    let world = World::only_api().await;
    let answer = made(&world.seller, json!({ "name": "laptop" })).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let data = answer.data();
    assert_eq!(
        data["permissions"],
        json!(["upload", "purchase", "download"])
    );
    let key = with_key(&world, &answer);
    assert_eq!(key.get("/api/ai/me").await.status, 200);
    let list = world.seller.get("/api/ai/keys").await;
    assert!(!list.text.contains(data["apiKey"].as_str().unwrap()));
    assert_eq!(list.data()["keys"][0]["id"], data["id"]);
    let path = format!("/api/ai/keys/{}", data["id"].as_str().unwrap());
    assert_eq!(world.stranger.delete(&path).await.status, 404);
    assert_eq!(world.seller.delete(&path).await.status, 200);
    assert_eq!(key.get("/api/ai/me").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_hands_on_no_more_than_it_has() {
    let world = World::only_api().await;
    let narrow = json!({
        "name": "manager",
        "permissions": ["purchase", "account"],
        "limits": { "budgetDayMinor": 1000, "packageTypes": ["vector"] },
    });
    let manager = with_key(&world, &made(&world.seller, narrow).await);
    for (permissions, limits) in [
        (
            json!(["upload"]),
            json!({ "budgetDayMinor": 1000, "packageTypes": ["vector"] }),
        ),
        (json!(["purchase"]), json!({})),
        (
            json!(["purchase"]),
            json!({ "budgetDayMinor": 1001, "packageTypes": ["vector"] }),
        ),
        (
            json!(["purchase"]),
            json!({ "budgetDayMinor": 10, "packageTypes": ["chain"] }),
        ),
    ] {
        let body = json!({ "name": "x", "permissions": permissions, "limits": limits });
        let answer = made(&manager, body).await;
        assert_eq!(
            answer.fault(),
            (403, "FORBIDDEN".to_owned()),
            "{}",
            answer.text
        );
    }
    let fits = json!({ "budgetDayMinor": 10, "packageTypes": ["vector"] });
    let body = json!({ "name": "x", "permissions": ["purchase"], "limits": fits });
    let buyer = made(&manager, body).await;
    assert_eq!(buyer.status, 201, "{}", buyer.text);
    let buyer = with_key(&world, &buyer);
    let answer = made(&buyer, json!({ "name": "y" })).await;
    assert_eq!(answer.fault(), (403, "FORBIDDEN".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_key_lives_on_for_its_overlap() {
    let world = World::only_api().await;
    let first = made(&world.seller, json!({ "name": "laptop" })).await;
    let path = format!(
        "/api/ai/keys/{}/rotate",
        first.data()["id"].as_str().unwrap()
    );
    let second = world
        .seller
        .post(&path, &json!({ "overlapSeconds": 3600 }))
        .await;
    assert_eq!(second.status, 201, "{}", second.text);
    for answer in [&first, &second] {
        assert_eq!(with_key(&world, answer).get("/api/ai/me").await.status, 200);
    }
    let path = format!(
        "/api/ai/keys/{}/rotate",
        second.data()["id"].as_str().unwrap()
    );
    let third = world
        .seller
        .post(&path, &json!({ "overlapSeconds": 0 }))
        .await;
    assert_eq!(
        with_key(&world, &second).get("/api/ai/me").await.status,
        401
    );
    assert_eq!(with_key(&world, &third).get("/api/ai/me").await.status, 200);
    let again = world.seller.post(&path, &json!({})).await;
    assert_eq!(again.fault(), (409, "CONFLICT".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_for_a_key_is_told_which_one_it_made() {
    let world = World::only_api().await;
    let ask = |name: &str| {
        let post = world.seller.request(Method::POST, "/api/ai/keys");
        send(
            post.header("idempotency-key", "k1")
                .json(&json!({ "name": name })),
        )
    };
    let (first, second) = (ask("laptop").await, ask("laptop").await);
    assert_eq!(first.data()["id"], second.data()["id"]);
    assert_eq!(
        ask("other").await.fault(),
        (422, "IDEMPOTENCY_CONFLICT".to_owned())
    );
    let keys = "select count(*) from api_keys where name = 'laptop'";
    assert_eq!(world.count(keys).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_spends_its_budget_and_not_a_cent_more_however_it_asks() {
    let world = World::start().await;
    let buyer = world.buyer("buyer", 10_000).await;
    let mut packages = Vec::new();
    for _ in 0..4 {
        packages.push(world.package_for(5.0).await);
    }
    let dear = world.package_for(9.0).await;
    let body = json!({
        "name": "agent",
        "limits": { "budgetDayMinor": 1200, "budgetPurchaseMinor": 800 },
    });
    let made = made(&buyer.client, body).await;
    let agent = with_key(&world, &made);
    let refused = agent.buy(&dear).await;
    assert_eq!(refused.fault(), (403, "FORBIDDEN".to_owned()));
    assert_eq!(refused.details()["reason"], "BEYOND_BUDGET");
    let answers = futures::future::join_all(packages.iter().map(|id| agent.buy(id))).await;
    let bought = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(
        bought, 2,
        "1000 of 1200 are spent, the third would be too much"
    );
    let me = agent.get("/api/ai/me").await.data();
    assert_eq!(me["key"]["spentDayMinor"], 1000);
    assert_eq!(me["key"]["leftDayMinor"], 200);

    let id = made.data()["id"].as_str().unwrap().to_owned();
    let next = buyer
        .client
        .post(&format!("/api/ai/keys/{id}/rotate"), &json!({}))
        .await;
    let left = packages
        .iter()
        .zip(&answers)
        .find(|(_, answer)| answer.status != 200);
    let refused = with_key(&world, &next).buy(left.unwrap().0).await;
    assert_eq!(
        refused.details()["left"],
        "2.00",
        "a new key of the line has no new budget"
    );
    world.assert_sound_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_for_one_type_buys_no_other_and_an_expired_one_nothing() {
    let world = World::start().await;
    let package = world.package_for(0.0).await;
    let buyer = world.buyer("buyer", 0).await;
    let chains = made(
        &buyer.client,
        json!({ "name": "chains", "limits": { "packageTypes": ["chain"] } }),
    )
    .await;
    let refused = with_key(&world, &chains).buy(&package).await;
    assert_eq!(refused.fault(), (403, "FORBIDDEN".to_owned()));
    let soon = json!({ "name": "soon", "limits": { "expiresAt": "2099-01-01T00:00:00Z" } });
    let soon = with_key(&world, &made(&buyer.client, soon).await);
    assert_eq!(soon.buy(&package).await.status, 200);
    world
        .change("update api_keys set expires_at = now() - interval '1 second' where name = 'soon'")
        .await;
    assert_eq!(soon.get("/api/ai/me").await.status, 401);
    for limits in [
        json!({ "budgetDayMinor": -1 }),
        json!({ "packageTypes": [] }),
        json!({ "expiresAt": "2001-01-01T00:00:00Z" }),
    ] {
        let answer = made(&buyer.client, json!({ "name": "x", "limits": limits })).await;
        assert_eq!(
            answer.fault(),
            (400, "INVALID_INPUT".to_owned()),
            "{}",
            answer.text
        );
    }
}
