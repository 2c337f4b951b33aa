//! The presigned form: open a session, PUT the bytes to the store, commit.

use common::reqwest;
use common::reqwest::header::{HeaderMap, HeaderName};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tests::client::send;
use tests::{Sample, World};

fn session(sample: &Sample) -> Value {
    let mut request = sample.request();
    let fields = request.as_object_mut().unwrap();
    fields.remove("vectorData");
    fields.remove("wMatrixData");
    for (name, bytes) in [("package", &sample.package), ("wMatrix", &sample.w_matrix)] {
        fields.insert(format!("{name}SizeBytes"), bytes.len().into());
        let digest = hex::encode(Sha256::digest(bytes));
        fields.insert(format!("{name}Sha256"), digest.into());
    }
    request
}

/// Plain HTTP, as a client without any SDK does it.
async fn put(address: &Value, bytes: &[u8]) -> u16 {
    let mut headers = HeaderMap::new();
    for (name, value) in address["headers"].as_object().unwrap() {
        let name: HeaderName = name.parse().unwrap();
        headers.insert(name, value.as_str().unwrap().parse().unwrap());
    }
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client
        .put(address["url"].as_str().unwrap())
        .headers(headers)
        .body(bytes.to_vec());
    send(request).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_put_to_the_store_are_published_after_a_commit_that_may_be_repeated() {
    let world = World::start().await;
    let sample = Sample::vector(11);
    let opened = world
        .seller
        .post("/api/ai/uploads", &session(&sample))
        .await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    let data = opened.data();
    assert_eq!(put(&data["package"], &sample.package).await, 200);
    assert_eq!(put(&data["wMatrix"], &sample.w_matrix).await, 200);

    let commit_url = data["commitUrl"].as_str().unwrap();
    let first = world.seller.post(commit_url, &json!({})).await;
    assert_eq!(first.status, 202, "{}", first.text);
    assert_eq!(first.data()["uploadId"], data["uploadId"]);
    let ended = world.seller.ended(&first.upload_id()).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    let again = world.seller.post(commit_url, &json!({})).await;
    assert_eq!((again.status, again.json()), (202, first.json()));
    assert_eq!(world.count("select count(*) from packages").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_before_the_bytes_names_the_blob_that_is_missing() {
    let world = World::only_api().await;
    let sample = Sample::vector(12);
    let data = world
        .seller
        .post("/api/ai/uploads", &session(&sample))
        .await
        .data();
    let commit_url = data["commitUrl"].as_str().unwrap();
    for (missing, bytes) in [("package", &sample.package), ("wMatrix", &sample.w_matrix)] {
        let refused = world.seller.post(commit_url, &json!({})).await;
        assert_eq!(refused.fault(), (409, "CONFLICT".to_owned()));
        let details = refused.details();
        assert!(details.get(missing).is_some(), "{details}");
        assert_eq!(put(&data[missing], bytes).await, 200);
    }
    let committed = world.seller.post(commit_url, &json!({})).await;
    assert_eq!(committed.status, 202, "{}", committed.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_refuses_other_bytes_than_the_declared_ones() {
    let world = World::only_api().await;
    let sample = Sample::vector(13);
    let data = world
        .seller
        .post("/api/ai/uploads", &session(&sample))
        .await
        .data();
    let mut other = sample.package.clone();
    *other.last_mut().unwrap() ^= 1;
    let status = put(&data["package"], &other).await;
    assert!((400..500).contains(&status), "{status}");
    let longer = [sample.package.as_slice(), b"more"].concat();
    let status = put(&data["package"], &longer).await;
    assert!((400..500).contains(&status), "{status}");
    assert!(world.objects("staging/").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_its_owners_alone_and_its_sizes_are_checked_when_it_is_opened() {
    let world = World::only_api().await;
    let sample = Sample::vector(14);
    let opened = world
        .seller
        .post("/api/ai/uploads", &session(&sample))
        .await;
    let commit_url = opened.data()["commitUrl"].as_str().unwrap().to_owned();
    let refused = world.stranger.post(&commit_url, &json!({})).await;
    assert_eq!(refused.fault(), (404, "NOT_FOUND".to_owned()));

    let mut huge = session(&sample);
    huge["packageSizeBytes"] = 52_428_800.into();
    let refused = world.seller.post("/api/ai/uploads", &huge).await;
    assert_eq!(refused.fault(), (413, "PAYLOAD_TOO_LARGE".to_owned()));
    let mut blind = session(&sample);
    blind["wMatrixSha256"] = "abc".into();
    let refused = world.seller.post("/api/ai/uploads", &blind).await;
    assert_eq!(refused.fault(), (400, "INVALID_INPUT".to_owned()));
    assert!(refused.details().get("wMatrixSha256").is_some());
}
