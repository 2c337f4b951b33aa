//! Listings: what everybody sees, what the seller alone sees, and how a package is sold from its
//! first moment on.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use common::reqwest::{self, Method};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tests::client::send;
use tests::{Answer, Client, Sample, World};

/// The address of a listing.
pub fn path(package_id: &str) -> String {
    format!("/api/ai/listings/{package_id}")
}

/// Publishes a package of the seller and answers its id.
pub async fn published(world: &World, request: &Value) -> String {
    let ended = world.publish(request).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    ended["packageId"].as_str().unwrap().to_owned()
}

/// Changes a listing, knowing that entity tag.
pub async fn change(client: &Client, package_id: &str, if_match: &str, body: &Value) -> Answer {
    let request = client.request(Method::PATCH, &path(package_id));
    send(request.header("if-match", if_match).json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_is_shown_to_everybody_and_its_webhook_to_its_seller_alone() {
    let world = World::start().await;
    let sample = Sample::vector(301);
    let url = world.webhook_url();
    let id = published(&world, &sample.request_with_webhook(&url)).await;
    for caller in [&world.anonymous, &world.stranger, &world.seller] {
        let answer = caller.get(&path(&id)).await;
        assert_eq!(answer.row_tag().as_str(), "\"1\"");
        assert_eq!(answer.header("cache-control"), "no-store");
        let data = answer.data();
        let digest = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
        for (field, expected) in [
            ("packageId", json!(id)),
            ("packageType", json!("vector")),
            ("name", json!("GPT-4 Vision Capabilities")),
            ("packageSha256", json!(digest(&sample.package))),
            ("wMatrixSha256", json!(digest(&sample.w_matrix))),
            ("price", json!(9.99)),
            ("priceMinor", json!(999)),
            ("currency", json!("USD")),
            ("licenseMode", json!("unlimited")),
            ("supply", json!(null)),
            ("remaining", json!(null)),
            ("soldOut", json!(false)),
            ("status", json!("active")),
            ("version", json!(1)),
        ] {
            assert_eq!(data[field], expected, "{field} in {data}");
        }
    }
    let seen_by_stranger = world.stranger.get(&path(&id)).await.data();
    assert_eq!(seen_by_stranger.get("webhookUrl"), None);
    let seen_by_seller = world.seller.get(&path(&id)).await.data();
    assert_eq!(seen_by_seller["webhookUrl"], url.as_str());

    let broken = world.anonymous.with_token("ak_ai_nothing");
    assert_eq!(broken.get(&path(&id)).await.fault().0, 401);
    let unknown = format!("pkg_{}", uuid::Uuid::now_v7().simple());
    for unknown in [unknown.as_str(), "pkg_1", "nonsense"] {
        let refused = world.anonymous.get(&path(unknown)).await;
        assert_eq!(refused.fault(), (404, "NOT_FOUND".to_owned()), "{unknown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_listing_is_visible_as_paused_and_a_removed_one_to_its_seller_alone() {
    let world = World::start().await;
    let id = published(&world, &Sample::vector(302).request()).await;
    let paused = change(&world.seller, &id, "\"1\"", &json!({ "status": "paused" })).await;
    assert_eq!(paused.status, 200, "{}", paused.text);
    let seen = world.anonymous.get(&path(&id)).await.data();
    assert_eq!(
        (&seen["status"], &seen["version"]),
        (&json!("paused"), &json!(2))
    );

    let removed = json!({ "status": "removed" });
    let answer = change(&world.seller, &id, "\"2\"", &removed).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for stranger in [&world.anonymous, &world.stranger] {
        let refused = stranger.get(&path(&id)).await;
        assert_eq!(refused.fault(), (404, "NOT_FOUND".to_owned()));
    }
    let seen = world.seller.get(&path(&id)).await.data();
    assert_eq!(seen["status"], "removed");

    for body in [
        json!({ "status": "active" }),
        json!({ "status": "paused" }),
        json!({ "price": 1 }),
        json!({ "licenseMode": "exclusive" }),
    ] {
        let refused = change(&world.seller, &id, "\"3\"", &body).await;
        assert_eq!(refused.fault(), (409, "CONFLICT".to_owned()), "{body}");
    }
    // It is removed already: nothing to refuse, and no version.
    let again = change(&world.seller, &id, "\"3\"", &removed).await;
    assert_eq!((again.status, again.row_tag().as_str()), (200, "\"3\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_pages_through_the_own_listings_alone() {
    let world = World::start().await;
    let mut ids = Vec::new();
    for seed in 303..306 {
        ids.push(published(&world, &Sample::vector(seed).request()).await);
    }
    let removed = json!({ "status": "removed" });
    assert_eq!(
        change(&world.seller, &ids[0], "*", &removed).await.status,
        200
    );
    ids.reverse();

    let mut seen = Vec::new();
    let mut address = "/api/ai/listings?limit=2".to_owned();
    for pages_left in [1, 0] {
        let page = world.seller.get(&address).await.data();
        let listings = page["listings"].as_array().unwrap().clone();
        seen.extend(
            listings
                .into_iter()
                .map(|listing| listing["packageId"].clone()),
        );
        match page["nextCursor"].as_str() {
            Some(next) => address = format!("/api/ai/listings?limit=2&cursor={next}"),
            None => assert_eq!(pages_left, 0),
        }
    }
    assert_eq!(json!(seen), json!(ids));
    let exact = world.seller.get("/api/ai/listings?limit=3").await.data();
    assert_eq!(exact["nextCursor"], json!(null));

    let none = world.stranger.get("/api/ai/listings").await.data();
    assert_eq!(none["listings"], json!([]));
    let nobody = world.anonymous.get("/api/ai/listings").await;
    assert_eq!(nobody.fault(), (401, "UNAUTHORIZED".to_owned()));
    for query in [
        "limit=0",
        "limit=201",
        "cursor=pkg_1",
        "cursor=x",
        "seller=1",
    ] {
        let refused = world.seller.get(&format!("/api/ai/listings?{query}")).await;
        assert_eq!(
            refused.fault(),
            (400, "INVALID_INPUT".to_owned()),
            "{query}"
        );
    }
}

fn sold_as(sample: &Sample, mode: &str, supply: Option<i64>) -> Value {
    let mut request = sample.request();
    request["licenseMode"] = mode.into();
    if let Some(supply) = supply {
        request["supply"] = supply.into();
    }
    request
}

async fn assert_sold_as(world: &World, id: &str, mode: &str, supply: Option<i64>) {
    let data = world.anonymous.get(&path(id)).await.data();
    assert_eq!(data["licenseMode"], mode, "{data}");
    assert_eq!(data["supply"], json!(supply), "{data}");
    assert_eq!(data["remaining"], json!(supply), "{data}");
    assert_eq!(data["version"], 1, "its first version says so: {data}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_as_json_is_listed_as_it_says_from_the_first_version_on() {
    let world = World::start().await;
    for (seed, mode, supply, shown) in [
        (306, "unlimited", None, None),
        (307, "limited", Some(1_000_000), Some(1_000_000)),
        (308, "exclusive", None, Some(1)),
    ] {
        let request = sold_as(&Sample::vector(seed), mode, supply);
        let id = published(&world, &request).await;
        assert_sold_as(&world, &id, mode, shown).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_as_a_form_is_listed_as_it_says() {
    let world = World::start().await;
    let request = sold_as(&Sample::vector(309), "limited", Some(7));
    let mut form = reqwest::multipart::Form::new();
    for (name, value) in request.as_object().unwrap() {
        form = match (name.as_str(), value.as_str()) {
            ("vectorData" | "wMatrixData", Some(text)) => {
                let bytes = BASE64_STANDARD.decode(text).unwrap();
                form.part(name.clone(), reqwest::multipart::Part::bytes(bytes))
            }
            (_, Some(text)) => form.text(name.clone(), text.to_owned()),
            (_, None) => form.text(name.clone(), value.to_string()),
        };
    }
    let post = world.seller.request(Method::POST, "/api/ai/upload-package");
    let answer = send(post.multipart(form)).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let ended = world.seller.ended(&answer.upload_id()).await;
    let id = ended["packageId"].as_str().unwrap();
    assert_sold_as(&world, id, "limited", Some(7)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_presigned_session_keeps_how_its_package_is_sold() {
    let world = World::only_api().await;
    let sample = Sample::vector(310);
    let mut session = sold_as(&sample, "exclusive", None);
    let fields = session.as_object_mut().unwrap();
    for (data, name, bytes) in [
        ("vectorData", "package", &sample.package),
        ("wMatrixData", "wMatrix", &sample.w_matrix),
    ] {
        fields.remove(data);
        fields.insert(format!("{name}SizeBytes"), bytes.len().into());
        let digest = hex::encode(Sha256::digest(bytes));
        fields.insert(format!("{name}Sha256"), digest.into());
    }
    let opened = world.seller.post("/api/ai/uploads", &session).await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    let kept = "select count(*) from uploads where license_mode = 'exclusive' and supply = 1";
    assert_eq!(world.count(kept).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_with_a_mode_and_a_supply_that_do_not_fit_is_refused_by_field() {
    let world = World::only_api().await;
    let request = Sample::vector(311).request();
    for (mode, supply, field) in [
        (json!("rented"), json!(null), "licenseMode"),
        (json!(1), json!(null), "licenseMode"),
        (json!("limited"), json!(null), "supply"),
        (json!("limited"), json!(0), "supply"),
        (json!("limited"), json!(1_000_001), "supply"),
        (json!("limited"), json!(-1), "supply"),
        (json!("limited"), json!(2.5), "supply"),
        (json!("limited"), json!("2"), "supply"),
        (json!("exclusive"), json!(2), "supply"),
        (json!("unlimited"), json!(2), "supply"),
        (json!(null), json!(2), "supply"),
    ] {
        let mut faulty = request.clone();
        (faulty["licenseMode"], faulty["supply"]) = (mode.clone(), supply.clone());
        let refused = world.seller.upload(&faulty).await;
        let case = format!("{mode} with {supply}: {}", refused.text);
        assert_eq!(refused.fault(), (400, "INVALID_INPUT".to_owned()), "{case}");
        assert!(refused.details()[field].is_string(), "{case}");
    }
    assert_eq!(world.count("select count(*) from uploads").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_name_of_the_license_mode_is_accepted_alone_and_the_new_one_is_shown() {
    let world = World::only_api().await;
    let mut request = Sample::vector(313).request();
    request["licenceMode"] = json!("exclusive");
    assert_eq!(world.seller.upload(&request).await.status, 202);
    let kept = "select count(*) from uploads where license_mode = 'exclusive' and supply = 1";
    assert_eq!(world.count(kept).await, 1);

    request["licenceMode"] = json!("rented");
    let refused = world.seller.upload(&request).await;
    assert!(
        refused.details()["licenceMode"].is_string(),
        "{}",
        refused.text
    );
    (request["licenceMode"], request["licenseMode"]) = (json!("exclusive"), json!("unlimited"));
    let refused = world.seller.upload(&request).await;
    assert_eq!(
        refused.details()["licenceMode"],
        "is the old name of licenseMode: send one of them",
        "{}",
        refused.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_idempotency_key_does_not_sell_one_package_in_two_modes() {
    let world = World::only_api().await;
    let sample = Sample::vector(312);
    let first = world.seller.upload_once("mode", &sample.request()).await;
    assert_eq!(first.status, 202, "{}", first.text);
    let other = sold_as(&sample, "exclusive", None);
    let refused = world.seller.upload_once("mode", &other).await;
    assert_eq!(refused.fault(), (422, "IDEMPOTENCY_CONFLICT".to_owned()));
}
