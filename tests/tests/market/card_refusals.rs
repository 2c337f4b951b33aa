//! What the card provider refuses us is not the buyer's fault.

use common::reqwest::Method;
use local::cards::method;
use serde_json::json;
use tests::cards::{TOP_UPS, top_up_of};
use tests::client::send;
use tests::eventually;

use super::card_faults::{accepted, world_without_worker};

/// Nobody is told that a card was declined, and nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_ours_that_the_provider_refuses_is_not_the_buyers_fault() {
    let mut world = world_without_worker().await;
    let (buyer, url) = accepted(&world).await;
    world.cards().revoke_key(true);
    world.start_worker().await;
    world
        .counts("select count(*) from jobs where name = 'process_payment' and state = 'ready' and attempts > 0", 1)
        .await;
    // Whoever waits is told that it is ours, and asks again with the same key.
    let post = || {
        let post = buyer.client.request(Method::POST, TOP_UPS);
        post.header("idempotency-key", "again")
            .json(&top_up_of(method::VISA))
    };
    let delayed = send(post()).await;
    assert_eq!(delayed.fault(), (503, "SERVICE_UNAVAILABLE".to_owned()));
    assert_eq!(delayed.json()["error"]["retryable"], true);
    let package = world.package_for(5.0).await;
    let bought = buyer.client.buy_by_card(&package, method::VISA).await;
    assert_eq!(bought.fault(), (503, "SERVICE_UNAVAILABLE".to_owned()));
    let shown = buyer.client.get(&url).await;
    assert_eq!(
        (shown.status, &shown.data()["status"]),
        (200, &json!("created"))
    );
    for inner in ["API Key", "invalid_request", "401", "sk_test"] {
        assert!(!shown.text.contains(inner), "{}", shown.text);
    }
    assert!(world.cards().charges().is_empty());

    world.cards().revoke_key(false);
    world
        .change("update jobs set run_at = now() where state = 'ready'")
        .await;
    assert_eq!(
        buyer.client.payment_ended(&url).await["status"],
        "succeeded"
    );
    eventually("the first answer again", || async {
        (send(post()).await.status == 200).then_some(())
    })
    .await;
    let settled = "select count(*) from purchases where state = 'settled'";
    world.counts(settled, 1).await;
    assert_eq!(world.credits(buyer.id).await, (4_000, 0));
    world.assert_money_is_right().await;
}
