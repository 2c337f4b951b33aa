//! Handing back what was downloaded: for a reason, a few times, and without the budget that it was bought
//! with.

use common::limits::RETURNS_MAX;
use futures::future::join_all;
use serde_json::{Value, json};
use tests::market::User;
use tests::{Answer, Client, World};

use super::sales::{Sale, assert_books_balance};

/// A reason that suffices.
fn why() -> Value {
    json!({ "reasonCode": "does_not_work", "reason": "It maps nothing." })
}

/// Asks for the addresses of the bytes.
async fn download(client: &Client, package: &str) {
    let path = format!("/api/ai/download-package?packageType=vector&packageId={package}");
    let given = client.get(&path).await;
    assert_eq!(given.status, 200, "{}", given.text);
}

async fn hand_back(sale: &Sale, body: &Value) -> Answer {
    let path = format!("{}/refund", sale.path());
    sale.buyer.client.post(&path, body).await
}

/// A package of its own that the buyer buys, and downloads.
async fn downloaded(world: &World, buyer: &User) -> Sale {
    let package = world.package_for(1.0).await;
    let bought = buyer.client.buy(&package).await;
    assert_eq!(bought.status, 200, "{}", bought.text);
    download(&buyer.client, &package).await;
    Sale {
        purchase: bought.data()["purchaseId"].as_str().unwrap().to_owned(),
        buyer: buyer.clone(),
        package,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_downloaded_is_handed_back_for_a_reason_and_what_was_not_without() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let untouched = Sale::to(&world, &package, "untouched", 5.0).await;
    let touched = Sale::to(&world, &package, "touched", 5.0).await;
    assert_eq!(hand_back(&untouched, &json!({})).await.status, 200);
    download(&touched.buyer.client, &package).await;
    for body in [
        json!({}),
        json!({ "reason": "It maps nothing." }),
        json!({ "reasonCode": "other" }),
        json!({ "reasonCode": "other", "reason": " " }),
    ] {
        let refused = hand_back(&touched, &body).await;
        assert_eq!(refused.fault(), (400, "INVALID_INPUT".to_owned()), "{body}");
        assert!(refused.details()["reasonCode"].is_string());
    }
    let unknown = json!({ "reasonCode": "greed", "reason": "I have it now." });
    assert_eq!(hand_back(&touched, &unknown).await.status, 400);
    for _ in 0..2 {
        let refunded = hand_back(&touched, &why()).await;
        assert_eq!(refunded.data()["status"], "refunded", "{}", refunded.text);
    }
    let noted = "select count(*) from purchases where return_reason = 'does_not_work'";
    assert_eq!(world.count(noted).await, 1);
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_hands_few_downloaded_packages_back_and_then_disputes() {
    let world = World::start().await;
    let buyer = world.buyer("reader", 1_000).await;
    let mut sales = Vec::new();
    for _ in 0..RETURNS_MAX + 3 {
        sales.push(downloaded(&world, &buyer).await);
    }
    // However many are handed back at once.
    let body = why();
    let answers = join_all(sales.iter().map(|sale| hand_back(sale, &body))).await;
    let refunded = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(i64::try_from(refunded).unwrap(), RETURNS_MAX);
    let refused: Vec<usize> = (0..sales.len())
        .filter(|place| answers[*place].status != 200)
        .collect();
    for place in &refused {
        let answer = &answers[*place];
        assert_eq!(answer.fault(), (409, "CONFLICT".to_owned()));
        assert_eq!(answer.details()["reason"], "TOO_MANY_RETURNS");
    }
    // What was not downloaded is no return; a dispute and an operator are the ways that are left.
    let package = world.package_for(1.0).await;
    let fresh = buyer.client.buy(&package).await.data();
    let path = format!(
        "/api/ai/purchases/{}/refund",
        fresh["purchaseId"].as_str().unwrap()
    );
    assert_eq!(buyer.client.post(&path, &json!({})).await.status, 200);
    assert_eq!(sales[refused[0]].dispute("corrupt").await.status, 201);
    let by_operator = sales[refused[1]].refund_by_operator(&world).await;
    assert_eq!(by_operator.status, 200, "{}", by_operator.text);
    // Thirty days later the account may again.
    world
        .change("update purchases set finished_at = finished_at - interval '30 days' where return_reason is not null")
        .await;
    assert_eq!(hand_back(&sales[refused[2]], &body).await.status, 200);
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_gives_no_budget_back_that_was_spent_on_a_download() {
    let world = World::start().await;
    let owner = world.buyer("owner", 2_000).await;
    let key = json!({
        "name": "agent",
        "permissions": ["purchase", "download"],
        "limits": { "budgetDayMinor": 200 },
    });
    let made = owner.client.post("/api/ai/keys", &key).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let agent = User {
        id: owner.id,
        client: world
            .anonymous
            .with_token(made.data()["apiKey"].as_str().unwrap()),
    };
    let left = async || {
        let shown = agent.client.get("/api/ai/me").await.data();
        shown["key"]["leftDayMinor"].clone()
    };
    let package = world.package_for(1.0).await;
    let untouched = agent.client.buy(&package).await.data();
    let path = format!(
        "/api/ai/purchases/{}/refund",
        untouched["purchaseId"].as_str().unwrap()
    );
    assert_eq!(left().await, 100);
    assert_eq!(agent.client.post(&path, &json!({})).await.status, 200);
    assert_eq!(left().await, 200, "nothing was had for it");
    for spent in 1..=2 {
        let sale = downloaded(&world, &agent).await;
        assert_eq!(hand_back(&sale, &why()).await.status, 200);
        assert_eq!(left().await, 200 - spent * 100);
    }
    let package = world.package_for(1.0).await;
    let refused = agent.client.buy(&package).await;
    assert_eq!(
        refused.details()["reason"],
        "BEYOND_BUDGET",
        "{}",
        refused.text
    );
    assert_eq!(world.credits(owner.id).await, (2_000, 0));
    assert_books_balance(&world).await;
}
