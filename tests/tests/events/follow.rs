//! Following the log: long polls and event streams that go on where they were, and show what the caller may see.

use std::collections::VecDeque;

use common::events;
use common::reqwest::{self, Method};
use serde_json::{Value, json};
use tests::{Answer, Client, DEADLINE, World, eventually};
use tokio::time::timeout;

async fn append(client: &Client, stream: &str, event_type: &str, n: i64) {
    let body = json!({ "events": [{ "eventType": event_type, "data": { "n": n } }] });
    let answer = client
        .post(&format!("/api/ai/event-streams/{stream}/events"), &body)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

async fn poll(client: &Client, query: &str) -> Answer {
    let path = format!("/api/ai/events?{query}");
    timeout(DEADLINE, client.get(&path))
        .await
        .expect("the wait ends")
}

fn numbers(page: &Value) -> Vec<i64> {
    let events = page["events"].as_array().unwrap().iter();
    events
        .map(|event| event["data"]["n"].as_i64().unwrap())
        .collect()
}

/// An event stream that is read event by event.
struct Follower {
    response: reqwest::Response,
    text: String,
    events: VecDeque<(String, String, Value)>,
}

impl Follower {
    async fn open(client: &Client, query: &str, last_event_id: Option<&str>) -> Self {
        let mut request = client.request(Method::GET, &format!("/api/ai/events/stream?{query}"));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            text: String::new(),
            events: VecDeque::new(),
        }
    }

    /// The next event that is no checkpoint: its id, type and data.
    async fn next(&mut self) -> (String, String, Value) {
        let reading = async {
            loop {
                if let Some(event) = self.events.pop_front() {
                    if event.1 != "checkpoint" {
                        return event;
                    }
                    continue;
                }
                let chunk = self
                    .response
                    .chunk()
                    .await
                    .unwrap()
                    .expect("the stream goes on");
                self.text.push_str(std::str::from_utf8(&chunk).unwrap());
                while let Some(end) = self.text.find("\n\n") {
                    let block: String = self.text.drain(..end + 2).collect();
                    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
                    if let (Some(id), Some(kind), Some(data)) =
                        (field("id: "), field("event: "), field("data: "))
                    {
                        let data = serde_json::from_str(data).unwrap();
                        self.events
                            .push_back((id.to_owned(), kind.to_owned(), data));
                    }
                }
            }
        };
        timeout(DEADLINE, reading).await.expect("an event comes")
    }
}

async fn world() -> World {
    let mut world = World::only_api().await;
    world.start_scheduler().await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_waits_is_answered_when_something_happens() {
    let world = world().await;
    let end = poll(&world.seller, "after=latest").await.data();
    assert_eq!(end["events"], json!([]));
    let cursor = end["nextCursor"].as_str().unwrap().to_owned();
    let (seller, query) = (world.seller.clone(), format!("after={cursor}&wait=40"));
    let waiting = tokio::spawn(async move { poll(&seller, &query).await });
    append(&world.stranger, "orders-1", "order.new", 1).await;
    append(&world.seller, "orders-1", "order.new", 2).await;
    let page = waiting.await.unwrap().data();
    assert_eq!(numbers(&page), [2], "and what others do is not shown");
    assert_eq!(page["events"][0]["stream"], "orders-1");
    assert_eq!(page["events"][0]["eventType"], "order.new");

    let nothing = poll(
        &world.seller,
        &format!("after={}&wait=1", page["nextCursor"].as_str().unwrap()),
    )
    .await;
    assert_eq!(nothing.data()["events"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_on_from_the_cursor_gets_everything_once_and_in_order() {
    let world = world().await;
    let mut cursor = String::new();
    let mut seen = Vec::new();
    for n in 1..=60 {
        append(&world.seller, &format!("orders-{}", n % 7), "order.new", n).await;
        if n % 20 == 0 {
            while seen.len() < usize::try_from(n).unwrap() {
                let page = poll(&world.seller, &format!("limit=9&wait=30&after={cursor}"))
                    .await
                    .data();
                seen.extend(numbers(&page));
                cursor = page["nextCursor"].as_str().unwrap().to_owned();
            }
        }
    }
    assert_eq!(seen, (1..=60).collect::<Vec<i64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_lets_types_and_ids_through_and_nothing_else() {
    let world = world().await;
    for (stream, event_type, n) in [
        ("orders-1", "order.new", 1),
        ("orders-2", "order.new", 2),
        ("carts-1", "cart.new", 3),
        ("orders-1", "order.paid", 4),
    ] {
        append(&world.seller, stream, event_type, n).await;
    }
    eventually("all are in the log", || async {
        (numbers(&poll(&world.seller, "").await.data()).len() == 4).then_some(())
    })
    .await;
    for (query, expected) in [
        ("types=order.*", vec![1, 2, 4]),
        ("types=order.paid,cart.*", vec![3, 4]),
        ("ids=orders-1", vec![1, 4]),
        ("ids=1", vec![1, 3, 4]),
        ("ids=orders-2,carts-1&types=*", vec![2, 3]),
        ("types=nothing.*", vec![]),
    ] {
        let page = poll(&world.seller, query).await.data();
        assert_eq!(numbers(&page), expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_that_breaks_goes_on_with_its_last_event_id() {
    let world = world().await;
    let mut follower = Follower::open(&world.seller, "after=latest", None).await;
    for n in 1..=3 {
        append(&world.seller, "orders-1", "order.new", n).await;
    }
    let mut last = String::new();
    for n in 1..=2 {
        let (id, kind, event) = follower.next().await;
        assert_eq!(
            (kind.as_str(), event["data"]["n"].as_i64()),
            ("order.new", Some(n))
        );
        assert_eq!(event["cursor"], id.as_str());
        last = id;
    }
    drop(follower);
    append(&world.seller, "orders-1", "order.new", 4).await;
    // The header is what browsers send, also with the address that they first connected to.
    let mut follower = Follower::open(&world.seller, "after=latest", Some(&last)).await;
    for n in 3..=4 {
        assert_eq!(follower.next().await.2["data"]["n"], n);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_log_is_refused_and_one_that_is_too_old_says_where_to_begin() {
    let world = world().await;
    append(&world.seller, "orders-1", "order.new", 1).await;
    // Nobody has followed the log yet, so that no process has this event in its memory.
    eventually("the event is in the log", || async {
        let last: i64 = sqlx::query_scalar("select last from event_head")
            .fetch_one(&world.pool)
            .await
            .unwrap();
        (last == 1).then_some(())
    })
    .await;
    let page = poll(&world.seller, "").await.data();
    assert_eq!(numbers(&page), [1]);
    let first = page["nextCursor"].as_str().unwrap();
    let (epoch, position) = first.split_once('-').unwrap();
    let beyond = format!("{epoch}-{}", position.parse::<i64>().unwrap() + 9);
    for cursor in [
        "abc",
        "-",
        &beyond,
        &format!("7{epoch}-1"),
        &format!("{epoch}-x"),
    ] {
        let answer = poll(&world.seller, &format!("after={cursor}")).await;
        assert_eq!(
            answer.fault(),
            (400, "INVALID_INPUT".to_owned()),
            "{cursor}"
        );
        assert!(answer.details()["after"].is_string(), "{}", answer.text);
    }
    world
        .force("update events set at = now() - interval '1 year'")
        .await;
    let pruned = events::prune_feed(&world.pool, std::time::Duration::from_secs(60)).await;
    assert_eq!(pruned.unwrap(), 1);
    let gone = poll(&world.seller, &format!("after={epoch}-0")).await;
    assert_eq!(gone.fault(), (410, "CURSOR_EXPIRED".to_owned()));
    let earliest = gone.details()["earliest"].as_str().unwrap().to_owned();
    append(&world.seller, "orders-1", "order.new", 2).await;
    assert_eq!(
        numbers(
            &poll(&world.seller, &format!("wait=30&after={earliest}"))
                .await
                .data()
        ),
        [2]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_is_shown_nothing_that_happens_afterwards() {
    let world = world().await;
    let made = world
        .seller
        .post(
            "/api/ai/keys",
            &json!({ "name": "follower", "permissions": ["download"] }),
        )
        .await;
    let (id, key) = (made.data()["id"].clone(), made.data()["apiKey"].clone());
    let follower = world.seller.with_token(key.as_str().unwrap());
    let mut stream = Follower::open(&follower, "after=latest", None).await;
    append(&world.seller, "orders-1", "order.new", 1).await;
    assert_eq!(stream.next().await.2["data"]["n"], 1);
    let path = format!("/api/ai/keys/{}", id.as_str().unwrap());
    assert!(world.seller.delete(&path).await.status < 300);
    append(&world.seller, "orders-1", "order.new", 2).await;
    let mut rest = String::new();
    while let Some(chunk) = timeout(DEADLINE, stream.response.chunk())
        .await
        .unwrap()
        .unwrap()
    {
        rest.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert!(
        rest.contains("UNAUTHORIZED") && !rest.contains("\"n\":2"),
        "{rest}"
    );
}
