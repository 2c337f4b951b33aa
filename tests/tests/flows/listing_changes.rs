//! Changes of a listing: whose they are, which version they start from, and what they cannot undo.

use common::catalog::LISTING_CHANGED;
use common::reqwest::Method;
use serde_json::{Value, json};
use tests::client::send;
use tests::{Answer, DEADLINE, Sample, World};

use super::listings::{change, path, published};

/// A world with one listing of the seller.
pub async fn listed(seed: u64) -> (World, String) {
    let world = World::start().await;
    let id = published(&world, &Sample::vector(seed).request()).await;
    (world, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_with_the_tag_that_was_shown_is_the_next_version_with_its_event() {
    let (world, id) = listed(321).await;
    let outbox = world.outbox().await;
    let mut changes = outbox.queue().subscribe(LISTING_CHANGED);
    // The empty message says that the topic is heard.
    assert_eq!(changes.recv().await.unwrap(), "");

    let shown = world.seller.get(&path(&id)).await;
    let tag = shown.header("etag").to_owned();
    let body = json!({ "price": 12.5, "licenseMode": "limited", "supply": 3 });
    let changed = change(&world.seller, &id, &tag, &body).await;
    assert_eq!((changed.status, changed.row_tag().as_str()), (200, "\"2\""));
    let data = changed.data();
    for (field, expected) in [
        ("price", json!(12.5)),
        ("priceMinor", json!(1250)),
        ("licenseMode", json!("limited")),
        ("supply", json!(3)),
        ("remaining", json!(3)),
        ("version", json!(2)),
    ] {
        assert_eq!(data[field], expected, "{field} in {data}");
    }
    let now = world.seller.get(&path(&id)).await;
    assert_eq!((now.row_tag().as_str(), now.data()), ("\"2\"", data));
    let next = change(
        &world.seller,
        &id,
        now.header("etag"),
        &json!({ "price": 0 }),
    )
    .await;
    assert_eq!((next.status, next.row_tag().as_str()), (200, "\"3\""));

    let announced = tokio::time::timeout(DEADLINE, changes.recv()).await;
    assert_eq!(announced.unwrap().unwrap(), id);
    let events: Vec<Value> = sqlx::query_scalar(
        "select data from events where event_type = 'listing.changed' order by id",
    )
    .fetch_all(&world.pool)
    .await
    .unwrap();
    assert_eq!(events.len(), 2);
    let prices =
        |event: &Value| [&event["before"], &event["after"]].map(|v| v["priceMinor"].clone());
    assert_eq!(prices(&events[0]), [json!(999), json!(1250)]);
    assert_eq!(prices(&events[1]), [json!(1250), json!(0)]);
    assert_eq!(events[0]["after"], events[1]["before"]);
    assert_eq!(
        world.count("select count(*) from listing_versions").await,
        3
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_tag_gets_the_current_version_and_a_missing_one_is_asked_for() {
    let (world, id) = listed(322).await;
    let cheaper = json!({ "price": 1 });
    assert_eq!(
        change(&world.seller, &id, "\"1\"", &cheaper).await.status,
        200
    );
    for stale in [
        "\"1\"",
        "\"3\"",
        "W/\"2\"",
        "\"abc\"",
        "\"02\"",
        "\"1\", \"7\"",
    ] {
        let refused = change(&world.seller, &id, stale, &json!({ "price": 5 })).await;
        assert_eq!(
            refused.fault(),
            (412, "PRECONDITION_FAILED".to_owned()),
            "{stale}"
        );
        assert_eq!(refused.details()["version"], 2, "{stale}");
        assert_eq!(refused.row_tag().as_str(), "\"2\"", "{stale}");
    }
    let request = world.seller.request(Method::PATCH, &path(&id));
    let refused = send(request.json(&json!({ "price": 5 }))).await;
    assert_eq!(refused.fault(), (428, "PRECONDITION_REQUIRED".to_owned()));
    assert!(refused.text.contains("If-Match"), "{}", refused.text);
    let broken = change(&world.seller, &id, "2", &json!({ "price": 5 })).await;
    assert_eq!(broken.fault(), (400, "INVALID_INPUT".to_owned()));
    assert!(broken.details()["If-Match"].is_string());
    assert_eq!(world.count("select price_minor from listings").await, 100);

    let any = change(&world.seller, &id, "*", &json!({ "price": 5 })).await;
    assert_eq!((any.status, any.row_tag().as_str()), (200, "\"3\""));
    let listed = change(&world.seller, &id, "\"2\", \"3\"", &json!({ "price": 6 })).await;
    assert_eq!((listed.status, listed.row_tag().as_str()), (200, "\"4\""));
    let same = change(&world.seller, &id, "\"4\"", &json!({ "price": 6 })).await;
    assert_eq!((same.status, same.row_tag().as_str()), (200, "\"4\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_changes_that_race_with_one_tag_one_wins_and_the_others_learn_the_version() {
    let (world, id) = listed(323).await;
    let bodies: Vec<Value> = (1..=8).map(|price| json!({ "price": price })).collect();
    let racing = bodies
        .iter()
        .map(|body| change(&world.seller, &id, "\"1\"", body));
    let answers: Vec<Answer> = futures::future::join_all(racing).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for answer in lost {
        assert_eq!(answer.fault(), (412, "PRECONDITION_FAILED".to_owned()));
        assert_eq!(answer.row_tag().as_str(), "\"2\"");
    }
    let now = world.seller.get(&path(&id)).await.data();
    assert_eq!(
        (&now["price"], &now["version"]),
        (&won[0].data()["price"], &json!(2))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_changes_the_listing_of_another() {
    let (world, id) = listed(324).await;
    let body = json!({ "price": 1 });
    let stranger = change(&world.stranger, &id, "*", &body).await;
    assert_eq!(stranger.fault(), (404, "NOT_FOUND".to_owned()));
    // Not even what version it is at.
    let stranger = change(&world.stranger, &id, "\"9\"", &body).await;
    assert_eq!(stranger.fault(), (404, "NOT_FOUND".to_owned()));
    let nobody = change(&world.anonymous, &id, "*", &body).await;
    assert_eq!(nobody.fault(), (401, "UNAUTHORIZED".to_owned()));
    let buyers_key =
        json!({ "userId": world.seller_id().await, "name": "buys", "permissions": ["purchase"] });
    let key = world.operator.post("/admin/keys", &buyers_key).await.data();
    let buyer = world.anonymous.with_token(key["apiKey"].as_str().unwrap());
    let forbidden = change(&buyer, &id, "*", &body).await;
    assert_eq!(forbidden.fault(), (403, "FORBIDDEN".to_owned()));
    let owners =
        json!({ "price": 1, "sellerId": uuid::Uuid::now_v7(), "apiKey": world.seller.token() });
    let claimed = change(&world.stranger, &id, "*", &owners).await;
    assert_eq!(claimed.fault().0, 400);
    assert_eq!(world.count("select version from listings").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_faulty_field_of_a_change_is_named_and_nothing_is_changed() {
    let (world, id) = listed(325).await;
    for (field, text) in [
        ("price", "9.999"),
        ("price", "-1"),
        ("price", "1e-3"),
        ("price", "1000000.01"),
        ("price", "\"9.99\""),
        ("licenseMode", "\"rented\""),
        ("licenseMode", "\"limited\",\"supply\":null,\"x\":1"),
        ("supply", "3"),
        ("supply", "2.5"),
        ("supply", "99999999999999999999"),
        ("status", "\"sold\""),
        ("status", "true"),
        ("webhookUrl", "\"ftp://example.com/x\""),
        ("webhookUrl", "7"),
        ("version", "2"),
        ("sellerId", "null"),
        ("taken", "0"),
        ("currency", "\"EUR\""),
    ] {
        let request = world.seller.request(Method::PATCH, &path(&id));
        let request = request.header("if-match", "\"1\"");
        let refused = send(request.body(format!("{{\"{field}\":{text}}}"))).await;
        let case = format!("{field} = {text}: {}", refused.text);
        assert_eq!(refused.fault(), (400, "INVALID_INPUT".to_owned()), "{case}");
        let named = if text.contains("\"x\"") { "x" } else { field };
        assert!(refused.details()[named].is_string(), "{case}");
    }
    let both = change(
        &world.seller,
        &id,
        "*",
        &json!({ "price": -1, "status": "x", "y": 1 }),
    )
    .await;
    for field in ["price", "status", "y"] {
        assert!(both.details()[field].is_string(), "{}", both.text);
    }
    for no_patch in [json!({ "price": null }), json!([]), json!(null)] {
        let refused = change(&world.seller, &id, "*", &no_patch).await;
        let expected = (400, "INVALID_INPUT".to_owned());
        assert_eq!(refused.fault(), expected, "{no_patch}");
    }
    assert_eq!(
        change(&world.seller, &id, "*", &json!({})).await.status,
        200
    );
    let unlimited = change(
        &world.seller,
        &id,
        "*",
        &json!({ "licenseMode": "limited" }),
    )
    .await;
    assert!(
        unlimited.details()["supply"].is_string(),
        "{}",
        unlimited.text
    );
    assert_eq!(world.count("select version from listings").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_change_gets_its_first_answer_and_a_key_has_one_change() {
    let (world, id) = listed(326).await;
    let once = async |key: &str, tag: &str, price: f64| {
        let request = world.seller.request(Method::PATCH, &path(&id));
        let request = request
            .header("if-match", tag)
            .header("idempotency-key", key);
        send(request.json(&json!({ "price": price }))).await
    };
    let first = once("reprice", "\"1\"", 3.0).await;
    assert_eq!(
        (first.status, first.header("idempotent-replayed")),
        (200, "")
    );
    assert_eq!(once("again", "\"2\"", 4.0).await.status, 200);
    let repeated = once("reprice", "\"1\"", 3.0).await;
    assert_eq!((repeated.status, repeated.json()), (200, first.json()));
    assert_eq!(repeated.header("idempotent-replayed"), "true");
    assert_eq!(repeated.header("etag"), first.header("etag"));
    for other in [
        once("reprice", "\"1\"", 5.0).await,
        once("reprice", "\"3\"", 3.0).await,
    ] {
        assert_eq!(other.fault(), (422, "IDEMPOTENCY_CONFLICT".to_owned()));
    }
    // A refusal uses up no key.
    assert_eq!(once("stale", "\"1\"", 6.0).await.status, 412);
    assert_eq!(once("stale", "\"3\"", 6.0).await.status, 200);

    let racing = (0..6).map(|_| once("race", "\"4\"", 7.0));
    let answers: Vec<Answer> = futures::future::join_all(racing).await;
    for answer in &answers {
        assert_eq!((answer.status, answer.row_tag().as_str()), (200, "\"5\""));
    }
    let replayed = |answer: &&Answer| answer.header("idempotent-replayed") == "true";
    assert_eq!(answers.iter().filter(replayed).count(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_the_webhook_address_signs_what_is_sent_there() {
    let (world, id) = listed(330).await;
    let new_key =
        json!({ "userId": world.seller_id().await, "name": "second", "permissions": ["upload"] });
    let key = world.operator.post("/admin/keys", &new_key).await.data();
    let second = world.anonymous.with_token(key["apiKey"].as_str().unwrap());
    let signer = async || -> String {
        sqlx::query_scalar("select api_key_id::text from listings")
            .fetch_one(&world.pool)
            .await
            .unwrap()
    };
    let first = signer().await;
    let dearer = change(&second, &id, "*", &json!({ "price": 20 })).await;
    assert_eq!((dearer.status, signer().await), (200, first.clone()));
    let address = json!({ "webhookUrl": world.webhook_url() });
    let told = change(&second, &id, "*", &address).await;
    assert_eq!(told.data()["webhookUrl"], world.webhook_url());
    assert_ne!(signer().await, first);
    assert_eq!(json!(signer().await), key["id"]);
    // The same address again is no change, whoever says it.
    let again = change(&world.seller, &id, "*", &address).await;
    assert_eq!(
        (again.row_tag().as_str(), signer().await),
        ("\"3\"", key["id"].as_str().unwrap().to_owned())
    );
    let silent = change(&world.seller, &id, "*", &json!({ "webhookUrl": null })).await;
    assert_eq!(silent.data()["webhookUrl"], json!(null));
    assert_eq!(silent.row_tag().as_str(), "\"4\"");
}
