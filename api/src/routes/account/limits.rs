//! `GET /api/ai/limits`: which limits apply to the caller and what is left of them. Asking is free.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use common::limits::{BATCH_PACKAGES_MAX, PACKAGE_BYTES_MAX, WAIT_SECONDS_MAX};
use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::{Answer, Cacheable};
use crate::entity_tag::Tagged;
use crate::error::ApiError;
use crate::extract::MaybeCaller;
use crate::limits::{Applied, Kind, applied};
use crate::middleware::ClientAddress;
use crate::state::ApiState;

/// The limits of the caller.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Whether requests from this address are not limited.
    trusted: bool,
    /// The windows that count the caller's requests.
    policies: Vec<LimitWindow>,
    /// The largest package, both parts together, decoded.
    package_bytes_max: u64,
    /// The most packages of one batch.
    batch_packages_max: usize,
    /// The longest `Prefer: wait`.
    wait_seconds_max: u64,
}

/// A window that counts requests.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LimitWindow {
    /// Its name.
    policy: String,
    /// How many requests it allows.
    limit: u64,
    /// How long it is, in words.
    window: String,
    /// How long it is.
    window_seconds: u64,
    /// How many requests are left.
    remaining: u64,
    /// When another is allowed.
    resets_in_seconds: u64,
}

/// Answers the windows that the caller's requests are counted in, as they stand.
pub async fn get_limits(
    State(state): State<ApiState>,
    MaybeCaller(caller): MaybeCaller,
    Extension(address): Extension<ClientAddress>,
) -> Result<Cacheable<Limits>, ApiError> {
    let mut policies: Vec<LimitWindow> = Vec::new();
    for kind in [Kind::Browse, Kind::Upload, Kind::Purchase, Kind::Other] {
        let counted = applied(&state.rates, Some(address.0), caller.as_ref(), kind, 0);
        for window in Applied::take(&state.throttle, counted).await {
            if policies
                .iter()
                .any(|shown| shown.policy == window.policy.name)
            {
                continue;
            }
            policies.push(LimitWindow {
                limit: window.policy.quota,
                window: window.policy.window(),
                window_seconds: window.policy.window_seconds,
                remaining: window.remaining(),
                resets_in_seconds: window.frees_in_seconds(),
                policy: window.policy.name,
            });
        }
    }
    let limits = Limits {
        trusted: policies.is_empty(),
        policies,
        package_bytes_max: PACKAGE_BYTES_MAX,
        batch_packages_max: BATCH_PACKAGES_MAX,
        wait_seconds_max: WAIT_SECONDS_MAX,
    };
    let no_cache = HeaderValue::from_static("private, no-cache");
    let answer = Answer::ok(limits).tagged(Tagged::WHOLE);
    Ok(Cacheable(answer.header(header::CACHE_CONTROL, no_cache)))
}
