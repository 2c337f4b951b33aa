//! Reputation counts accounts that paid, each once, and forgets refunds.

use common::reqwest::Method;
use serde_json::{Value, json};
use tests::client::send;
use tests::market::User;
use tests::{Sample, World, eventually};

use super::shelf::names;

async fn package(world: &World, seed: u64, price: f64) -> String {
    let mut request = Sample::vector(seed).request();
    request["price"] = json!(price);
    request["name"] = json!(format!("Package {seed}"));
    let status = world.publish(&request).await;
    status["packageId"].as_str().unwrap().to_owned()
}

/// What everybody sees of a package.
async fn shown(world: &World, package: &str) -> (Value, Value, Value) {
    let path = format!("/api/ai/packages/{package}");
    let mut data = world.anonymous.get(&path).await.data();
    (
        data["rating"].take(),
        data["reviews"].take(),
        data["stars"].take(),
    )
}

async fn buy(user: &User, package: &str) -> String {
    let bought = user.client.buy(package).await;
    assert_eq!(bought.status, 200, "{}", bought.text);
    bought.data()["purchaseId"].as_str().unwrap().to_owned()
}

async fn praise(user: &User, package: &str, rating: i64) {
    for (thing, body) in [
        ("reviews", json!({ "rating": rating })),
        ("star", json!({})),
    ] {
        let path = format!("/api/ai/packages/{package}/{thing}");
        let answer = send(user.client.request(Method::PUT, &path).json(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

async fn refund(user: &User, purchase: &str) {
    let path = format!("/api/ai/purchases/{purchase}/refund");
    let body = json!({ "reasonCode": "not_as_described", "reason": "It is not what was said." });
    let refunded = user.client.post(&path, &body).await;
    assert_eq!(refunded.status, 200, "{}", refunded.text);
}

async fn download(user: &User, package: &str) {
    let path = format!("/api/ai/download-package?packageType=vector&packageId={package}");
    assert_eq!(user.client.get(&path).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_refunded_buyer_said_has_no_weight_until_it_buys_again() {
    let world = World::start().await;
    let package = package(&world, 1, 5.0).await;
    let (one, other) = (
        world.buyer("one", 2_000).await,
        world.buyer("other", 2_000).await,
    );
    let bought = buy(&one, &package).await;
    buy(&other, &package).await;
    praise(&one, &package, 1).await;
    praise(&other, &package, 5).await;
    assert_eq!(
        shown(&world, &package).await,
        (json!(3.0), json!(2), json!(2))
    );
    refund(&one, &bought).await;
    assert_eq!(
        shown(&world, &package).await,
        (json!(5.0), json!(1), json!(1)),
        "seen at once"
    );
    buy(&one, &package).await;
    eventually("its word has weight again", || async {
        // Any change makes the cache look again.
        world.outbox().await.queue().outdate("catalogue").await;
        let seen = shown(&world, &package).await;
        (seen == (json!(3.0), json!(2), json!(2))).then_some(())
    })
    .await;
    world.assert_sound_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_paid_nothing_makes_no_reputation() {
    let world = World::start().await;
    let package = package(&world, 1, 0.0).await;
    let buyer = world.buyer("buyer", 500).await;
    buy(&buyer, &package).await;
    praise(&buyer, &package, 5).await;
    assert_eq!(
        shown(&world, &package).await,
        (Value::Null, json!(0), json!(0))
    );
    let path = format!("/api/ai/packages/{package}/reviews");
    let data = world.anonymous.get(&path).await.data();
    assert_eq!(data["reviews"][0]["rating"], 5, "it is there to be read");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_trends_a_package_once_however_often_it_comes_back() {
    let world = World::start().await;
    let (loud, quiet) = (package(&world, 1, 1.0).await, package(&world, 2, 1.0).await);
    let (one, two, three) = (
        world.buyer("one", 500).await,
        world.buyer("two", 500).await,
        world.buyer("three", 500).await,
    );
    let loud_purchase = buy(&one, &loud).await;
    buy(&two, &quiet).await;
    buy(&three, &quiet).await;
    for _ in 0..30 {
        download(&one, &loud).await;
    }
    download(&two, &quiet).await;
    let folded = || async {
        let waiting = world.count("select count(*) from package_deltas").await;
        (waiting == 0).then_some(())
    };
    eventually("all is counted", folded).await;
    let days: Vec<(String, i64, i64)> = sqlx::query_as(
        "select public_id, package_days.sales, package_days.downloads
         from package_days
         join packages on packages.id = package_id
         order by packages.id",
    )
    .fetch_all(&world.pool)
    .await
    .unwrap();
    assert_eq!(days, [(loud.clone(), 1, 1), (quiet.clone(), 2, 1)]);
    world.outbox().await.queue().outdate("catalogue").await;
    for path in ["packages/trending", "packages?sort=downloads", "packages"] {
        let data = world.anonymous.get(&format!("/api/ai/{path}")).await.data();
        assert_eq!(
            names(&data["packages"]),
            ["Package 2", "Package 1"],
            "{path}"
        );
    }
    // What is shown of the loud one is the plain count.
    let path = format!("/api/ai/packages/{loud}");
    assert_eq!(world.anonymous.get(&path).await.data()["downloads"], 30);

    refund(&one, &loud_purchase).await;
    eventually("the refund is counted", folded).await;
    let left = world
        .count(
            "select (select sum(buyers + downloaders) from packages where name = 'Package 1')::bigint
                  + (select sum(abs(package_days.sales) + abs(package_days.downloads))
                     from package_days
                     join packages on packages.id = package_id
                     where name = 'Package 1')::bigint",
        )
        .await;
    assert_eq!(left, 0, "nothing is left of what was handed back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sellers_figures_count_accounts() {
    let world = World::start().await;
    let package = package(&world, 1, 1.0).await;
    let buyer = world.buyer("buyer", 500).await;
    buy(&buyer, &package).await;
    for _ in 0..5 {
        download(&buyer, &package).await;
    }
    let path = format!("/api/ai/sellers/{}", world.seller_id().await);
    eventually("one account", || async {
        world.outbox().await.queue().outdate("catalogue").await;
        let figures = world.anonymous.get(&path).await.data()["figures"].take();
        (figures["sales"] == 1 && figures["downloads"] == 1).then_some(())
    })
    .await;
}
