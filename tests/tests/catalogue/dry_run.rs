//! Dry runs: refused for whatever the real thing is refused for, and without any effect.

use common::reqwest::Method;
use serde_json::{Value, json};
use tests::client::send;
use tests::market::purchase_of;
use tests::{Sample, World};

/// Every row of every table but those that keep time.
async fn everything(world: &World) -> String {
    let mut all = String::new();
    for table in [
        "purchases",
        "uploads",
        "listings",
        "packages",
        "payouts",
        "holds",
        "jobs",
        "events",
        "idempotency_keys",
    ] {
        let query = format!(
            "select coalesce(string_agg({table}::text, ' ' order by {table}::text), '') from {table}"
        );
        let rows: String = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
            .fetch_one(&world.pool)
            .await
            .unwrap();
        all += &rows;
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_a_purchase_checks_everything_and_changes_nothing() {
    let mut world = World::start().await;
    let package = world.package_for(5.0).await;
    let (rich, poor) = (
        world.buyer("rich", 500).await,
        world.buyer("poor", 100).await,
    );
    world.stop_worker().await;
    let before = everything(&world).await;
    let path = "/api/ai/purchase-package?dryRun=true";
    let good = rich.client.post(path, &purchase_of(&package)).await;
    assert_eq!(good.data()["wouldSucceed"], true, "{}", good.text);
    let short = poor.client.post(path, &purchase_of(&package)).await;
    assert_eq!(short.fault(), (402, "PAYMENT_REQUIRED".to_owned()));
    let own = world.seller.post(path, &purchase_of(&package)).await;
    assert_eq!(own.fault(), (403, "FORBIDDEN".to_owned()));
    let listing = format!("/api/ai/listings/{package}?dryRun=true");
    let patch = world
        .seller
        .request(Method::PATCH, &listing)
        .header("if-match", "*");
    assert_eq!(
        send(patch.json(&json!({ "price": 1.00 }))).await.data()["dryRun"],
        true
    );
    let odd = world
        .seller
        .post("/api/ai/purchase-package?dryRun=maybe", &json!({}))
        .await;
    assert_eq!(odd.fault(), (400, "INVALID_INPUT".to_owned()));
    assert_eq!(everything(&world).await, before);
    assert_eq!(world.credits(rich.id).await, (500, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_is_validated_as_its_upload_would_be() {
    let world = World::only_api().await;
    let before = everything(&world).await;
    let sample = Sample::vector(1);
    for path in [
        "/api/ai/validate-package",
        "/api/ai/upload-package?dryRun=true",
    ] {
        let good = world.seller.post(path, &sample.request()).await.data();
        assert_eq!(
            (&good["valid"], &good["message"]),
            (&json!(true), &Value::Null),
            "{good}"
        );
        assert_eq!(good["verdict"]["tier"], "silver");
        assert_eq!(good["stages"].as_array().unwrap().len(), 8);
    }
    let noisy = Sample::with_noise(2, 0.3).request();
    let bad = world
        .seller
        .post("/api/ai/validate-package", &noisy)
        .await
        .data();
    assert_eq!(bad["valid"], false);
    assert!(
        bad["message"].as_str().unwrap().contains("epsilon"),
        "{bad}"
    );
    let mut faulty = sample.request();
    faulty["name"] = json!("x");
    faulty["price"] = json!(1.999);
    faulty["category"] = json!("cooking");
    faulty.as_object_mut().unwrap().remove("wMatrixData");
    let refused = world.seller.post("/api/ai/validate-package", &faulty).await;
    assert_eq!(refused.fault(), (400, "INVALID_INPUT".to_owned()));
    for field in ["name", "price", "category", "wMatrixData"] {
        assert!(
            refused.details()[field].is_string(),
            "{field}: {}",
            refused.text
        );
    }
    let batch = json!({ "packages": [sample.request(), sample.request()] });
    let batch = world
        .seller
        .post("/api/ai/batch-upload?dryRun=true", &batch)
        .await
        .data();
    assert_eq!(batch["items"].as_array().unwrap().len(), 2);
    assert_eq!(everything(&world).await, before);
    assert!(world.objects("").await.is_empty(), "no byte was stored");
}
