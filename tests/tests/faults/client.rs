//! A client as the documentation wants it: one Idempotency-Key per upload, and the same request
//! again when the connection breaks or the service is away.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::reqwest::{self, StatusCode};
use futures::StreamExt as _;
use local::stack::Stack;
use serde_json::Value;
use tests::sample::{Expected, Sample};

/// Before the same request is sent again.
const AGAIN_AFTER: Duration = Duration::from_millis(200);
/// One request; a killed server may leave it without an answer.
const ANSWER_SECONDS_MAX: Duration = Duration::from_secs(40);

/// An upload that was answered 202.
#[derive(Debug, Clone)]
pub struct Accepted {
    pub upload_id: String,
    pub expected: Expected,
}

/// Sends uploads of the seller and asks what came of them.
pub struct Client {
    http: reqwest::Client,
    base_url: String,
    api_key: String,
    webhook_url: String,
    requests: AtomicU64,
    statuses: std::sync::Mutex<BTreeMap<String, u64>>,
}

impl Client {
    pub fn new(stack: &Stack) -> Self {
        Self {
            http: reqwest::Client::builder()
                .timeout(ANSWER_SECONDS_MAX)
                .build()
                .unwrap(),
            base_url: stack.base_url.clone(),
            api_key: stack.keys.seller.clone(),
            webhook_url: format!("{}/hook", stack.receiver.url()),
            requests: AtomicU64::new(0),
            statuses: std::sync::Mutex::default(),
        }
    }

    /// All samples, spread evenly over the time; returns when each has been accepted.
    pub async fn send_over(&self, samples: Vec<Sample>, time: Duration) -> Vec<Accepted> {
        let pause = time / u32::try_from(samples.len()).unwrap();
        let sending = samples
            .into_iter()
            .zip(0_u32..)
            .map(|(sample, place)| async move {
                tokio::time::sleep(pause * place).await;
                self.send(&sample).await
            });
        sending
            .collect::<futures::stream::FuturesUnordered<_>>()
            .collect()
            .await
    }

    /// One sample, as often as it takes.
    pub async fn send(&self, sample: &Sample) -> Accepted {
        let body = sample.body(Some(&self.webhook_url)).to_string();
        loop {
            let request = self
                .http
                .post(format!("{}/api/ai/upload-package", self.base_url))
                .bearer_auth(&self.api_key)
                .header("idempotency-key", format!("sample-{}", sample.number))
                .header("content-type", "application/json")
                .body(body.clone());
            if let Some((StatusCode::ACCEPTED, answer)) = self.answer(request).await {
                return Accepted {
                    upload_id: answer["data"]["uploadId"].as_str().unwrap().to_owned(),
                    expected: sample.expected,
                };
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    /// The status of an upload once it has ended.
    pub async fn end_of(&self, upload: &Accepted) -> Value {
        loop {
            let url = format!(
                "{}/api/ai/package-status/{}",
                self.base_url, upload.upload_id
            );
            let request = self.http.get(url).header("prefer", "wait=10");
            if let Some((StatusCode::OK, mut answer)) = self.answer(request).await {
                let status = answer["data"].take();
                if matches!(status["status"].as_str(), Some("completed" | "failed")) {
                    return status;
                }
            } else {
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }
    }

    /// How many requests were answered how, for the table.
    pub fn statuses(&self) -> String {
        let statuses = self.statuses.lock().unwrap();
        let texts: Vec<String> = statuses
            .iter()
            .map(|(status, count)| format!("{status}: {count}"))
            .collect();
        format!(
            "{} requests ({})",
            self.requests.load(Ordering::Relaxed),
            texts.join(", ")
        )
    }

    /// The answer, if there was one; a status that a client must not see ends the test.
    async fn answer(&self, request: reqwest::RequestBuilder) -> Option<(StatusCode, Value)> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let answer = async {
            let response = request.send().await?;
            let status = response.status();
            Ok::<_, reqwest::Error>((status, response.text().await?))
        };
        let answer = answer.await;
        let label = answer.as_ref().map_or_else(
            |_| "broken off".to_owned(),
            |(status, _)| status.as_u16().to_string(),
        );
        *self.statuses.lock().unwrap().entry(label).or_default() += 1;
        let (status, text) = answer.ok()?;
        let expected = [
            StatusCode::OK,
            StatusCode::ACCEPTED,
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::GATEWAY_TIMEOUT,
        ];
        assert!(expected.contains(&status), "{status}: {text}");
        Some((status, serde_json::from_str(&text).ok()?))
    }
}
