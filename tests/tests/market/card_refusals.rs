//! What the card provider refuses us is not the buyer's fault.

use serde_json::json;

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
    assert_eq!(world.cards().charges().len(), 1);
    assert_eq!(world.credits(buyer.id).await, (2_000, 0));
}
