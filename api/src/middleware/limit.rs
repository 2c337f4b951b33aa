//! Rate limits: each request takes from every window that it counts in, or is refused with 429.
//!
//! The seed's headers are those of the window that is tightest; the drafts' `RateLimit` and
//! `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11) list all of them.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use common::admission::{Admission, Holder, Network};
use common::config::RatePolicy;
use common::limits::{REFUSAL_PAUSE, RETURNED_BODY_BYTES_MAX};
use common::telemetry::metrics;
use http_body_util::BodyExt as _;

use super::{ClientAddress, Identity, under_lease};
use crate::access;
use crate::contract;
use crate::error::{ApiError, Code, ReachedLimit};
use crate::extract::DryRun;
use crate::limits::{Applied, Counted, Kind, applied};
use crate::state::ApiState;

/// The windows of a request after its handler has taken more of them; in the extensions of the response.
#[derive(Debug, Clone)]
pub struct Charged(pub Vec<Applied>);

/// Lets a request through that has something left in each of its windows.
pub async fn limit(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let Some(kind) = kind_of(&request) else {
        return authorized(&state, request, next).await;
    };
    let extensions = request.extensions();
    let address = extensions.get::<ClientAddress>().map(|address| address.0);
    let identity = extensions.get::<Identity>();
    let caller = identity.and_then(|Identity(identity)| identity.as_ref().ok()?.as_ref());
    let account = caller.map(|caller| caller.user);
    let counted = applied(&state.rates, address, caller, kind, 1);
    let returnable = kind.returnable(&counted);
    let mut applied = Applied::take(&state.throttle, counted).await;
    let mut response = match refusal(&applied) {
        Some(error) => error.into_response(),
        None => {
            if let Some(account) = account {
                state.counts.account(account);
            }
            let (request, read) = counting(request, &returnable);
            let response = authorized(&state, request, next).await;
            let is_little = read.load(Ordering::Relaxed) <= RETURNED_BODY_BYTES_MAX;
            if is_little && is_refused_for_its_words(response.status()) {
                give_back(&state, returnable, &mut applied).await;
            }
            response
        }
    };
    let charged = response.extensions_mut().remove::<Charged>();
    let applied = charged.map_or(applied, |Charged(windows)| windows);
    add_headers(response.headers_mut(), &applied);
    if response.status() == StatusCode::TOO_MANY_REQUESTS {
        pause(&state.places.refusals, address).await;
    }
    response
}

/// Delays a refusal, if there is a place for that. The request holds no other place by now.
async fn pause(refusals: &Admission, address: Option<IpAddr>) {
    let network = address.map(|address| Holder::Network(Network::of(address)));
    if let Ok(_place) = refusals.try_take(network.as_slice()) {
        tokio::time::sleep(REFUSAL_PAUSE).await;
    }
}

/// Whether a request was refused for what it says, before anything was done for it: its words, or that it
/// asks for more than is left (a batch). A body that came too slowly or broke off is none of these.
fn is_refused_for_its_words(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 415 | 422 | 429)
}

/// Counts what is read of the body, if something may be given back.
fn counting(request: Request, returnable: &[Counted]) -> (Request, Arc<AtomicU64>) {
    let read = Arc::new(AtomicU64::new(0));
    if returnable.is_empty() {
        return (request, read);
    }
    let counter = Arc::clone(&read);
    let request = request.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            counter.fetch_add(bytes as u64, Ordering::Relaxed);
            frame
        }))
    });
    (request, read)
}

/// Gives back what some of the windows were asked for.
async fn give_back(state: &ApiState, returnable: Vec<Counted>, applied: &mut [Applied]) {
    if returnable.is_empty() {
        return;
    }
    for stands in Applied::give_back(&state.throttle, returnable).await {
        let before = applied.iter_mut().find(|it| it.policy == stands.policy);
        if let Some(before) = before {
            *before = stands;
        }
    }
}

/// Runs what the caller may do. In this layer and not in one of its own, which would cost as much as a
/// small handler; after the limits, because whoever tries keys is limited.
async fn authorized(state: &ApiState, request: Request, next: Next) -> Response {
    match access::refused(&request) {
        Some(refusal) => refusal,
        None => under_lease(state, request, next).await,
    }
}

/// What kind of call it is; none for what is never limited.
fn kind_of(request: &Request) -> Option<Kind> {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str);
    let is_dry = request.extensions().get::<DryRun>() == Some(&DryRun(true));
    let kind = match contract::find(request.method(), route) {
        Some(operation) => operation.kind?,
        // What has no route.
        None => Kind::Other,
    };
    Some(if is_dry { kind.dry_run() } else { kind })
}

/// Why the request does not pass, if it does not.
pub fn refusal(applied: &[Applied]) -> Option<ApiError> {
    let reached = applied
        .iter()
        .filter(|each| each.standing.wait.is_some())
        .max_by_key(|each| each.standing.wait)?;
    let wait = reached.standing.wait.unwrap_or_default();
    Some(reached_limit(&reached.policy, wait))
}

/// A window has too little left until then.
pub fn reached_limit(policy: &RatePolicy, wait: Duration) -> ApiError {
    metrics()
        .rate_limited
        .with_label_values(&[policy.name.as_str()])
        .inc();
    let window = policy.window();
    let (name, what) = match policy.name.as_str() {
        "upload" => (
            "Upload limit",
            format!("upload up to {} packages", policy.quota),
        ),
        "validate" => (
            "Validation limit",
            format!("validate up to {} packages", policy.quota),
        ),
        "purchase" => (
            "Purchase limit",
            format!("purchase up to {} packages", policy.quota),
        ),
        _ => (
            "Rate limit",
            format!("make up to {} requests", policy.quota),
        ),
    };
    let per = window.strip_prefix("1 ").unwrap_or(&window);
    let message = format!("{name} exceeded. You can {what} per {per}.");
    let mut error = ApiError::new(Code::RateLimitExceeded, message).field("policy", &policy.name);
    error.retry_after_seconds = Some(wait.as_secs_f64().ceil().max(1.0) as u32);
    error.limit = Some(Box::new(ReachedLimit {
        quota: policy.quota,
        window,
    }));
    error
}

/// How the windows stand, in the seed's headers and in the drafts'.
fn add_headers(headers: &mut HeaderMap, applied: &[Applied]) {
    let Some(tightest) = applied.iter().min_by_key(|each| each.tightness()) else {
        return;
    };
    let mut set = |name: &'static str, text: String| {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    };
    set("ratelimit-limit", tightest.policy.quota.to_string());
    set("ratelimit-remaining", tightest.remaining().to_string());
    set("ratelimit-reset", tightest.resets_at().to_string());
    let list = |item: &dyn Fn(&Applied) -> String| {
        applied.iter().map(item).collect::<Vec<String>>().join(", ")
    };
    set(
        "ratelimit",
        list(&|each| {
            let seconds = each.frees_in_seconds();
            format!(
                "\"{}\";r={};t={seconds}",
                each.policy.name,
                each.remaining()
            )
        }),
    );
    set(
        "ratelimit-policy",
        list(&|each| {
            let policy = &each.policy;
            format!(
                "\"{}\";q={};w={}",
                policy.name, policy.quota, policy.window_seconds
            )
        }),
    );
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn refusals_are_delayed_only_as_long_as_there_are_places_for_that() {
        let refusals = Admission::new(3, 2);
        let address = |text: &str| Some(text.parse().unwrap());
        let greedy = address("192.0.2.1");
        let mut first = Box::pin(pause(&refusals, greedy));
        let mut second = Box::pin(pause(&refusals, greedy));
        assert!((&mut first).now_or_never().is_none());
        assert!((&mut second).now_or_never().is_none());
        let beyond_the_share = pause(&refusals, greedy).now_or_never();
        assert!(beyond_the_share.is_some());
        let mut other = Box::pin(pause(&refusals, address("192.0.2.2")));
        assert!((&mut other).now_or_never().is_none());
        let beyond_all = pause(&refusals, address("192.0.2.3")).now_or_never();
        assert!(beyond_all.is_some());
        first.await;
        assert_eq!(refusals.taken_count(), 2);
    }
}
