//! The HTTP side: one request, one answer, within limits.

use std::fmt;
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use url::Url;

use super::answer::{judge, read_intent};
use super::error::{CardError, Doubt};
use super::model::{Intent, NewIntent};
use super::reversal::{Reversal, read_dispute, read_disputes, read_refunds};
use crate::config::CardConfig;
use crate::limits::{CARD_ANSWER_BYTES_MAX, CARD_RETRY_AFTER_MAX};
use crate::telemetry::metrics;
use crate::tls;

/// The version of the API that answers are read as.
const VERSION: &str = "2025-03-31.basil";
const USER_AGENT: &str = concat!("Awareness-Market/", env!("CARGO_PKG_VERSION"));
const FORM: &str = "application/x-www-form-urlencoded";

/// Why the client cannot be built; an operator's to fix.
#[derive(Debug, Error)]
#[error("the HTTP client of the card provider cannot be built; are ca-certificates installed?")]
pub struct BuildError(#[from] reqwest::Error);

/// The client of the card provider, with its kept connections. Cheap to clone.
#[derive(Clone)]
pub struct Cards {
    http: Client,
    base_url: Url,
    secret_key: SecretString,
}

impl fmt::Debug for Cards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cards")
            .field("base_url", &self.base_url.as_str())
            .finish_non_exhaustive()
    }
}

impl Cards {
    /// The client; none if cards are off.
    pub fn new(config: &CardConfig) -> Result<Option<Self>, BuildError> {
        let Some(account) = &config.account else {
            return Ok(None);
        };
        tls::install_provider();
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .http1_only()
            .connect_timeout(config.connect_timeout)
            .timeout(config.request_timeout);
        if config.base_url.scheme() == "http" {
            // The sandbox; a machine without certificates can still run it.
            builder = builder.tls_certs_only([]);
        }
        Ok(Some(Self {
            http: builder.build()?,
            base_url: config.base_url.clone(),
            secret_key: account.secret_key.clone(),
        }))
    }

    /// Begins a payment, and confirms it if it names a payment method. After
    /// [`CardError::Unknown`] the same again with the same key tells what happened. A decline is
    /// remembered with its key too: another try of the buyer needs another key.
    pub async fn create_intent(&self, new: &NewIntent<'_>) -> Result<Intent, CardError> {
        let request = self
            .request(Method::POST, &[])
            .header("idempotency-key", new.idempotency_key)
            .header(CONTENT_TYPE, FORM)
            .body(new.form());
        send("create", request, read_intent).await
    }

    /// How a payment stands.
    pub async fn retrieve_intent(&self, id: &str) -> Result<Intent, CardError> {
        send("retrieve", self.request(Method::GET, &[id]), read_intent).await
    }

    /// Ends a payment that has not succeeded. One that cannot be cancelled any more is refused with
    /// the code `payment_intent_unexpected_state`; a retrieve then tells why.
    pub async fn cancel_intent(&self, id: &str) -> Result<Intent, CardError> {
        // Without an idempotency key: a kept refusal would outlive the state that caused it.
        let request = self.request(Method::POST, &[id, "cancel"]);
        send("cancel", request, read_intent).await
    }

    /// What of a payment went back to its card, or is asked back: its disputes and refunds.
    pub async fn list_reversals(&self, intent: &str) -> Result<Vec<Reversal>, CardError> {
        let list = |kind| {
            let query = [("payment_intent", intent), ("limit", "100")];
            self.request_at(Method::GET, &[kind], &query)
        };
        let mut reversals = send("list_disputes", list("disputes"), read_disputes).await?;
        reversals.extend(send("list_refunds", list("refunds"), read_refunds).await?);
        Ok(reversals)
    }

    /// Answers a dispute, once and for good.
    pub async fn answer_dispute(&self, id: &str, evidence: &str) -> Result<(), CardError> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("evidence[uncategorized_text]", evidence)
            .append_pair("submit", "true")
            .finish();
        let request = self.request_at(Method::POST, &["disputes", id], &[]);
        let request = request.header(CONTENT_TYPE, FORM).body(form);
        send("answer_dispute", request, read_dispute).await?;
        Ok(())
    }

    fn request(&self, method: Method, below_intents: &[&str]) -> RequestBuilder {
        self.request_at(method, &[&["payment_intents"], below_intents].concat(), &[])
    }

    fn request_at(&self, method: Method, path: &[&str], query: &[(&str, &str)]) -> RequestBuilder {
        let mut url = self.base_url.clone();
        url.path_segments_mut()
            .expect("an http address has a path")
            .pop_if_empty()
            .push("v1")
            .extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.http
            .request(method, url)
            .bearer_auth(self.secret_key.expose_secret())
            .header("stripe-version", VERSION)
    }
}

/// Sends once and counts what came of it.
async fn send<T>(
    operation: &'static str,
    request: RequestBuilder,
    read: fn(&[u8]) -> Option<T>,
) -> Result<T, CardError> {
    let start = Instant::now();
    let result = exchange(request, read).await;
    let seconds = start.elapsed().as_secs_f64();
    metrics()
        .card_request_seconds
        .with_label_values(&[operation])
        .observe(seconds);
    let outcome = result.as_ref().err().map_or("done", CardError::label);
    metrics()
        .card_requests
        .with_label_values(&[operation, outcome])
        .inc();
    result
}

async fn exchange<T>(
    request: RequestBuilder,
    read_body: fn(&[u8]) -> Option<T>,
) -> Result<T, CardError> {
    let response = request.send().await.map_err(before_answer)?;
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers());
    let body = read(response).await?;
    judge(status, retry_after, &body, read_body)
}

/// The whole body, or a doubt: the head alone does not say what was done.
async fn read(mut response: Response) -> Result<Vec<u8>, CardError> {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(within_answer)? {
        if body.len() + chunk.len() > CARD_ANSWER_BYTES_MAX {
            return Err(CardError::Unknown(Doubt::Unreadable(status)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn before_answer(error: reqwest::Error) -> CardError {
    if error.is_connect() {
        return CardError::NotSent(error.without_url());
    }
    if error.is_builder() {
        return CardError::Refused {
            status: StatusCode::BAD_REQUEST.as_u16(),
            code: None,
            message: "an idempotency key must fit into a header".to_owned(),
        };
    }
    within_answer(error)
}

fn within_answer(error: reqwest::Error) -> CardError {
    CardError::Unknown(if error.is_timeout() {
        Doubt::Timeout
    } else {
        Doubt::Lost(error.without_url())
    })
}

/// The header as whole seconds, as the provider writes it.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(CARD_RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_account_there_is_no_client() {
        let off = Cards::new(&CardConfig::default()).expect("nothing to build");
        assert!(off.is_none());
    }
}
