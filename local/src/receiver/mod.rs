//! A sandbox webhook receiver: keeps what it was sent, says whether the signatures hold.
//!
//! Any POST is a delivery; `GET /received` lists the deliveries as JSON, oldest first. What it replies
//! can be set, for all paths and for one, so that a test plays a broken receiver. Nothing is stored
//! beyond the process.

mod verify;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use verify::Signature;

use crate::{limits, ports};
use verify::Keys;

/// One webhook as it arrived.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Received {
    /// Counts all deliveries, from 1.
    pub number: u64,
    pub received_at: DateTime<Utc>,
    pub path: String,
    /// `webhook-id`: the same for every attempt of a delivery.
    pub webhook_id: Option<String>,
    /// `event` of the body, or of the data in its envelope.
    pub event: Option<String>,
    /// `uploadId` of the body.
    pub upload_id: Option<String>,
    /// `X-Awareness-Signature`.
    pub awareness_signature: Signature,
    /// The Standard Webhooks signature.
    pub standard_signature: Signature,
    /// The status that was answered.
    pub answered: u16,
    /// All headers, by their lower-case names; a value that is no text is empty.
    pub headers: BTreeMap<String, String>,
    /// The body as it arrived, what is no UTF-8 replaced.
    #[serde(skip)]
    pub text: String,
    /// The body; a JSON string if it is not JSON.
    pub body: serde_json::Value,
}

/// What a delivery is answered with.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: Vec<(&'static str, String)>,
    /// Before the head of the answer is sent.
    pub delay: Duration,
}

impl Reply {
    /// A status alone.
    pub fn of(status: StatusCode) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// With a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    /// After a while.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

#[derive(Debug)]
struct Shared {
    keys: Mutex<Keys>,
    reply: Mutex<Reply>,
    replies: Mutex<BTreeMap<String, Reply>>,
    deliveries: Mutex<VecDeque<Received>>,
    /// The number of the newest delivery.
    newest: watch::Sender<u64>,
}

/// A running receiver. Dropping it stops it.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
    server: JoinHandle<()>,
}

impl Receiver {
    /// Binds (port 0 takes a free one) and serves in the background.
    pub async fn start(listen: SocketAddr) -> io::Result<Self> {
        let listener = ports::listen(listen).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            keys: Mutex::default(),
            reply: Mutex::default(),
            replies: Mutex::default(),
            deliveries: Mutex::default(),
            newest: watch::Sender::new(0),
        });
        let router = Router::new()
            .route("/received", get(list))
            .fallback(axum::routing::post(receive))
            .layer(DefaultBodyLimit::max(limits::WEBHOOK_BODY_BYTES_MAX))
            .with_state(shared.clone());
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let server = tokio::spawn(async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(stopped);
            // The accept loop of axum does not fail.
            let _ = served.await;
        });
        Ok(Self {
            address,
            shared,
            stop,
            server,
        })
    }

    /// `http://127.0.0.1:<port>`; any path below it receives.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address that is really bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Deliveries may be signed with this API key from now on: with the key itself in the seed's
    /// header, and with the Standard Webhooks secret that is `whsec_` and the key in base64.
    pub fn trust_api_key(&self, key: impl Into<String>) {
        let key = key.into();
        let mut keys = lock(&self.shared.keys);
        keys.standard_secrets
            .insert(format!("whsec_{}", STANDARD.encode(&key)));
        keys.api_keys.insert(key);
    }

    /// Deliveries may be signed with this `whsec_…` secret from now on.
    pub fn trust_standard_secret(&self, secret: impl Into<String>) {
        lock(&self.shared.keys)
            .standard_secrets
            .insert(secret.into());
    }

    /// What the next deliveries are answered with; 200 at first. They are kept in any case.
    pub fn set_answer(&self, status: StatusCode) {
        *lock(&self.shared.reply) = Reply::of(status);
    }

    /// What the next deliveries to a path are answered with, until it is set again.
    pub fn set_reply_at(&self, path: &str, reply: Reply) {
        lock(&self.shared.replies).insert(path.to_owned(), reply);
    }

    /// All kept deliveries, oldest first.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.shared.deliveries).iter().cloned().collect()
    }

    /// The first delivery, kept or still to come, that is wanted. Bound it with a timeout.
    pub async fn wait_for(&self, mut wanted: impl FnMut(&Received) -> bool) -> Received {
        let mut newest = self.shared.newest.subscribe();
        let mut seen = 0;
        loop {
            newest.borrow_and_update();
            for delivery in self.received() {
                if delivery.number > seen {
                    seen = delivery.number;
                    if wanted(&delivery) {
                        return delivery;
                    }
                }
            }
            newest
                .changed()
                .await
                .expect("the sender lives as long as the receiver");
        }
    }

    /// The first delivery about an upload. Bound it with a timeout.
    pub async fn wait_for_upload(&self, upload_id: &str) -> Received {
        self.wait_for(|delivery| delivery.upload_id.as_deref() == Some(upload_id))
            .await
    }

    /// Stops accepting and waits for deliveries under way.
    pub async fn stop(mut self) {
        self.stop.cancel();
        // What does not finish in time is cut with the runtime.
        let _ = tokio::time::timeout(limits::HTTP_STOP_GRACE, &mut self.server).await;
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn list(State(shared): State<Arc<Shared>>) -> Json<Vec<Received>> {
    Json(lock(&shared.deliveries).iter().cloned().collect())
}

async fn receive(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let of_path = lock(&shared.replies).get(uri.path()).cloned();
    let reply = of_path.unwrap_or_else(|| lock(&shared.reply).clone());
    keep(&shared, &uri, &headers, &body, reply.status);
    tokio::time::sleep(reply.delay).await;
    let mut response = reply.status.into_response();
    for (name, value) in reply.headers {
        let value = value.parse().expect("a test sets sound headers");
        response.headers_mut().insert(name, value);
    }
    response
}

fn keep(shared: &Shared, uri: &Uri, headers: &HeaderMap, body: &[u8], answered: StatusCode) {
    let keys = lock(&shared.keys).clone();
    let text = |value: &serde_json::Value, field: &str| {
        let body = value.get("data").unwrap_or(value);
        body.get(field)?.as_str().map(str::to_owned)
    };
    let raw = String::from_utf8_lossy(body).into_owned();
    let content =
        serde_json::from_slice(body).unwrap_or_else(|_| serde_json::Value::String(raw.clone()));
    let kept_headers = headers.iter().map(|(name, value)| {
        let value = value.to_str().unwrap_or_default();
        (name.as_str().to_owned(), value.to_owned())
    });
    let mut deliveries = lock(&shared.deliveries);
    let number = *shared.newest.borrow() + 1;
    deliveries.push_back(Received {
        number,
        received_at: Utc::now(),
        path: uri.path().to_owned(),
        webhook_id: headers
            .get("webhook-id")
            .and_then(|id| id.to_str().ok())
            .map(str::to_owned),
        event: text(&content, "event"),
        upload_id: text(&content, "uploadId"),
        awareness_signature: keys.check_awareness(headers, body),
        standard_signature: keys.check_standard(headers, body),
        answered: answered.as_u16(),
        headers: kept_headers.collect(),
        text: raw,
        body: content,
    });
    if deliveries.len() > limits::WEBHOOKS_KEPT_MAX {
        deliveries.pop_front();
    }
    shared.newest.send_replace(number);
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
