//! Cards of agents: fetched by a worker from where their owners say, checked, and served as they came.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::get;
use common::agents::card;
use common::limits::AGENT_CARD_BYTES_MAX;
use serde_json::{Value, json};
use tests::{World, eventually};
use tokio::net::TcpListener;

use super::ground::{agent, change, register, show};

/// A host of a card, whose answer a test sets.
#[derive(Debug, Clone)]
struct Host {
    address: String,
    answer: Arc<Mutex<(StatusCode, String)>>,
    /// What it was asked for.
    asked: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Host {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            answer: Arc::new(Mutex::new((StatusCode::NOT_FOUND, String::new()))),
            asked: Arc::default(),
        };
        let routes = axum::Router::new()
            .route("/card.json", get(Self::show))
            .with_state(host.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        host
    }

    async fn show(
        State(host): State<Self>,
        headers: HeaderMap,
    ) -> impl axum::response::IntoResponse {
        host.asked.lock().unwrap().push(headers);
        let (status, body) = host.answer.lock().unwrap().clone();
        (status, [(header::LOCATION, "/elsewhere")], body).into_response()
    }

    fn answer(&self, status: u16, body: impl ToString) {
        let status = StatusCode::from_u16(status).unwrap();
        *self.answer.lock().unwrap() = (status, body.to_string());
    }

    fn card_url(&self) -> String {
        format!("{}/card.json", self.address)
    }

    fn endpoint(&self) -> String {
        format!("{}/a2a", self.address)
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// A sound card of an agent that is called here.
    fn card(&self) -> Value {
        json!({
            "name": "Vision",
            "description": "Finds what is in an image.",
            "version": "2.1",
            "iconUrl": "https://example.com/icon.png",
            "supportedInterfaces": [
                { "url": self.endpoint(), "protocolBinding": "JSONRPC", "protocolVersion": "1.0" },
            ],
            "capabilities": { "streaming": true },
            "defaultInputModes": ["image/png"],
            "defaultOutputModes": ["text/plain"],
            "skills": [{ "id": "find", "name": "Find", "description": "Finds things.", "tags": ["vision"] }],
        })
    }
}

/// The card of `broker`, once it was checked.
async fn checked(world: &World) -> Value {
    eventually("the card to be checked", || async {
        let card = show(&world.anonymous, "broker").await["card"].clone();
        (card["state"] != "pending").then_some(card)
    })
    .await
}

async fn register_with_card(world: &World, host: &Host) {
    let mut body = agent("broker");
    body["endpointUrl"] = json!(host.endpoint());
    body["cardUrl"] = json!(host.card_url());
    let answer = world.seller.post("/api/agents", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert!(
        answer.data()["card"]["state"].is_string(),
        "{}",
        answer.text
    );
}

/// Makes each job that waits for its next attempt due.
async fn hurry(world: &World) {
    sqlx::query("update jobs set run_at = now() where state = 'ready' and run_at > now()")
        .execute(&world.pool)
        .await
        .unwrap();
}

const SHOWN: [&str; 2] = [
    "/a2a/broker/.well-known/agent-card.json",
    "/a2a/broker/.well-known/agent.json",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_card_is_served_as_it_came_where_clients_of_a2a_look() {
    let (world, host) = (World::start().await, Host::start().await);
    // Spaces and order are part of what a signature covers.
    let document = format!(
        "  {}\n",
        serde_json::to_string_pretty(&host.card()).unwrap()
    );
    host.answer(200, &document);
    register_with_card(&world, &host).await;
    let card = checked(&world).await;
    assert_eq!(card["state"], "verified", "{card}");
    assert_eq!(card["fault"], Value::Null);
    assert_eq!(card["skills"], host.card()["skills"]);
    for path in SHOWN {
        let answer = world.anonymous.get(path).await;
        assert_eq!((answer.status, &answer.text), (200, &document));
        assert_eq!(answer.header("content-type"), "application/json");
    }
    let headers = host.asked.lock().unwrap()[0].clone();
    assert_eq!(headers[header::ACCEPT], "application/json");
    assert!(!headers.contains_key(header::AUTHORIZATION));

    assert_eq!(world.seller.delete("/api/agents/broker").await.status, 204);
    for path in SHOWN {
        assert_eq!(world.anonymous.get(path).await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_is_not_sound_is_refused_with_a_reason_and_never_served() {
    let (world, host) = (World::start().await, Host::start().await);
    let mut elsewhere = host.card();
    elsewhere["supportedInterfaces"][0]["url"] = json!("https://example.com/other");
    let mut toothless = host.card();
    toothless["skills"] = json!([{ "id": "find" }]);
    let mut nul = host.card();
    nul["skills"][0]["name"] = json!("a\0b");
    let long = format!("{}{}", host.card(), " ".repeat(AGENT_CARD_BYTES_MAX));
    let cases = [
        (200, elsewhere.to_string(), "endpointUrl"),
        (200, toothless.to_string(), "skills[0]"),
        (200, nul.to_string(), "NUL"),
        (200, long, "65536 bytes"),
        (200, "<html>".to_owned(), "not a card"),
        (200, String::new(), "not a card"),
        (404, String::new(), "404"),
        (302, String::new(), "redirects are not followed"),
    ];
    host.answer(200, host.card());
    register_with_card(&world, &host).await;
    assert_eq!(checked(&world).await["state"], "verified");
    for (number, (status, body, reason)) in cases.into_iter().enumerate() {
        host.answer(status, body);
        let url = format!("{}?{number}", host.card_url());
        let changed = change(&world.seller, "broker", &json!({ "cardUrl": url })).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        let card = checked(&world).await;
        assert_eq!(card["state"], "refused", "{reason}: {card}");
        assert!(card["fault"].as_str().unwrap().contains(reason), "{card}");
        assert_eq!(card["skills"], json!([]));
        assert_eq!(world.anonymous.get(SHOWN[0]).await.status, 404);
    }
    let none = change(&world.seller, "broker", &json!({ "cardUrl": null })).await;
    assert_eq!(none.data()["card"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_does_not_answer_is_asked_again_and_in_the_end_refused() {
    let (world, host) = (World::start().await, Host::start().await);
    host.answer(503, "");
    register_with_card(&world, &host).await;
    eventually("the second attempt", || async {
        hurry(&world).await;
        (host.asked() >= 2).then_some(())
    })
    .await;
    let pending = show(&world.anonymous, "broker").await;
    assert_eq!(pending["card"]["state"], "pending");
    eventually("the last attempt", || async {
        hurry(&world).await;
        let card = show(&world.anonymous, "broker").await["card"].clone();
        (card["state"] == "refused").then_some(())
    })
    .await;
    assert_eq!(host.asked(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_fetched_again_after_a_day_and_stays_known_until_then() {
    let (world, host) = (World::start().await, Host::start().await);
    host.answer(200, host.card());
    register_with_card(&world, &host).await;
    assert_eq!(checked(&world).await["state"], "verified");
    let outbox = world.outbox().await;
    assert_eq!(card::renew(&outbox).await.unwrap(), 0, "it is fresh");
    let mut newer = host.card();
    newer["skills"][0]["id"] = json!("find-more");
    host.answer(200, newer);
    sqlx::query("update agent_cards set requested_at = now() - interval '25 hours'")
        .execute(&world.pool)
        .await
        .unwrap();
    let both = tokio::join!(card::renew(&outbox), card::renew(&outbox));
    assert_eq!(both.0.unwrap() + both.1.unwrap(), 1, "two at once ask once");
    eventually("the newer card", || async {
        let card = show(&world.anonymous, "broker").await["card"].clone();
        assert_eq!(card["state"], "verified", "what was known stays");
        (card["skills"][0]["id"] == "find-more").then_some(())
    })
    .await;
    assert_eq!(host.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_fetch_finds_comes_too_late_and_a_job_that_runs_twice_changes_nothing() {
    let world = World::without_worker().await;
    let host = Host::start().await;
    host.answer(200, host.card());
    register_with_card(&world, &host).await;
    let url = format!("{}?2", host.card_url());
    change(&world.seller, "broker", &json!({ "cardUrl": url })).await;
    register(&world.seller, "other").await;
    let jobs: i64 = sqlx::query_scalar("select count(*) from jobs where name = 'fetch_agent_card'")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(
        jobs, 2,
        "one for each address; an agent without a card has none"
    );
    let mut world = world;
    world.start_worker().await;
    assert_eq!(checked(&world).await["state"], "verified");
    eventually("both jobs to end", || async {
        let done: i64 = sqlx::query_scalar(
            "select count(*) from jobs where name = 'fetch_agent_card' and state = 'done'",
        )
        .fetch_one(&world.pool)
        .await
        .unwrap();
        (done == 2).then_some(())
    })
    .await;
    assert_eq!(host.asked(), 1, "the fetch that was replaced asks nobody");
    // The job that is done, made to run again.
    sqlx::query(
        "update jobs
         set state = 'ready', finished_at = null, run_at = now()
         where id = (
             select id from jobs join agent_cards on subject = fetch_id where name = 'fetch_agent_card'
         )",
    )
        .execute(&world.pool)
        .await
        .unwrap();
    eventually("the second run", || async {
        (host.asked() >= 2).then_some(())
    })
    .await;
    assert_eq!(checked(&world).await["state"], "verified");
}
