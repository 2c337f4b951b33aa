//! Bytes are sold by whoever published them first, and never by their buyers.

use futures::future::join_all;
use serde_json::{Value, json};
use tests::market::User;
use tests::{Client, Sample, World};

/// Publishes: the final status.
async fn publish(client: &Client, sample: &Sample) -> Value {
    let answer = client.upload(&sample.request()).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    client.ended(&answer.upload_id()).await
}

/// Somebody who bought that package and has its bytes.
async fn buyer_of(world: &World, package: &str) -> (User, String) {
    let buyer = world.buyer("buyer", 5_000).await;
    let bought = buyer.client.buy(package).await;
    assert_eq!(bought.status, 200, "{}", bought.text);
    let path = format!("/api/ai/download-package?packageType=vector&packageId={package}");
    assert_eq!(buyer.client.get(&path).await.status, 200);
    let purchase = bought.data()["purchaseId"].as_str().unwrap().to_owned();
    (buyer, purchase)
}

async fn error_code(world: &World, upload_code: &'static str) -> i64 {
    sqlx::query_scalar("select count(*) from uploads where error_code = $1")
        .bind(upload_code)
        .fetch_one(&world.pool)
        .await
        .unwrap()
}

/// Download, full refund, resell the same bytes: what the attacker did.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_were_bought_are_not_sold_by_their_buyer() {
    let world = World::start().await;
    let goods = Sample::vector(1);
    let package = world.package_for(5.0).await;
    let (buyer, purchase) = buyer_of(&world, &package).await;
    let copied = publish(&buyer.client, &goods).await;
    assert_eq!(copied["status"], "failed", "{copied}");
    let path = format!("/api/ai/purchases/{purchase}/refund");
    let why = json!({ "reasonCode": "other", "reason": "I have it now." });
    assert_eq!(buyer.client.post(&path, &why).await.status, 200);
    let copied = publish(&buyer.client, &goods).await;
    assert_eq!(copied["status"], "failed", "{copied}");
    // Nor through another account, which never bought it.
    let copied = publish(&world.stranger, &goods).await;
    assert_eq!(copied["status"], "failed", "{copied}");
    assert!(copied["error"].as_str().unwrap().contains("Another seller"));
    assert_eq!(error_code(&world, "PUBLISHED_BY_ANOTHER").await, 3);
    // Each half of it is known: the matrix of what was bought under other vectors is refused too.
    let mixed = Sample {
        w_matrix: goods.w_matrix.clone(),
        epsilon: goods.epsilon,
        ..Sample::vector(2)
    };
    let copied = publish(&buyer.client, &mixed).await;
    assert_eq!(copied["status"], "failed", "{copied}");
    assert_eq!(error_code(&world, "BOUGHT_FROM_ANOTHER").await, 1);
    // Who never bought it may have the same matrix, and what is the buyer's own is sold.
    let own = publish(&world.stranger, &mixed).await;
    assert_eq!(own["status"], "completed", "{own}");
    let own = publish(&buyer.client, &Sample::vector(3)).await;
    assert_eq!(own["status"], "completed", "{own}");
    // Its seller sells it as often as he likes.
    let again = publish(&world.seller, &goods).await;
    assert_eq!(again["status"], "completed", "{again}");
}

/// A matrix that two sellers have without each other is nobody's; and one that its buyer published before
/// buying it elsewhere stays the buyer's.
#[tokio::test(flavor = "multi_thread")]
async fn a_matrix_that_others_have_too_is_free_to_its_buyers() {
    let world = World::start().await;
    let common = Sample::vector(1);
    let with_common = |seed| Sample {
        w_matrix: common.w_matrix.clone(),
        epsilon: common.epsilon,
        ..Sample::vector(seed)
    };
    let package = world.package_for(5.0).await;
    let early = world.buyer("early", 500).await;
    assert_eq!(
        publish(&early.client, &with_common(5)).await["status"],
        "completed"
    );
    assert_eq!(early.client.buy(&package).await.status, 200);
    assert_eq!(
        publish(&early.client, &with_common(6)).await["status"],
        "completed"
    );
    // Now there are two who sell it, so a third who bought it from one of them may too.
    let (buyer, _) = buyer_of(&world, &package).await;
    assert_eq!(
        publish(&buyer.client, &with_common(7)).await["status"],
        "completed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_publish_the_same_bytes_at_once_one_account_sells_them() {
    let world = World::start().await;
    let goods = Sample::vector(9);
    let mut rivals = Vec::new();
    for number in 0..6 {
        rivals.push(world.buyer(&format!("rival-{number}"), 0).await);
    }
    let ended = join_all(rivals.iter().map(|rival| publish(&rival.client, &goods))).await;
    let sold = ended
        .iter()
        .filter(|it| it["status"] == "completed")
        .count();
    let refused = ended.iter().filter(|it| it["status"] == "failed").count();
    assert_eq!((sold, refused), (1, 5), "{ended:?}");
    let sellers = "select count(distinct owner_id) from packages";
    assert_eq!(world.count(sellers).await, 1);
    assert_eq!(error_code(&world, "PUBLISHED_BY_ANOTHER").await, 5);
}
