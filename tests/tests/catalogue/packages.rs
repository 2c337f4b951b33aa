//! Single packages: details, drafts, later versions, and what a seller may change.

use common::reqwest::Method;
use serde_json::{Value, json};
use tests::client::send;
use tests::{Answer, Client, Sample, World};

async fn publish(world: &World, seed: u64, extra: Value) -> Answer {
    let mut request = Sample::vector(seed).request();
    let (object, extra) = (
        request.as_object_mut().unwrap(),
        extra.as_object().unwrap().clone(),
    );
    object.extend(extra);
    let answer = world.seller.upload(&request).await;
    if answer.status == 202 {
        let ended = world.seller.ended(&answer.upload_id()).await;
        assert_eq!(ended["status"], "completed", "{ended}");
    }
    answer
}

async fn newest_id(world: &World) -> String {
    sqlx::query_scalar("select public_id from packages order by id desc limit 1")
        .fetch_one(&world.pool)
        .await
        .unwrap()
}

async fn patch(client: &Client, path: &str, etag: &str, body: Value) -> Answer {
    let patch = client.request(Method::PATCH, path);
    send(patch.header("if-match", etag).json(&body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_package_is_found_with_all_that_its_upload_said() {
    let world = World::start().await;
    let extra = json!({ "category": "vision", "tags": ["images", "charts"], "version": "2.1.0" });
    assert_eq!(publish(&world, 1, extra).await.status, 202);
    let id = newest_id(&world).await;
    let answer = world.anonymous.get(&format!("/api/ai/packages/{id}")).await;
    let data = answer.data();
    assert_eq!(data["packageId"], id);
    assert_eq!(data["category"], "vision");
    assert_eq!(data["tags"], json!(["images", "charts"]));
    assert_eq!(data["version"], "2.1.0");
    assert!(data["tier"].is_string(), "{data}");
    assert!(data["sourceDimension"].as_i64().unwrap() > 0);
    assert!(data["epsilonMeasured"].as_f64().unwrap() > 0.0);
    assert_eq!(data["status"], "active");
    assert_eq!(answer.row_tag().as_str(), "\"1\"");
    let page = world.anonymous.get(&format!("/packages/{id}")).await;
    assert_eq!(page.header("location"), format!("/api/ai/packages/{id}"));
    let unknown = world.anonymous.get("/api/ai/packages/pkg_0").await;
    assert_eq!(unknown.fault(), (404, "NOT_FOUND".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_its_sellers_alone_until_it_is_activated() {
    let world = World::start().await;
    publish(&world, 1, json!({ "draft": true })).await;
    let id = newest_id(&world).await;
    let path = format!("/api/ai/packages/{id}");
    let listing = format!("/api/ai/listings/{id}");
    for path in [&path, &listing] {
        assert_eq!(world.anonymous.get(path).await.status, 404, "{path}");
        assert_eq!(world.stranger.get(path).await.status, 404, "{path}");
        assert_eq!(
            world.seller.get(path).await.data()["status"],
            "draft",
            "{path}"
        );
    }
    let buyer = world.buyer("buyer", 5000).await;
    assert_ne!(buyer.client.buy(&id).await.status, 200);
    let all = world.anonymous.get("/api/ai/packages").await.data();
    assert_eq!(all["packages"], json!([]));
    let changed = patch(&world.seller, &listing, "*", json!({ "status": "active" })).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(world.anonymous.get(&path).await.status, 200);
    let back = patch(&world.seller, &listing, "*", json!({ "status": "draft" })).await;
    assert_eq!(back.fault(), (409, "CONFLICT".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_version_takes_the_place_of_the_earlier_one() {
    let world = World::start().await;
    publish(&world, 1, json!({ "version": "1.0.0" })).await;
    let first = newest_id(&world).await;
    let next = json!({ "versionOf": first, "version": "1.1.0" });
    publish(&world, 2, next).await;
    let second = newest_id(&world).await;
    assert_ne!(first, second);
    let all = world.anonymous.get("/api/ai/packages").await.data();
    let ids: Vec<&Value> = all["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["packageId"])
        .collect();
    assert_eq!(ids, [&json!(second)]);
    let path = format!("/api/ai/packages/{first}/versions");
    let versions = world.anonymous.get(&path).await.data();
    let told: Vec<(&str, bool)> = versions["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (
                it["version"].as_str().unwrap(),
                it["isLatest"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [("1.1.0", true), ("1.0.0", false)]);
    let old = world
        .anonymous
        .get(&format!("/api/ai/packages/{first}"))
        .await
        .data();
    assert_eq!(old["isLatest"], false);

    for (version, status) in [
        ("1.1.0", 409),
        ("1.0.5", 409),
        ("1.1.0-rc.1", 409),
        ("one", 400),
    ] {
        let refused = publish(&world, 3, json!({ "versionOf": first, "version": version })).await;
        assert_eq!(refused.status, status, "{version}: {}", refused.text);
        assert!(refused.details()["version"].is_string(), "{}", refused.text);
    }
    let mut foreign = Sample::vector(4).request();
    foreign["versionOf"] = json!(first);
    foreign["version"] = json!("9.0.0");
    let answer = world.stranger.upload(&foreign).await;
    assert_eq!(answer.fault(), (404, "NOT_FOUND".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_of_a_package_is_changed_by_whoever_saw_its_version() {
    let world = World::start().await;
    publish(&world, 1, json!({ "category": "vision" })).await;
    let id = newest_id(&world).await;
    let path = format!("/api/ai/packages/{id}");
    let body = json!({ "name": "A wholly new name", "category": null, "tags": ["new"] });
    let changed = patch(&world.seller, &path, "\"1\"", body.clone()).await;
    assert_eq!(changed.data()["name"], "A wholly new name");
    assert_eq!(changed.data()["category"], Value::Null);
    assert_eq!(changed.row_tag().as_str(), "\"2\"");
    let late = patch(&world.seller, &path, "\"1\"", body.clone()).await;
    assert_eq!(late.fault(), (412, "PRECONDITION_FAILED".to_owned()));
    let stranger = patch(&world.stranger, &path, "*", body).await;
    assert_eq!(stranger.fault(), (404, "NOT_FOUND".to_owned()));
    for (body, field) in [
        (json!({ "name": "x" }), "name"),
        (json!({ "category": "cooking" }), "category"),
        (json!({ "tags": ["Not Ok"] }), "tags"),
        (json!({ "epsilon": 0.001 }), "epsilon"),
    ] {
        let refused = patch(&world.seller, &path, "*", body).await;
        assert_eq!(
            refused.fault(),
            (400, "INVALID_INPUT".to_owned()),
            "{}",
            refused.text
        );
        assert!(refused.details()[field].is_string(), "{}", refused.text);
    }
    let found = world
        .anonymous
        .get("/api/ai/search-packages?query=wholly")
        .await
        .data();
    assert_eq!(found["results"][0]["packageId"], id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_has_a_profile_with_figures() {
    let world = World::start().await;
    world.package_for(5.0).await;
    let seller = world.seller_id().await;
    let data = world
        .anonymous
        .get(&format!("/api/ai/sellers/{seller}"))
        .await
        .data();
    assert_eq!(data["name"], "seller");
    assert_eq!(data["figures"]["packages"], 1);
    assert_eq!(data["packages"].as_array().unwrap().len(), 1);
    assert!(data.get("email").is_none(), "{data}");
    let nobody = "/api/ai/sellers/00000000-0000-0000-0000-000000000000";
    assert_eq!(world.anonymous.get(nobody).await.status, 404);
}
