//! The cache: many readers cost one look, and a change is seen by the next reader everywhere.

use common::reqwest::Method;
use futures::future::join_all;
use serde_json::json;
use tests::World;
use tests::client::send;

use super::shelf::{Item, names, put};

const SEARCH: &str = "/api/ai/search-packages?query=package";

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_seen_by_the_next_reader_on_every_replica() {
    let world = World::only_api().await;
    let (_api, other) = world.another_api().await;
    let ids = put(&world, &[Item::default()]).await;
    let price = |answer: tests::Answer| answer.data()["results"][0]["priceMinor"].as_i64().unwrap();
    for client in [&world.anonymous, &other] {
        assert_eq!(price(client.get(SEARCH).await), 999);
    }
    let path = format!("/api/ai/listings/{}", ids[0]);
    for cents in [500, 600, 700] {
        let patch = world
            .seller
            .request(Method::PATCH, &path)
            .header("if-match", "*");
        let changed = send(patch.json(&json!({ "price": f64::from(cents) / 100.0 }))).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        for client in [&world.anonymous, &other] {
            let seen = tests::eventually("the new price", || async {
                let seen = price(client.get(SEARCH).await);
                (seen == i64::from(cents)).then_some(seen)
            });
            seen.await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_is_not_sent_again() {
    let world = World::only_api().await;
    put(&world, &[Item::default()]).await;
    let first = world.anonymous.get(SEARCH).await;
    let get = world.anonymous.request(Method::GET, SEARCH);
    let again = send(get.header("if-none-match", first.header("etag"))).await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_ask_at_once_wait_for_one_look() {
    let world = World::only_api().await;
    put(&world, &[Item::default()]).await;
    let before = common::telemetry::metrics();
    let looked = || {
        let counter = before.catalogue_reads.with_label_values(&["postgres"]);
        counter.get()
    };
    // Other tests of this process count too, so the query is asked often: far more than they look.
    let start = looked();
    let answers = join_all((0..200).map(|_| world.anonymous.get(SEARCH))).await;
    assert!(
        answers
            .iter()
            .all(|answer| names(&answer.data()["results"]).len() == 1)
    );
    assert!(looked() - start < 100, "{}", looked() - start);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_announced_is_seen_once_its_time_is_over() {
    let world = World::only_api().await;
    put(&world, &[Item::default()]).await;
    assert_eq!(
        names(&world.anonymous.get(SEARCH).await.data()["results"]).len(),
        1
    );
    put(
        &world,
        &[Item {
            name: "Another package",
            ..Item::default()
        }],
    )
    .await;
    let other = "/api/ai/search-packages?query=another";
    assert_eq!(
        names(&world.anonymous.get(other).await.data()["results"])[0],
        "Another package"
    );
}
