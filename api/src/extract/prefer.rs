//! `Prefer: wait=N` (RFC 7240).

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use common::limits::WAIT_SECONDS_MAX;

/// How long the client would like to wait; at most [`WAIT_SECONDS_MAX`].
#[derive(Debug, Clone, Copy)]
pub struct PreferWait(pub Option<Duration>);

impl<S: Sync> FromRequestParts<S> for PreferWait {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let seconds = parts
            .headers
            .get_all("prefer")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(','))
            .find_map(|item| {
                item.trim()
                    .strip_prefix("wait=")?
                    .trim_matches('"')
                    .parse::<u64>()
                    .ok()
            });
        Ok(Self(seconds.map(|seconds| {
            Duration::from_secs(seconds.min(WAIT_SECONDS_MAX))
        })))
    }
}
