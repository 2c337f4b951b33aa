//! Downloads: addresses that really work, for those who bought, while they may, and all counted.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use common::catalog;
use common::identity::commands::create_key;
use common::identity::{Permission, Sealer};
use common::reqwest::header::HeaderMap;
use common::reqwest::{self, Method, redirect::Policy};
use futures::future::join_all;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tests::client::{Answer, send};
use tests::market::{User, purchase_of};
use tests::{Client, Sample, World, eventually};

const FOLDED: &str = "select count(*) from package_deltas";

/// What anybody gets who has an address: no token, no header of ours.
pub(super) async fn fetch(
    method: Method,
    url: &str,
    range: Option<&str>,
) -> (u16, HeaderMap, Bytes) {
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none());
    let mut request = http.build().unwrap().request(method, url);
    if let Some(range) = range {
        request = request.header("range", range);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, headers, response.bytes().await.unwrap())
}

fn download_path(package: &str) -> String {
    format!("/api/ai/download-package?packageType=vector&packageId={package}")
}

pub(super) fn link_path(package: &str) -> String {
    format!("/api/packages/download/vector/{package}")
}

pub(super) fn sha256_of(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A world with a package, and a buyer who has bought it: the package and the purchase.
pub(super) async fn bought(world: &World) -> (User, String, Value) {
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 500).await;
    let answer = buyer.client.buy(&package).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    (buyer, package, answer.data())
}

async fn run(world: &World, statement: &'static str) {
    assert_eq!(world.force(statement).await, 1, "{statement}");
}

pub(super) fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.header("location").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bought_package_is_fetched_by_anybody_with_its_address_and_shows_its_digest() {
    let world = World::start().await;
    let (buyer, package, purchase) = bought(&world).await;
    let answer = buyer.client.get(&download_path(&package)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("cache-control"), "no-store");
    let data = answer.data();
    assert_eq!(data["grantExpiresAt"], purchase["expiresAt"]);
    assert_eq!(data["expiresAt"], data["urlsExpireAt"]);
    let ends: DateTime<Utc> = data["urlsExpireAt"].as_str().unwrap().parse().unwrap();
    assert!((ends - Utc::now()).num_seconds() <= 900);
    let sample = Sample::vector(1);
    for (url, sha256, size, name, bytes) in [
        (
            "packageUrl",
            "packageSha256",
            "packageBytes",
            "package",
            &sample.package,
        ),
        (
            "wMatrixUrl",
            "wMatrixSha256",
            "wMatrixBytes",
            "w-matrix",
            &sample.w_matrix,
        ),
    ] {
        let (status, headers, body) = fetch(Method::GET, data[url].as_str().unwrap(), None).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        assert_eq!(body, bytes[..]);
        assert_eq!(data[sha256], sha256_of(bytes));
        assert_eq!(data[size], bytes.len());
        assert_eq!(headers["x-amz-meta-sha256"], sha256_of(bytes));
        let checksum = BASE64_STANDARD.encode(Sha256::digest(bytes));
        assert_eq!(headers["x-amz-checksum-sha256"], checksum);
        assert_eq!(
            headers["content-disposition"],
            format!("attachment; filename=\"{package}.{name}.safetensors\"")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_download_is_resumed_by_range() {
    let world = World::start().await;
    let (buyer, package, _) = bought(&world).await;
    let data = buyer.client.get(&download_path(&package)).await.data();
    let (url, bytes) = (
        data["packageUrl"].as_str().unwrap(),
        Sample::vector(1).package,
    );
    let (status, headers, body) = fetch(Method::GET, url, Some("bytes=8-")).await;
    assert_eq!(status, 206);
    assert_eq!(body, bytes[8..]);
    let expected = format!("bytes 8-{}/{}", bytes.len() - 1, bytes.len());
    assert_eq!(headers["content-range"], expected);
    assert_eq!(headers["x-amz-meta-sha256"], sha256_of(&bytes));
}

/// Finding 8 of the originals: whoever had opened a checkout could download without paying.
#[tokio::test(flavor = "multi_thread")]
async fn a_pending_purchase_must_not_download() {
    let mut world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 500).await;
    world.stop_worker().await;
    let post = buyer
        .client
        .request(Method::POST, "/api/ai/purchase-package")
        .header("prefer", "wait=0")
        .json(&purchase_of(&package));
    let pending = send(post).await;
    assert_eq!(pending.data()["status"], "pending");
    assert!(pending.data()["downloadUrl"].is_null());
    assert_refused(&buyer.client, &package, 404).await;
    let id = pending.data()["purchaseId"].as_str().unwrap().to_owned();
    let path = format!("/api/ai/purchases/{id}/renew");
    let renew = buyer.client.post(&path, &Value::Null).await;
    assert_eq!(renew.fault(), (409, "CONFLICT".to_owned()));
    assert_eq!(world.count("select count(*) from downloads").await, 0);
}

async fn assert_refused(client: &Client, package: &str, status: u16) {
    for path in [download_path(package), link_path(package)] {
        let refused = client.get(&path).await;
        assert_eq!(refused.status, status, "{path}: {}", refused.text);
        assert!(!refused.text.contains("X-Amz-"), "{}", refused.text);
        let head = send(client.request(Method::HEAD, &path)).await;
        assert_eq!(head.status, status, "HEAD {path}");
        assert_eq!(head.header("location"), "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_who_bought_and_kept_it_may_download() {
    let world = World::start().await;
    let (buyer, package, purchase) = bought(&world).await;
    assert_refused(&world.stranger, &package, 404).await;
    let sealer = Sealer::new(&world.secrets());
    let created = create_key(
        &world.pool,
        &sealer,
        "reader",
        "test",
        &[Permission::Purchase],
    )
    .await;
    let narrow = world.anonymous.with_token(created.unwrap().key.expose());
    assert_refused(&narrow, &package, 403).await;
    let other_type = download_path(&package).replace("vector", "chain");
    assert_eq!(buyer.client.get(&other_type).await.status, 404);
    assert_refused(&buyer.client, "pkg_1", 404).await;
    // What was bought stays bought, whatever its seller does next.
    world.set_listing_status(&package, "removed").await;

    run(
        &world,
        "update purchases set state = 'disputed', version = version + 1",
    )
    .await;
    assert_eq!(buyer.client.get(&download_path(&package)).await.status, 200);
    run(
        &world,
        "update purchases set state = 'refunded', version = version + 1",
    )
    .await;
    assert_refused(&buyer.client, &package, 404).await;
    let id = purchase["purchaseId"].as_str().unwrap();
    let renew = buyer
        .client
        .post(&format!("/api/ai/purchases/{id}/renew"), &Value::Null)
        .await;
    assert_eq!(renew.fault(), (409, "CONFLICT".to_owned()));
    assert_eq!(renew.details()["status"], "refunded");
    assert_eq!(world.count("select count(*) from downloads").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_fetches_the_own_goods_uncounted() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let data = world.seller.get(&download_path(&package)).await.data();
    assert!(data["grantExpiresAt"].is_null());
    let (status, _, body) = fetch(Method::GET, data["packageUrl"].as_str().unwrap(), None).await;
    assert_eq!((status, &body[..]), (200, &Sample::vector(1).package[..]));
    location(&world.seller.get(&link_path(&package)).await);
    assert_eq!(world.count("select count(*) from downloads").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_link_says_how_to_renew_it_and_a_second_renewal_changes_nothing() {
    let world = World::start().await;
    let (buyer, package, purchase) = bought(&world).await;
    run(
        &world,
        "update purchases set grant_expires_at = now() - interval '1 second'",
    )
    .await;
    assert_refused(&buyer.client, &package, 403).await;
    let refused = buyer.client.get(&download_path(&package)).await;
    assert_eq!(refused.details()["reason"], "LINK_EXPIRED");
    assert_eq!(world.count("select count(*) from downloads").await, 0);
    let renew_url = refused.details()["renewUrl"].as_str().unwrap().to_owned();
    assert_eq!(refused.details()["purchaseId"], purchase["purchaseId"]);
    assert_eq!(
        world.stranger.post(&renew_url, &Value::Null).await.status,
        404
    );
    let renewed = buyer.client.post(&renew_url, &Value::Null).await;
    assert_eq!(renewed.status, 200, "{}", renewed.text);
    let ends: DateTime<Utc> = renewed.data()["expiresAt"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((ends - Utc::now()).num_hours() >= 7 * 24 - 1);
    assert_eq!(buyer.client.get(&download_path(&package)).await.status, 200);
    let again = buyer.client.post(&renew_url, &Value::Null).await;
    assert_eq!(again.text, renewed.text);
    let events = "select count(*) from events where event_type = 'purchase.renewed'";
    assert_eq!(world.count(events).await, 1);
}

/// Finding 9 of the originals: public details carried addresses, which were bare and lived for ever.
#[tokio::test(flavor = "multi_thread")]
async fn no_answer_but_a_download_shows_an_address_and_a_changed_one_opens_nothing() {
    let world = World::start().await;
    let (buyer, package, purchase) = bought(&world).await;
    let id = purchase["purchaseId"].as_str().unwrap();
    let endpoint = world.s3.endpoint();
    for path in [
        "/api/ai/purchases".to_owned(),
        "/api/ai/purchases?role=seller".to_owned(),
        format!("/api/ai/purchases/{id}"),
        format!("/api/ai/purchases/{id}/receipt"),
        format!("/api/ai/listings/{package}"),
        "/api/ai/listings".to_owned(),
    ] {
        for client in [
            &buyer.client,
            &world.seller,
            &world.stranger,
            &world.anonymous,
        ] {
            let answer = client.get(&path).await.text;
            assert!(
                !answer.contains("X-Amz-") && !answer.contains(&endpoint),
                "{answer}"
            );
        }
    }
    let data = buyer.client.get(&download_path(&package)).await.data();
    let url = data["packageUrl"].as_str().unwrap();
    assert!(
        url.contains("X-Amz-Expires=900"),
        "it ends after 15 minutes"
    );
    let bare = url.split_once('?').unwrap().0;
    let longer = url.replace("X-Amz-Expires=900", "X-Amz-Expires=604800");
    let sibling = url.replace(
        data["packageSha256"].as_str().unwrap(),
        data["wMatrixSha256"].as_str().unwrap(),
    );
    for changed in [bare, &longer, &sibling] {
        let (status, _, body) = fetch(Method::GET, changed, None).await;
        assert_eq!(status, 403, "{}", String::from_utf8_lossy(&body));
    }
    assert_eq!(fetch(Method::DELETE, url, None).await.0, 403);
}

/// Finding 30 of the originals: anonymous downloads behind a counter that lost some.
#[tokio::test(flavor = "multi_thread")]
async fn downloads_are_never_anonymous_and_each_is_counted_once() {
    let world = World::start().await;
    let (buyer, package, _) = bought(&world).await;
    assert_refused(&world.anonymous, &package, 401).await;
    let (json, link) = (download_path(&package), link_path(&package));
    let downloads = join_all((0..50).map(|n| {
        let path = if n % 2 == 0 { &json } else { &link };
        buyer.client.get(path)
    }));
    // The scheduler folds too; this one never pauses, so that folds and downloads meet.
    let fold = async {
        loop {
            catalog::fold_counters(&world.pool).await.unwrap();
        }
    };
    let answers = tokio::select! {
        answers = downloads => answers,
        () = fold => unreachable!("it never ends"),
    };
    for answer in &answers {
        assert!([200, 303].contains(&answer.status), "{}", answer.text);
    }
    assert_eq!(world.count("select count(*) from downloads").await, 50);
    eventually("the fold of the last counts", || async {
        (world.count(FOLDED).await == 0).then_some(())
    })
    .await;
    assert_eq!(world.count("select downloads from packages").await, 50);
    assert_eq!(world.count("select sales from packages").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_downloads_refuses_change() {
    let world = World::start().await;
    let (buyer, package, _) = bought(&world).await;
    assert_eq!(buyer.client.get(&download_path(&package)).await.status, 200);
    for statement in [
        "delete from downloads",
        "update downloads set blob = 'package'",
    ] {
        let mut services = world.as_services().await;
        let refused = sqlx::query(statement).execute(&mut services).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("permission denied"), "{refused}");
    }
}
