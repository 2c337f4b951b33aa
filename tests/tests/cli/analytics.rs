//! `awareness analytics`, with and without a scheduler that leads.

use chrono::{TimeDelta, Utc};

use super::ground::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_market_is_shown_and_rebuilt_while_a_scheduler_leads() {
    let world = World::start().await;
    let key = ["keys", "create", "--user", "acme", "--name", "ci"];
    let key = [&key[..], &["--permissions", "upload"]].concat();
    world.call(&key).await.done();
    let shown = world.call(&["analytics", "show", "--period", "hour"]).await;
    let table = shown.done();
    assert_eq!(table.lines().count(), 25, "{table}");
    assert!(
        table.starts_with("FROM") && table.contains("0.00 USD"),
        "{table}"
    );

    let today = Utc::now().date_naive();
    let [from, to] = [today, today + TimeDelta::days(1)].map(|day| day.to_string());
    let rebuild = ["analytics", "rebuild", "--from", &from, "--to", &to];
    let alone = world.call(&[&rebuild[..], &["--wait", "1"]].concat()).await;
    assert!(alone.failed(1).contains("does a scheduler lead?"));
    let scheduler = world.scheduler().await;
    let counted = world.call(&rebuild).await.done();
    assert_eq!(counted, "All hours are counted.\n");
    let backwards = ["analytics", "rebuild", "--from", &to, "--to", &from];
    let refused = world.call(&backwards).await.failed(1);
    assert!(refused.contains("from must be before to"), "{refused}");
    let unusable = ["analytics", "rebuild", "--from", "yesterday", "--to", &to];
    world.call(&unusable).await.failed(2);
    scheduler.stop().await;
    world.stop().await;
}
