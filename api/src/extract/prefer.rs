//! `Prefer: wait=N` (RFC 7240).

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use common::limits::WAIT_SECONDS_MAX;

use crate::contract::{Input, Signature};
use crate::header_list::elements;

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// How long the client would like to wait; at most [`WAIT_SECONDS_MAX`].
#[derive(Debug, Clone, Copy)]
pub struct PreferWait(pub Option<Duration>);

impl Input for PreferWait {
    fn describe(signature: &mut Signature) {
        signature.headers.push("Prefer");
    }
}

impl<S: Sync> FromRequestParts<S> for PreferWait {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(preferred_wait(&parts.headers)))
    }
}

/// The first wait that is asked for counts (RFC 7240 §2); one that is no number is not understood, so ignored.
fn preferred_wait(headers: &HeaderMap) -> Option<Duration> {
    let preferences = elements(headers, &PREFER);
    let wait = preferences.iter().find(|element| element.name == "wait")?;
    let seconds = wait.value.as_deref()?.parse::<u64>().ok()?;
    Some(Duration::from_secs(seconds.min(WAIT_SECONDS_MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_however_the_standard_lets_it_be_written() {
        for (lines, seconds) in [
            (&["wait=2"][..], Some(2)),
            (&["Wait=2"], Some(2)),
            (&["respond-async, wait = 2"], Some(2)),
            (&["WAIT=\"2\"; why=\"a, wait=9\""], Some(2)),
            (&["foo=\"wait=9, wait=8\", wait=2;x"], Some(2)),
            (&["respond-async", "wait=2, wait=3"], Some(2)),
            (&["wait=100000"], Some(WAIT_SECONDS_MAX)),
            (&["wait=soon"], None),
            (&["wait=-1"], None),
            (&["wait"], None),
            (&["await=2"], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(PREFER, line.parse().unwrap());
            }
            assert_eq!(
                preferred_wait(&headers),
                seconds.map(Duration::from_secs),
                "{lines:?}"
            );
        }
    }
}
