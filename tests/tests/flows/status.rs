//! The status of an upload: who sees it, how a change is waited for, and that it only moves forward.

use common::reqwest::Method;
use futures::StreamExt as _;
use serde_json::{Value, json};
use tests::client::send;
use tests::{Client, DEADLINE, Sample, World};

fn path(upload_id: &str) -> String {
    format!("/api/ai/package-status/{upload_id}")
}

async fn accepted(world: &World, seed: u64) -> String {
    let answer = world.seller.upload(&Sample::vector(seed).request()).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.upload_id()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_shown_to_its_owner_and_to_whoever_holds_its_id_and_to_no_other_key() {
    let world = World::only_api().await;
    let id = accepted(&world, 51).await;
    for caller in [&world.seller, &world.anonymous] {
        let data = caller.status(&id).await.data();
        assert_eq!(data["status"], "pending");
        assert_eq!(data["packageId"], json!(null));
        assert_eq!(data["error"], json!(null));
    }
    let stranger = world.stranger.status(&id).await;
    assert_eq!(stranger.fault(), (404, "NOT_FOUND".to_owned()));
    let broken = world
        .anonymous
        .with_token("ak_ai_nothing")
        .status(&id)
        .await;
    assert_eq!(broken.fault(), (401, "UNAUTHORIZED".to_owned()));
    for unknown in ["upload_1234567890_abc123", "nonsense", "pkg_1"] {
        let answer = world.anonymous.status(unknown).await;
        assert_eq!(answer.status, 404, "{unknown}: {}", answer.text);
        assert_eq!(answer.fault().1, "NOT_FOUND");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_status_is_304_and_a_wait_for_news_ends_with_the_news() {
    let mut world = World::without_worker().await;
    let id = accepted(&world, 52).await;
    let first = world.seller.status(&id).await;
    let tag = first.header("etag").to_owned();
    let ask = |wait: &str| {
        let request = world.seller.request(Method::GET, &path(&id));
        let request = request.header("if-none-match", &tag);
        match wait {
            "" => request,
            wait => request.header("prefer", wait),
        }
    };
    let same = send(ask("")).await;
    assert_eq!((same.status, same.text.as_str()), (304, ""));
    assert_eq!(same.header("etag"), tag);
    let nothing_new = send(ask("wait=1")).await;
    assert_eq!(nothing_new.status, 304);
    assert_eq!(nothing_new.header("preference-applied"), "wait=1");

    let waiting = tokio::spawn(send(ask("wait=45")));
    world.start_worker().await;
    let news = waiting.await.unwrap();
    assert_eq!(news.status, 200, "{}", news.text);
    assert_ne!(news.header("etag"), tag);
    let ended = world.seller.ended(&id).await;
    assert_eq!(ended["status"], "completed", "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_without_news_answers_what_there_is() {
    let world = World::only_api().await;
    let id = accepted(&world, 53).await;
    let request = world.seller.request(Method::GET, &path(&id));
    let answer = send(request.header("prefer", "respond-async, wait=1")).await;
    assert_eq!(answer.data()["status"], "pending");
}

/// The events of a stream that came to its end: their ids and data.
#[tokio::test(flavor = "multi_thread")]
async fn a_tag_of_another_version_of_the_api_is_news_to_whoever_waits() {
    let world = World::only_api().await;
    let id = accepted(&world, 65).await;
    let path = path(&id);
    let older = world.seller.get(&path).await.header("etag").to_owned();
    let request = world.seller.request(Method::GET, &path);
    let request = request
        .header("accept", "application/vnd.awareness.v3+json")
        .header("if-none-match", older)
        .header("prefer", "wait=30");
    // Waiting would outlast the test.
    let answer = tokio::time::timeout(DEADLINE / 2, send(request)).await;
    assert_eq!(answer.expect("no wait").status, 200);
}

async fn events(caller: &Client, id: &str, last_event_id: Option<i64>) -> Vec<(i64, Value)> {
    let mut request = caller.request(Method::GET, &format!("{}/events", path(id)));
    if let Some(last) = last_event_id {
        request = request.header("last-event-id", last);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = tokio::time::timeout(DEADLINE, response.text())
        .await
        .expect("the stream ends with the upload")
        .unwrap();
    text.split("\n\n").filter_map(parse_event).collect()
}

/// None for a comment, which keeps the stream alive.
fn parse_event(block: &str) -> Option<(i64, Value)> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
    let data = serde_json::from_str(field("data: ")?).unwrap();
    assert_eq!(field("event: "), Some("status"));
    Some((field("id: ")?.parse().unwrap(), data))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_event_stream_rises_to_the_final_status_and_ends_there() {
    let mut world = World::without_worker().await;
    let id = accepted(&world, 54).await;
    let (caller, watched) = (world.anonymous.clone(), id.clone());
    let watching = tokio::spawn(async move { events(&caller, &watched, None).await });
    world.start_worker().await;
    let seen = watching.await.unwrap();
    let versions: Vec<i64> = seen.iter().map(|(version, _)| *version).collect();
    assert!(
        versions.is_sorted_by(|one, next| one < next),
        "{versions:?}"
    );
    let progress = seen
        .iter()
        .map(|(_, data)| data["progress"].as_i64().unwrap());
    assert!(progress.is_sorted(), "{seen:?}");
    let (last, data) = seen.last().unwrap();
    assert_eq!(data["status"], "completed", "{data}");

    let rest = events(&world.anonymous, &id, Some(last - 1)).await;
    assert_eq!(rest, [(*last, data.clone())]);
    let path = format!("{}/events", path(&id));
    let again = world.anonymous.request(Method::GET, &path);
    let again = send(again.header("last-event-id", *last)).await;
    assert_eq!(again.status, 204, "browsers do not come again");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_stream_tells_of_a_change_as_it_happens() {
    let mut world = World::without_worker().await;
    let id = accepted(&world, 55).await;
    let request = world
        .anonymous
        .request(Method::GET, &format!("{}/events", path(&id)));
    let mut stream = request.send().await.unwrap().bytes_stream();
    let first = tokio::time::timeout(DEADLINE, stream.next()).await.unwrap();
    let first = String::from_utf8(first.unwrap().unwrap().to_vec()).unwrap();
    assert!(first.contains("\"status\":\"pending\""), "{first}");
    world.start_worker().await;
    let next = tokio::time::timeout(DEADLINE, stream.next()).await.unwrap();
    let next = String::from_utf8(next.unwrap().unwrap().to_vec()).unwrap();
    assert!(!next.contains("\"status\":\"pending\""), "{next}");
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_and_their_progress_survive_a_restart_of_every_process() {
    let mut world = World::without_worker().await;
    let mut ids = Vec::new();
    for seed in 60..64 {
        ids.push(accepted(&world, seed).await);
    }
    world.start_worker().await;
    let mut before = Vec::new();
    for id in &ids {
        before.push(world.seller.status(id).await.data());
    }
    world.restart().await;
    for (id, before) in ids.iter().zip(before) {
        let after = world.seller.status(id).await.data();
        assert!(after["progress"].as_i64() >= before["progress"].as_i64());
        let ended = world.seller.ended(id).await;
        assert_eq!(ended["status"], "completed", "{ended}");
    }
    assert_eq!(world.count("select count(*) from packages").await, 4);
}
