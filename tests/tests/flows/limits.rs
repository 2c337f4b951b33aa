//! Sizes, keys and media types are judged before or while the body is read, and what was staged of
//! a body that is refused or breaks off is taken away.

use common::limits::JSON_BODY_BYTES_MAX;
use common::reqwest::{Body, Method};
use tests::client::send;
use tests::raw::RawRequest;
use tests::{Sample, World, eventually};

const MIB: usize = 1024 * 1024;

async fn assert_nothing_is_left(world: &World) {
    eventually("an empty staging area", || async {
        world.objects("staging/").await.is_empty().then_some(())
    })
    .await;
    assert_eq!(world.count("select count(*) from uploads").await, 0);
    assert_eq!(world.count("select count(*) from jobs").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_one_mebibytes_are_refused_while_they_arrive() {
    let world = World::only_api().await;
    // No declared length: only the stream itself can show that it is too large.
    let start = bytes::Bytes::from_static(b"{\"vectorData\":\"");
    let chunk = bytes::Bytes::from(vec![b'A'; MIB / 3 * 4]);
    let chunks = std::iter::once(start).chain(std::iter::repeat_n(chunk, 52));
    let stream = futures::stream::iter(chunks.map(Ok::<_, std::io::Error>));
    let request = world
        .seller
        .request(Method::POST, "/api/ai/upload-package")
        .header("content-type", "application/json")
        .body(Body::wrap_stream(stream));
    let answer = send(request).await;
    assert_eq!(answer.fault(), (413, "PAYLOAD_TOO_LARGE".to_owned()));
    assert!(
        answer.details()["vectorData"].is_string(),
        "{}",
        answer.text
    );
    assert_nothing_is_left(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_size_over_the_limit_is_refused_before_the_body() {
    let world = World::only_api().await;
    let mut request = RawRequest::upload_head(&world.seller, JSON_BODY_BYTES_MAX + 1).await;
    let head = request.answer_head().await;
    assert!(head.starts_with("HTTP/1.1 413"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_refused_before_the_body() {
    let world = World::only_api().await;
    for token in ["", "nonsense", "ak_ai_00000000000000000000000000000000"] {
        let caller = world.anonymous.with_token(token);
        let mut request = RawRequest::upload_head(&caller, 1000).await;
        let head = request.answer_head().await;
        assert!(head.starts_with("HTTP/1.1 401"), "{token}: {head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_leaves_neither_bytes_nor_an_upload() {
    let world = World::only_api().await;
    let mut request = RawRequest::upload_head(&world.seller, 40 * MIB as u64).await;
    request.write(b"{\"vectorData\":\"").await;
    request.write(&vec![b'A'; 16 * MIB]).await;
    eventually("a staged part", || async {
        (!world.objects("staging/").await.is_empty()).then_some(())
    })
    .await;
    drop(request);
    assert_nothing_is_left(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_is_said_to_be_and_the_upload_is_not_accepted() {
    let world = World::only_api().await;
    world.s3.faults().set_error_rate(1.0);
    let request = Sample::vector(31).request();
    let answer = world.seller.upload(&request).await;
    assert_eq!(answer.fault(), (503, "SERVICE_UNAVAILABLE".to_owned()));
    assert_eq!(answer.header("retry-after"), "10");
    world.s3.faults().clear();
    assert_nothing_is_left(&world).await;
    assert_eq!(world.seller.upload(&request).await.status, 202);
}
