//! Batches: up to ten packages in one body, each with a verdict of its own.

use common::config::RateConfig;
use common::reqwest::Method;
use serde_json::{Value, json};
use tests::client::send;
use tests::world::Plan;
use tests::{Answer, Client, Sample, World};

const PATH: &str = "/api/ai/batch-upload";

fn packages(seeds: std::ops::Range<u64>) -> Vec<Value> {
    seeds.map(|seed| Sample::vector(seed).request()).collect()
}

async fn ended(client: &Client, answer: &Answer) -> Value {
    let id = answer.data()["batchId"].as_str().unwrap().to_owned();
    let get = client.request(Method::GET, &format!("/api/ai/batches/{id}"));
    send(get.header("prefer", "wait=45")).await.data()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_gets_the_seeds_answer_and_each_package_is_published() {
    let world = World::start().await;
    let body = json!({ "packages": packages(0..3), "webhookUrl": world.webhook_url() });
    let answer = world.seller.post(PATH, &body).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let data = answer.data();
    assert!(data["batchId"].as_str().unwrap().starts_with("batch_"));
    let ids = data["uploadIds"].as_array().unwrap();
    assert_eq!(ids.len(), 3);
    for (id, url) in ids.iter().zip(data["statusUrls"].as_array().unwrap()) {
        assert_eq!(
            *url,
            format!("/api/ai/package-status/{}", id.as_str().unwrap())
        );
    }
    assert_eq!(data["message"], "Batch upload initiated for 3 packages.");
    let batch = ended(&world.seller, &answer).await;
    assert_eq!(
        (&batch["status"], &batch["progress"]),
        (&json!("completed"), &json!(100))
    );
    assert_eq!(batch["counts"]["completed"], 3);
    for (id, item) in ids.iter().zip(batch["items"].as_array().unwrap()) {
        assert_eq!(item["uploadId"], *id);
        assert!(item["packageId"].is_string(), "{item}");
        world.webhook(id.as_str().unwrap()).await;
    }
    let id = batch["batchId"].as_str().unwrap();
    let stranger = world.stranger.get(&format!("/api/ai/batches/{id}")).await;
    assert_eq!(stranger.fault(), (404, "NOT_FOUND".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_faulty_package_is_refused_by_itself_and_the_others_are_taken() {
    let world = World::start().await;
    let mut packages = packages(0..3);
    packages[1]["name"] = json!("x");
    packages[1].as_object_mut().unwrap().remove("wMatrixData");
    let answer = world
        .seller
        .post(PATH, &json!({ "packages": packages }))
        .await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let data = answer.data();
    assert_eq!(data["uploadIds"].as_array().unwrap().len(), 2);
    let items = data["items"].as_array().unwrap();
    assert_eq!(
        (&items[0]["accepted"], &items[1]["accepted"]),
        (&json!(true), &json!(false))
    );
    assert!(
        items[1]["error"]["details"]["name"].is_string(),
        "{}",
        items[1]
    );
    let batch = ended(&world.seller, &answer).await;
    assert_eq!(
        (&batch["counts"]["completed"], &batch["counts"]["refused"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(
        world.objects("staging/").await.len(),
        0,
        "the refused one left nothing behind"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_batch_is_refused_whole_and_leaves_nothing() {
    let world = World::only_api().await;
    let mut bad = packages(0..2);
    for package in &mut bad {
        package["epsilon"] = json!("low");
    }
    for (body, field) in [
        (json!({ "packages": [] }), "packages"),
        (json!({}), "packages"),
        (json!({ "packages": {} }), "packages"),
        (json!({ "packages": [1] }), "packages[0]"),
        (json!({ "packages": packages(0..11) }), "packages"),
        (json!({ "packages": bad }), "packages[1].epsilon"),
        (
            json!({ "packages": packages(0..1), "webhookUrl": "ftp://x" }),
            "webhookUrl",
        ),
    ] {
        let answer = world.seller.post(PATH, &body).await;
        assert_eq!(answer.fault(), (400, "INVALID_INPUT".to_owned()), "{field}");
        assert!(
            answer.details()[field].is_string(),
            "{field}: {}",
            answer.text
        );
    }
    let uploads = "select count(*) from uploads";
    assert_eq!(world.count(uploads).await, 0);
    tests::eventually("empty staging", || async {
        world.objects("staging/").await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_counts_as_many_uploads_as_it_holds_all_or_none() {
    let rates = RateConfig {
        policies: vec!["upload=5/3600/user/upload".parse().unwrap()],
        ..RateConfig::default()
    };
    let world = World::planned(Plan {
        worker: false,
        scheduler: false,
        rates,
        ..Plan::default()
    })
    .await;
    let first = world
        .seller
        .post(PATH, &json!({ "packages": packages(0..3) }))
        .await;
    assert_eq!(first.status, 202, "{}", first.text);
    let second = world
        .seller
        .post(PATH, &json!({ "packages": packages(3..6) }))
        .await;
    assert_eq!(second.fault(), (429, "RATE_LIMIT_EXCEEDED".to_owned()));
    assert_eq!(world.count("select count(*) from uploads").await, 3);
    let third = world
        .seller
        .post(PATH, &json!({ "packages": packages(6..8) }))
        .await;
    assert_eq!(third.status, 202, "two were left: {}", third.text);
    let single = world.seller.upload(&Sample::vector(9).request()).await;
    assert_eq!(single.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_batch_gets_the_first_ones_answer() {
    let world = World::only_api().await;
    let body = json!({ "packages": packages(0..2) });
    let ask = |body: Value| {
        let post = world.seller.request(Method::POST, PATH);
        send(post.header("idempotency-key", "b1").json(&body))
    };
    let first = ask(body.clone()).await;
    let again = ask(body).await;
    assert_eq!(first.data(), again.data());
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(world.count("select count(*) from uploads").await, 2);
    let other = ask(json!({ "packages": packages(5..6) })).await;
    assert_eq!(other.fault(), (422, "IDEMPOTENCY_CONFLICT".to_owned()));
}
