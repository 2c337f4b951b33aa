//! A defect is no outage: a worker gives up on it in bounded time, and an operator finds it.

use common::reqwest::Method;
use tests::client::send;
use tests::market::purchase_of;
use tests::{DEADLINE, World};

/// An outage would be waited for, for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_sale_that_the_ledger_has_already_ends_in_quarantine() {
    let mut world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 1_000).await;
    world.stop_worker().await;
    let post = buyer
        .client
        .request(Method::POST, "/api/ai/purchase-package");
    let post = post.header("prefer", "wait=0").json(&purchase_of(&package));
    let bought = send(post).await;
    assert_eq!(bought.status, 202, "{}", bought.text);
    sqlx::query(
        "select ledger_post('settlement', purchases.id, 'USD', 'req_defect', array[buyer_id, seller_id, $1],
                            array['buyer_credits', 'seller_earnings', 'platform_fees'], array[-500, 425, 75])
         from purchases
         where state = 'pending'",
    )
    .bind(uuid::Uuid::nil())
    .execute(&world.pool)
    .await
    .unwrap();
    world.start_worker().await;
    let quarantined =
        "select count(*) from jobs where name = 'settle_purchase' and state = 'quarantined'";
    let hurry = async {
        while world.count(quarantined).await == 0 {
            sqlx::query("update jobs set run_at = now() where state = 'ready' and run_at > now()")
                .execute(&world.pool)
                .await
                .unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, hurry)
        .await
        .expect("quarantine");
    let sales = "select count(*) from transfers where kind = 'settlement'";
    assert_eq!(world.count(sales).await, 1);
    assert_eq!(
        world
            .count("select count(*) from purchases where state = 'settled'")
            .await,
        0
    );
}
