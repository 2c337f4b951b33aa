//! The link of a purchase: where it leads, whom it leads, and what of it counts as a download.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use common::reqwest::Method;
use sha2::{Digest as _, Sha256};
use tests::client::send;
use tests::{Sample, World};

use super::downloads::{bought, fetch, link_path, location, sha256_of};

#[tokio::test(flavor = "multi_thread")]
async fn the_link_of_a_purchase_leads_to_the_bytes_and_names_their_digest() {
    let world = World::start().await;
    let (buyer, package, purchase) = bought(&world).await;
    let public = tests::world::PUBLIC_BASE_URL;
    let link = purchase["downloadUrl"].as_str().unwrap();
    let link = link.strip_prefix(public).unwrap();
    assert_eq!(link, link_path(&package));
    let sample = Sample::vector(1);
    for (query, bytes) in [
        ("", &sample.package),
        ("?blob=package", &sample.package),
        ("?blob=w-matrix", &sample.w_matrix),
    ] {
        let answer = buyer.client.get(&format!("{link}{query}")).await;
        let (status, _, body) = fetch(Method::GET, &location(&answer), None).await;
        assert_eq!((status, &body[..]), (200, &bytes[..]));
        let digest = BASE64_STANDARD.encode(Sha256::digest(bytes));
        assert_eq!(answer.header("repr-digest"), format!("sha-256=:{digest}:"));
    }
    let counted = world.count("select count(*) from downloads").await;
    assert_eq!(counted, 3);
    let head = send(buyer.client.request(Method::HEAD, link)).await;
    let digest = BASE64_STANDARD.encode(Sha256::digest(&sample.package));
    assert_eq!((head.status, head.header("accept-ranges")), (200, "bytes"));
    assert_eq!(
        head.header("content-length"),
        sample.package.len().to_string()
    );
    assert_eq!(head.header("repr-digest"), format!("sha-256=:{digest}:"));
    // A client that fetches in parts sends each range along: one download.
    for range in ["bytes=8-", "bytes=100-199"] {
        let answer = send(
            buyer
                .client
                .request(Method::GET, link)
                .header("range", range),
        )
        .await;
        let (status, _, _) = fetch(Method::GET, &location(&answer), Some(range)).await;
        assert_eq!(status, 206);
    }
    assert_eq!(world.count("select count(*) from downloads").await, 3);
    let unknown = buyer.client.get(&format!("{link}?blob=all")).await;
    assert_eq!(unknown.fault(), (400, "INVALID_INPUT".to_owned()));
}

/// S3 refuses a request that is signed twice, and not every client drops its header on a redirect.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_keeps_its_authorization_asks_for_the_address_in_json() {
    let world = World::start().await;
    let (buyer, _, purchase) = bought(&world).await;
    let link = purchase["downloadUrl"].as_str().unwrap();
    let link = link.strip_prefix(tests::world::PUBLIC_BASE_URL).unwrap();
    let asked = buyer.client.request(Method::GET, link);
    let answer = send(asked.header("accept", "application/json")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let data = answer.data();
    let url = data["url"].as_str().unwrap();
    let (status, _, body) = fetch(Method::GET, url, None).await;
    assert_eq!(
        (status, body.len() as u64),
        (200, data["bytes"].as_u64().unwrap())
    );
    assert_eq!(data["sha256"], sha256_of(&body));
    let carried = common::reqwest::Client::new().get(url).bearer_auth("a key");
    let refused = carried.send().await.unwrap();
    assert_eq!(refused.status(), 400);
    assert!(
        refused
            .text()
            .await
            .unwrap()
            .contains("<Code>InvalidArgument</Code>")
    );
}
