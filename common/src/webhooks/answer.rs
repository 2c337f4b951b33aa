//! Reading an answer: no more of it than needed, and what it says about the delivery.

use std::time::{Duration, SystemTime};

use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};
use tokio::time::{Instant, timeout_at};

use super::client::Outcome;
use super::directive::{self, DIRECTIVE_HEADER, Directive};
use super::failure::{ErrorClass, Failure};
use super::retry_after;

/// Reading an answer stops at the first read that reaches this; the connection is then closed.
pub const RESPONSE_READ_BYTES_MAX: usize = 64 * 1024;
/// This much of an answer is kept for its owner to see.
pub const RESPONSE_EXCERPT_BYTES_MAX: usize = 16 * 1024;

const LOCATION_BYTES_MAX: usize = 256;

/// What was read.
#[derive(Debug)]
pub(super) struct Answer {
    pub outcome: Outcome,
    pub directive: Option<Directive>,
    pub excerpt: String,
}

/// Reads the verdict. The status decides alone, except that a success must also end well.
pub(super) async fn read(mut response: Response, deadline: Instant) -> Answer {
    let status = response.status();
    let directive = directive_of(response.headers());
    let (excerpt, end) = read_excerpt(&mut response, deadline).await;
    let failure = match end {
        _ if status.is_redirection() => Some(redirect_failure(response.headers())),
        _ if !status.is_success() => Some(Failure::from(ErrorClass::Status)),
        Err(failure) => Some(failure),
        Ok(()) => None,
    };
    let outcome = match failure {
        None => Outcome::Delivered {
            status: status.as_u16(),
        },
        Some(failure) => refused(failure, Some(status), retry_hint(response.headers())),
    };
    Answer {
        outcome,
        directive,
        excerpt,
    }
}

/// Reads the body until it ends, is long enough or is late; what was read is kept either way.
async fn read_excerpt(response: &mut Response, deadline: Instant) -> (String, Result<(), Failure>) {
    let mut kept = Vec::new();
    let mut read_bytes = 0;
    let end = loop {
        match timeout_at(deadline, response.chunk()).await {
            Err(_) => break Err(Failure::from(ErrorClass::TimeoutBody)),
            Ok(Err(error)) => break Err(Failure::within_answer(error)),
            Ok(Ok(None)) => break Ok(()),
            Ok(Ok(Some(chunk))) => {
                let room = RESPONSE_EXCERPT_BYTES_MAX - kept.len();
                kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
                read_bytes += chunk.len();
                if read_bytes >= RESPONSE_READ_BYTES_MAX {
                    break Ok(());
                }
            }
        }
    };
    (printable(&kept, RESPONSE_EXCERPT_BYTES_MAX), end)
}

/// Reads a whole document of at most so many bytes.
pub(super) async fn read_document(
    mut response: Response,
    bytes_max: usize,
    deadline: Instant,
) -> Result<Vec<u8>, Failure> {
    let status = response.status();
    if status.is_redirection() {
        return Err(redirect_failure(response.headers()));
    }
    if !status.is_success() {
        return Err(Failure::from(ErrorClass::Status));
    }
    let mut document = Vec::new();
    loop {
        let chunk = timeout_at(deadline, response.chunk())
            .await
            .map_err(|_| Failure::from(ErrorClass::TimeoutBody))?
            .map_err(Failure::within_answer)?;
        let Some(chunk) = chunk else {
            return Ok(document);
        };
        if document.len() + chunk.len() > bytes_max {
            let detail = format!("the response is longer than {bytes_max} bytes");
            return Err(Failure::new(ErrorClass::ResponseTooLarge, detail));
        }
        document.extend_from_slice(&chunk);
    }
}

/// Text that PostgreSQL can store, at most `bytes_max` long.
fn printable(bytes: &[u8], bytes_max: usize) -> String {
    let mut text = String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}");
    text.truncate(text.floor_char_boundary(bytes_max));
    text
}

fn redirect_failure(headers: &HeaderMap) -> Failure {
    let location = headers.get(header::LOCATION).map(HeaderValue::as_bytes);
    let location = printable(location.unwrap_or_default(), LOCATION_BYTES_MAX);
    Failure::new(
        ErrorClass::Redirect,
        format!("redirects are not followed (location: {location})"),
    )
}

fn retry_hint(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    retry_after::parse(text, SystemTime::now())
}

fn directive_of(headers: &HeaderMap) -> Option<Directive> {
    directive::parse(headers.get(DIRECTIVE_HEADER)?.to_str().ok()?)
}

pub(super) fn refused(
    failure: Failure,
    status: Option<StatusCode>,
    retry_after: Option<Duration>,
) -> Outcome {
    Outcome::Refused {
        class: failure.class,
        status: status.map(|status| status.as_u16()),
        retry_after,
        detail: failure.detail,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_excerpt_is_storable_and_never_longer_than_its_limit(
            bytes in prop::collection::vec(any::<u8>(), 0..100), bytes_max in 0_usize..100,
        ) {
            let text = printable(&bytes, bytes_max);
            prop_assert!(text.len() <= bytes_max && !text.contains('\0'));
        }
    }
}
