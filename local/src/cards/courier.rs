//! Sends webhooks: signed, in order at the first try, then each by itself until it is taken.

use std::sync::{Arc, Mutex};

use chrono::Utc;
use common::reqwest::{self, Client};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::book::Event;
use super::lock;
use crate::limits;

/// Takes events and sees to them in the background.
#[derive(Debug)]
pub(super) struct Courier {
    queue: mpsc::Sender<Event>,
    target: Arc<Mutex<Option<String>>>,
}

/// What one try needs.
#[derive(Clone)]
struct Route {
    http: Client,
    secret: String,
    target: Arc<Mutex<Option<String>>>,
}

impl Courier {
    pub(super) fn start(secret: String, stop: CancellationToken) -> Self {
        common::tls::install_provider();
        let http = Client::builder()
            .no_proxy()
            // Receivers of a sandbox are on this machine, where there may be no certificates.
            .tls_certs_only([])
            .redirect(reqwest::redirect::Policy::none())
            .timeout(limits::CARD_WEBHOOK_TIMEOUT)
            .build()
            .expect("constant settings are sound");
        let (queue, events) = mpsc::channel(limits::CARD_EVENTS_MAX);
        let target = Arc::default();
        let route = Route {
            http,
            secret,
            target: Arc::clone(&target),
        };
        tokio::spawn(run(events, route, stop));
        Self { queue, target }
    }

    pub(super) fn send_to(&self, url: Option<String>) {
        *lock(&self.target) = url;
    }

    pub(super) fn send(&self, events: Vec<Event>) {
        for event in events {
            // A full queue loses events, as the limit says.
            let _ = self.queue.try_send(event);
        }
    }
}

async fn run(mut events: mpsc::Receiver<Event>, route: Route, stop: CancellationToken) {
    let sending = async {
        while let Some(event) = events.recv().await {
            let body = event.to_string();
            if !route.deliver(&body).await {
                let retrying = route.clone().retry(body);
                tokio::spawn(stop.clone().run_until_cancelled_owned(retrying));
            }
        }
    };
    stop.run_until_cancelled(sending).await;
}

impl Route {
    async fn retry(self, body: String) {
        let mut pause = limits::CARD_WEBHOOK_PAUSE_MIN;
        for _ in 1..limits::CARD_WEBHOOK_TRIES_MAX {
            tokio::time::sleep(pause).await;
            if self.deliver(&body).await {
                return;
            }
            pause *= 2;
        }
    }

    /// Whether there is nothing left to do.
    async fn deliver(&self, body: &str) -> bool {
        let target = lock(&self.target).clone();
        let Some(url) = target else { return true };
        let answer = self
            .http
            .post(url)
            .header("content-type", "application/json; charset=utf-8")
            .header("stripe-signature", self.sign(body))
            .body(body.to_owned())
            .send()
            .await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// `t=<now>,v1=<HMAC of "<now>.<body>">`.
    fn sign(&self, body: &str) -> String {
        let now = Utc::now().timestamp();
        let code = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes())
            .expect("HMAC takes a key of any length")
            .chain_update(format!("{now}.{body}"));
        format!("t={now},v1={}", hex::encode(code.finalize().into_bytes()))
    }
}
