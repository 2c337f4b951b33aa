//! Versions of the API: three ways to ask for one, and answers as they were written down.

use common::reqwest::{Method, Url};
use serde_json::Value;
use tests::client::send;
use tests::{Answer, World};

use super::shelf::{Item, put};

const GOLDEN: [(&str, &str); 3] = [
    ("v1", include_str!("../../fixtures/versions/v1.json")),
    ("v2", include_str!("../../fixtures/versions/v2.json")),
    ("v3", include_str!("../../fixtures/versions/v3.json")),
];

/// Asks with that `Accept`.
async fn ask(world: &World, path: &str, accept: &str) -> Answer {
    let get = world.anonymous.request(Method::GET, path);
    send(get.header("accept", accept)).await
}

/// The shape of a value: its types, so that figures that differ from run to run do not matter.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, inner)| (name.clone(), shape(inner)))
            .collect(),
        Value::Array(items) => items.iter().take(1).map(shape).collect(),
        Value::String(_) => "text".into(),
        Value::Number(_) => "number".into(),
        Value::Bool(_) => "flag".into(),
        Value::Null => Value::Null,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_version_answers_in_its_shape_however_it_is_asked_for() {
    let world = World::only_api().await;
    put(&world, &[Item::default()]).await;
    let search = "search-packages?query=package&limit=1";
    for (version, golden) in GOLDEN {
        let golden: Value = serde_json::from_str(golden).unwrap();
        let media_type = format!("application/vnd.awareness.{version}+json");
        for (path, accept) in [
            (format!("/api/ai/{search}"), media_type.as_str()),
            (format!("/api/ai/{search}&api_version={version}"), "*/*"),
            (format!("/api/{version}/ai/{search}"), "application/json"),
        ] {
            let answer = ask(&world, &path, accept).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            assert_eq!(answer.header("api-version"), version);
            assert_eq!(answer.headers.contains_key("deprecation"), version == "v1");
            assert_eq!(shape(&answer.json()), golden["search"], "{version} {path}");
        }
        let missing = ask(&world, "/api/ai/packages/pkg_0", &media_type).await;
        assert_eq!(missing.status, 404);
        assert_eq!(shape(&missing.json()), golden["error"], "{version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_a_number_in_the_first_version_and_text_in_the_others() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 500).await;
    let bought = buyer.client.buy(&package).await.data();
    let id = bought["purchaseId"].as_str().unwrap();
    for (version, golden) in GOLDEN {
        let golden: Value = serde_json::from_str(golden).unwrap();
        let get = buyer
            .client
            .request(Method::GET, &format!("/api/{version}/ai/purchases/{id}"));
        let answer = send(get.header("accept", "*/*")).await;
        assert_eq!(shape(&answer.json()), golden["purchase"], "{version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_there_is_not_is_refused_with_those_that_there_are() {
    let world = World::only_api().await;
    for (path, accept) in [
        ("/api/ai/categories", "application/vnd.awareness.v9+json"),
        ("/api/ai/categories?api_version=0", "*/*"),
        ("/api/v4/ai/categories", "*/*"),
        ("/api/v1/ai/categories?api_version=v4", "*/*"),
    ] {
        let answer = ask(&world, path, accept).await;
        assert_eq!(
            answer.fault(),
            (400, "UNSUPPORTED_API_VERSION".to_owned()),
            "{path}"
        );
        assert_eq!(
            answer.details()["supported"],
            serde_json::json!(["v1", "v2", "v3"])
        );
    }
    let accept = "application/vnd.awareness.v3+json";
    let answer = ask(&world, "/api/v9/ai/categories?api_version=v8", accept).await;
    assert_eq!(answer.status, 200, "the media type wins");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_version_says_when_it_ends_and_what_follows_it() {
    let world = World::only_api().await;
    let answer = ask(&world, "/api/ai/categories", "*/*").await;
    let sunset = httpdate::parse_http_date(answer.header("sunset")).unwrap();
    let deprecated: i64 = answer
        .header("deprecation")
        .strip_prefix('@')
        .unwrap()
        .parse()
        .unwrap();
    let sunset = chrono::DateTime::<chrono::Utc>::from(sunset).timestamp();
    assert!(sunset > deprecated, "RFC 8594: never earlier");
    for link in answer.headers.get_all("link") {
        for link in link.to_str().unwrap().split(", ") {
            let path = link.split(['<', '>']).nth(1).unwrap();
            let base = Url::parse(&format!("http://{}", world.anonymous.authority())).unwrap();
            let path = base.join(path).unwrap().path().to_owned();
            let page = world.anonymous.get(&path).await;
            assert_eq!(page.status, 200, "{link}");
        }
    }
}
