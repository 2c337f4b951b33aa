//! Entity tags say whether what is shown has changed: all of it, in each version of the API.

use std::collections::BTreeSet;

use common::catalog::CATALOGUE;
use common::reqwest::Method;
use serde_json::json;
use tests::client::send;
use tests::{Answer, World, eventually};

use super::shelf::{Item, put};

/// Each field that a package shows, and how it changes.
const CHANGES: [(&str, &str); 15] = [
    (
        "priceMinor",
        "update listings set price_minor = 500, version = version + 1",
    ),
    (
        "licenseMode",
        "update listings set license_mode = 'limited', supply = 5, version = version + 1",
    ),
    ("name", "update packages set name = 'Another package'"),
    (
        "description",
        "update packages set description = 'Another one.'",
    ),
    ("category", "update packages set category = 'vision'"),
    ("tags", "update packages set tags = '{one}'"),
    ("version", "update packages set semver = '1.0.1'"),
    ("downloads", "update packages set downloads = downloads + 1"),
    ("sales", "update packages set sales = sales + 1"),
    ("stars", "update packages set star_count = star_count + 1"),
    (
        "rating",
        "update packages set rating_count = 1, rating_sum = 4",
    ),
    ("epsilon", "update packages set epsilon_measured = 0.01"),
    ("tier", "update packages set tier = 'gold'"),
    (
        "evidenceLevel",
        "update packages set evidence_level = 'verified'",
    ),
    (
        "sellerName",
        "update users set name = 'renamed' where name = 'seller'",
    ),
];

async fn run(world: &World, statement: &'static str) {
    let changed = sqlx::query(statement).execute(&world.pool).await;
    assert!(changed.unwrap().rows_affected() > 0, "{statement}");
    world.outbox().await.queue().outdate(CATALOGUE).await;
}

async fn known(world: &World, path: &str, tag: &str) -> Answer {
    let get = world.anonymous.request(Method::GET, path);
    send(get.header("if-none-match", tag)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_field_that_is_shown_changes_the_tag() {
    let world = World::only_api().await;
    let id = put(&world, &[Item::default()]).await.remove(0);
    let seller = world.seller_id().await;
    let paths = [
        format!("/api/ai/packages/{id}"),
        "/api/ai/packages".to_owned(),
        "/api/ai/packages/trending".to_owned(),
        "/api/ai/search-packages?query=package".to_owned(),
        "/api/ai/packages/best-matrix?sourceModel=gpt-3.5-turbo&targetModel=gpt-4".to_owned(),
        format!("/api/ai/sellers/{seller}"),
    ];
    for (field, statement) in CHANGES {
        let mut before = Vec::new();
        for path in &paths {
            let answer = world.anonymous.get(path).await;
            let again = known(&world, path, answer.header("etag")).await;
            assert_eq!(again.status, 304, "{path}");
            before.push(answer);
        }
        run(&world, statement).await;
        for (path, before) in paths.iter().zip(before) {
            let what = format!("{field} in {path}");
            let changed = eventually(&what, || async {
                let answer = known(&world, path, before.header("etag")).await;
                (answer.status == 200).then_some(answer)
            });
            let changed = changed.await;
            assert_ne!(changed.text, before.text, "{field} in {path}");
            assert_ne!(changed.header("etag"), before.header("etag"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listings_tag_moves_with_its_stock_and_its_version_stays() {
    let world = World::only_api().await;
    let id = put(&world, &[Item::default()]).await.remove(0);
    run(
        &world,
        "update listings set license_mode = 'limited', supply = 5, version = version + 1",
    )
    .await;
    let path = format!("/api/ai/listings/{id}");
    let full = world.anonymous.get(&path).await;
    let same = known(&world, &path, full.header("etag")).await;
    assert_eq!(same.status, 304);
    run(&world, "update packages set name = 'Another package'").await;
    let renamed = known(&world, &path, full.header("etag")).await;
    assert_eq!(renamed.status, 200);
    assert_ne!(renamed.header("etag"), full.header("etag"));
    assert_eq!(renamed.row_tag(), full.row_tag());
    let mine = world.seller.get(&path).await;
    assert_ne!(
        mine.header("etag"),
        renamed.header("etag"),
        "the seller sees more"
    );
    // What is compared before a change is the version: nobody else's act refuses it.
    for (tag, status) in [(full.header("etag"), 200), (full.header("etag"), 412)] {
        let patch = world.seller.request(Method::PATCH, &path);
        let patch = patch.header("if-match", tag).json(&json!({ "price": 2.5 }));
        assert_eq!(send(patch).await.status, status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_version_of_the_api_has_its_own_tag() {
    let world = World::only_api().await;
    let id = put(&world, &[Item::default()]).await.remove(0);
    for path in [
        format!("/api/ai/packages/{id}"),
        format!("/api/ai/listings/{id}"),
        "/api/ai/search-packages?query=package".to_owned(),
        "/api/ai/limits".to_owned(),
    ] {
        let get = |version: &str, tag: &str| {
            let get = world.anonymous.request(Method::GET, &path);
            let accept = format!("application/vnd.awareness.{version}+json");
            send(get.header("accept", accept).header("if-none-match", tag))
        };
        let mut tags = BTreeSet::new();
        for version in ["v1", "v2", "v3"] {
            let tag = get(version, "\"none\"").await.header("etag").to_owned();
            assert_eq!(get(version, &tag).await.status, 304, "{version} {path}");
            assert!(tags.insert(tag), "{version} {path}");
        }
        let others: Vec<&str> = tags.iter().map(String::as_str).collect();
        let of_v3 = get("v3", "\"none\"").await.header("etag").to_owned();
        for other in others.into_iter().filter(|tag| *tag != of_v3) {
            assert_eq!(get("v3", other).await.status, 200, "{path}");
        }
    }
}
