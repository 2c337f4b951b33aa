//! What the clients share: a stack of real processes, users who buy and sell, and their listings.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use common::ids::{PackageId, PackagePublicId, UserId};
use common::outbox::Outbox;
use common::queue::Queue;
use common::reqwest::{self, Method, RequestBuilder};
use futures::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use tests::sample::{Expected, Sample};
use tests::stack::TestStack;

use super::hiring::register_agents;

/// Clients at once; each is a user of its own.
pub const CLIENTS: usize = 32;
/// The first so many users also sell.
const SELLERS: usize = 8;
/// Packages that are published at the same time.
const UPLOADS_AT_ONCE: usize = 16;
/// The prefix of the stack's keys in Redis.
const PREFIX: &str = "awareness";
/// One request; a killed server may leave it without an answer.
const ANSWER_SECONDS_MAX: Duration = Duration::from_secs(40);

/// A user and the key.
#[derive(Debug, Clone)]
pub struct User {
    pub id: UserId,
    pub name: String,
    pub key: String,
}

/// Something to buy.
#[derive(Debug, Clone)]
pub struct Listing {
    pub id: PackageId,
    pub public_id: PackagePublicId,
    /// Its seller's place among the users.
    pub seller: usize,
}

/// How often what happened, for the table.
#[derive(Debug, Default)]
pub struct Tally {
    pub operations: BTreeMap<&'static str, u64>,
    pub outcomes: BTreeMap<&'static str, u64>,
    pub statuses: BTreeMap<String, u64>,
}

impl Tally {
    /// An operation was done.
    pub fn count_operation(&mut self, name: &'static str) {
        *self.operations.entry(name).or_default() += 1;
    }
}

/// An answer, taken apart. No status if it broke off.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: Option<u16>,
    pub request_id: Option<String>,
    pub body: Value,
}

/// The running market.
#[derive(Debug)]
pub struct Ground {
    pub test: TestStack,
    pub users: Vec<User>,
    pub listings: Vec<Listing>,
    pub tally: Mutex<Tally>,
    /// A hand on the database and the queues beside those of the processes.
    pub outbox: Outbox,
    http: reqwest::Client,
}

impl Ground {
    /// Starts the stack, with that many listings: two of three unlimited, the others with few or one.
    pub async fn start(listings: usize) -> Self {
        let test = TestStack::start().await;
        let http = reqwest::Client::builder().timeout(ANSWER_SECONDS_MAX);
        let queue = Queue::connect(&test.stack.redis_url, PREFIX).await.unwrap();
        let mut ground = Self {
            outbox: Outbox::new(test.pool.clone(), queue),
            test,
            users: Vec::new(),
            listings: Vec::new(),
            tally: Mutex::default(),
            http: http.build().unwrap(),
        };
        for number in 0..CLIENTS {
            let user = ground.new_user(&format!("client-{number}")).await;
            ground.users.push(user);
        }
        register_agents(&ground).await;
        let listing = (0..listings).map(|number| ground.new_listing(number));
        ground.listings = stream::iter(listing)
            .buffered(UPLOADS_AT_ONCE)
            .collect()
            .await;
        ground
    }

    /// What the sandbox of cards shows.
    pub async fn sandbox(&self, path: &str) -> Value {
        let answer = self.http.get(self.sandbox_url(path)).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Does something at the sandbox of cards; what it refuses is not done.
    pub async fn change_sandbox(&self, path: &str, form: &'static str) {
        let post = self.http.post(self.sandbox_url(path)).body(form);
        post.send().await.unwrap();
    }

    fn sandbox_url(&self, path: &str) -> String {
        let settings = std::fs::read_to_string(self.test.stack.folder.join("stack.env")).unwrap();
        let mut lines = settings.lines();
        let url = lines.find_map(|line| line.strip_prefix("CARD_SANDBOX_URL="));
        format!("{}/sandbox/{path}", url.unwrap().trim_matches('\''))
    }

    /// A request with a key, to be sent by [`Ground::send`].
    pub fn request(&self, method: Method, path: &str, key: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.test.stack.base_url);
        let request = self.http.request(method, url).bearer_auth(key);
        request.header("accept", "application/vnd.awareness.v2+json")
    }

    /// A request of the operator.
    pub fn operator(&self, path: &str, body: &Value) -> RequestBuilder {
        self.request(Method::POST, path, &self.test.stack.admin_token)
            .json(body)
    }

    /// Sends a request, counts its status and reads the answer to its end.
    pub async fn send(&self, request: RequestBuilder) -> Reply {
        let answer = async {
            let response = request.send().await?;
            let status = response.status().as_u16();
            let request_id = response.headers().get("x-request-id").cloned();
            Ok::<_, reqwest::Error>((status, request_id, response.text().await?))
        };
        let reply = match answer.await {
            Ok((status, request_id, text)) => Reply {
                status: Some(status),
                request_id: request_id.and_then(|id| Some(id.to_str().ok()?.to_owned())),
                body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
            },
            Err(_) => Reply {
                status: None,
                request_id: None,
                body: Value::Null,
            },
        };
        let label = reply
            .status
            .map_or("broken off".to_owned(), |status| status.to_string());
        *self
            .tally
            .lock()
            .unwrap()
            .statuses
            .entry(label)
            .or_default() += 1;
        reply
    }

    async fn new_user(&self, name: &str) -> User {
        let body = json!({
            "user": name,
            "name": "model",
            "permissions": ["upload", "purchase", "download", "agents"],
        });
        let reply = self.send(self.operator("/admin/keys", &body)).await;
        assert_eq!(reply.status, Some(201), "{}", reply.body);
        let data = &reply.body["data"];
        User {
            id: serde_json::from_value(data["userId"].clone()).unwrap(),
            name: name.to_owned(),
            key: data["apiKey"].as_str().unwrap().to_owned(),
        }
    }

    async fn new_listing(&self, number: usize) -> Listing {
        let seller = number % SELLERS;
        let key = &self.users[seller].key;
        let mut body = Sample::new(number as u64, Expected::Accepted).body(None);
        // One is free, one costs a cent.
        body["price"] = json!(match number {
            0 => 0.0,
            1 => 0.01,
            _ => 0.49 + (number % 13) as f64,
        });
        match number % 6 {
            4 => body["licenseMode"] = json!("exclusive"),
            5 => {
                body["licenseMode"] = json!("limited");
                body["supply"] = json!(5);
            }
            _ => {}
        }
        let upload = self.request(Method::POST, "/api/ai/upload-package", key);
        let reply = self.send(upload.json(&body)).await;
        assert_eq!(reply.status, Some(202), "{}", reply.body);
        let upload = reply.body["data"]["uploadId"].as_str().unwrap();
        let path = format!("/api/ai/package-status/{upload}");
        loop {
            let status = self
                .request(Method::GET, &path, key)
                .header("prefer", "wait=30");
            let reply = self.send(status).await;
            let data = &reply.body["data"];
            assert_ne!(data["status"], "failed", "{data}");
            if let Some(id) = data["packageId"].as_str() {
                let public_id = PackagePublicId::parse(id).unwrap();
                return Listing {
                    id: public_id.row().unwrap(),
                    public_id,
                    seller,
                };
            }
        }
    }
}
