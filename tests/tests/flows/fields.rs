//! What is wrong with a request is said by field, all of it at once, and nothing is kept of it.

use common::config::WebhookConfig;
use common::reqwest::Method;
use serde_json::{Value, json};
use tests::client::send;
use tests::world::Plan;
use tests::{Answer, Sample, World};

async fn upload_text(world: &World, body: String) -> Answer {
    let request = world
        .seller
        .request(Method::POST, "/api/ai/upload-package")
        .header("content-type", "application/json");
    send(request.body(body)).await
}

/// The request with the field's value written as this text; nothing removes the field.
fn with_field(request: &Value, field: &str, text: Option<&str>) -> String {
    let object = request.as_object().unwrap();
    let mut fields: Vec<String> = object
        .iter()
        .filter(|(name, _)| *name != field)
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    if let Some(text) = text {
        fields.push(format!("\"{field}\":{text}"));
    }
    format!("{{{}}}", fields.join(","))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_faulty_field_is_named() {
    let world = World::only_api().await;
    let request = Sample::vector(21).request();
    let long_name = format!("\"{}\"", "n".repeat(101));
    let long_description = format!("\"{}\"", "d".repeat(1001));
    let cases = [
        ("packageType", None),
        ("packageType", Some("\"tensor\"")),
        ("packageType", Some("7")),
        ("name", None),
        ("name", Some("\"ab\"")),
        ("name", Some("\"   a   \"")),
        ("name", Some(long_name.as_str())),
        ("name", Some("true")),
        ("name", Some("{\"x\":1}")),
        ("description", None),
        ("description", Some("\"too short\"")),
        ("description", Some(long_description.as_str())),
        ("sourceModel", None),
        ("sourceModel", Some("\"\"")),
        ("targetModel", Some("null")),
        ("targetModel", Some("[\"gpt-4\"]")),
        ("epsilon", None),
        ("epsilon", Some("\"0.05\"")),
        ("epsilon", Some("-0.1")),
        ("epsilon", Some("1e999")),
        ("epsilon", Some("\"NaN\"")),
        ("price", None),
        ("price", Some("9.999")),
        ("price", Some("-1")),
        ("price", Some("1e-3")),
        ("price", Some("1000000.01")),
        ("price", Some("\"9.99\"")),
        ("webhookUrl", Some("\"no address\"")),
        ("webhookUrl", Some("\"ftp://example.com/x\"")),
        ("webhookUrl", Some("12")),
        ("vectorData", None),
        ("vectorData", Some("\"\"")),
        ("vectorData", Some("5")),
        ("wMatrixData", None),
        ("wMatrixData", Some("[]")),
    ];
    for (field, text) in cases {
        let answer = upload_text(&world, with_field(&request, field, text)).await;
        let case = format!("{field} = {text:?}: {}", answer.text);
        assert_eq!(answer.fault(), (400, "INVALID_INPUT".to_owned()), "{case}");
        assert!(answer.details()[field].is_string(), "{case}");
    }
    assert_eq!(world.count("select count(*) from uploads").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_is_never_rounded() {
    let world = World::only_api().await;
    let request = Sample::vector(22).request();
    for (text, minor) in [
        ("0", 0),
        ("0.1", 10),
        ("9.990", 999),
        ("1000000.00", 100_000_000),
    ] {
        let answer = upload_text(&world, with_field(&request, "price", Some(text))).await;
        assert_eq!(answer.status, 202, "{text}: {}", answer.text);
        let newest = "select price_minor from uploads order by created_at desc limit 1";
        assert_eq!(world.count(newest).await, minor, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_faults_are_reported_at_once() {
    let world = World::only_api().await;
    let request = json!({ "packageType": "vector", "name": "ab", "epsilon": -1, "price": 9.999 });
    let answer = world.seller.upload(&request).await;
    assert_eq!(answer.fault(), (400, "INVALID_INPUT".to_owned()));
    let details = answer.details();
    for field in [
        "name",
        "description",
        "sourceModel",
        "targetModel",
        "epsilon",
        "price",
    ] {
        assert!(details[field].is_string(), "{field} is not in {details}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_must_come_in_the_field_of_its_type() {
    let world = World::only_api().await;
    let mut request = Sample::vector(23).request();
    let data = request
        .as_object_mut()
        .unwrap()
        .remove("vectorData")
        .unwrap();
    request["chainData"] = data;
    let answer = world.seller.upload(&request).await;
    assert_eq!(answer.fault(), (400, "INVALID_INPUT".to_owned()));
    assert!(answer.details()["chainData"].is_string(), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_bodies_say_what_broke_and_where() {
    let world = World::only_api().await;
    let request = Sample::vector(24).request();
    let twice = with_field(&request, "none", Some("1,\"name\":\"Again\""));
    let whole = request.to_string();
    let half = whole[..whole.len() / 2].to_owned();
    let cases = [
        (String::new(), "EMPTY_BODY", None),
        ("{\"name\": nothing}".to_owned(), "INVALID_JSON", None),
        (half, "TRUNCATED_BODY", None),
        (twice, "DUPLICATE_KEY", Some("name")),
        (
            with_field(&request, "vectorData", Some("\"AAAA*AAA\"")),
            "INVALID_BASE64",
            Some("vectorData"),
        ),
        (
            with_field(&request, "wMatrixData", Some("\"AAAAA\"")),
            "INVALID_BASE64",
            Some("wMatrixData"),
        ),
    ];
    for (body, reason, field) in cases {
        let answer = upload_text(&world, body).await;
        assert_eq!(
            answer.fault(),
            (400, "INVALID_INPUT".to_owned()),
            "{reason}"
        );
        let details = answer.details();
        assert_eq!(details["reason"], reason);
        if let Some(field) = field {
            assert!(details[field].is_string(), "{details}");
        }
    }
    let place = with_field(&request, "vectorData", Some("\"AAAA*AAA\""));
    let answer = upload_text(&world, place).await;
    let said = answer.details()["vectorData"].to_string();
    assert!(said.contains("character 4"), "{said}");
    assert!(world.objects("staging/").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_webhook_address_of_ours_is_taken_when_the_policy_is_strict() {
    let world = World::planned(Plan {
        worker: false,
        scheduler: false,
        webhooks: WebhookConfig::default(),
        ..Plan::default()
    })
    .await;
    let sample = Sample::vector(25);
    for url in [
        "https://127.0.0.1/hook",
        "https://10.1.2.3/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/hook",
        "https://[::ffff:192.168.0.1]/hook",
        "https://2130706433/hook",
        "http://example.com/hook",
        "https://user:secret@example.com/hook",
    ] {
        let answer = world.seller.upload(&sample.request_with_webhook(url)).await;
        assert_eq!(answer.fault(), (400, "INVALID_INPUT".to_owned()), "{url}");
        assert!(answer.details()["webhookUrl"].is_string(), "{url}");
    }
    let public = sample.request_with_webhook("https://example.com/hook");
    assert_eq!(world.seller.upload(&public).await.status, 202);
}
