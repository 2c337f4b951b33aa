//! What can go wrong with a try, as a closed list, and how the HTTP library's errors map onto it.
//!
//! The classes are stored, counted and shown, so their names never change. The mapping goes by error
//! type and kind, never by message text. Details are written for the owner of the URL and say
//! nothing about our network.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::iter::successors;

use super::resolve::ResolveError;

/// A detail is cut here: a receiver's certificate can make the TLS library wordy.
const DETAIL_BYTES_MAX: usize = 512;

/// Why a try did not deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The host name has no usable answer.
    Dns,
    /// The URL or an address behind it is against the policy; nothing was sent.
    BlockedAddress,
    /// Nobody accepts connections there.
    ConnectRefused,
    /// No connection within its time.
    ConnectTimeout,
    /// The TLS handshake failed or the certificate is not valid.
    Tls,
    /// No response header within its time.
    TimeoutHeaders,
    /// The response body did not end within the total time.
    TimeoutBody,
    /// The receiver closed the connection in the middle.
    Reset,
    /// A 3xx answer.
    Redirect,
    /// A complete answer that is neither 2xx nor 3xx.
    Status,
    /// A response header beyond the HTTP library's limits.
    ResponseTooLarge,
    /// An answer that is not HTTP.
    Protocol,
    /// The payload is gone: its retention is over, or its owner had it forgotten.
    Expunged,
    /// One of the endpoint's own headers is not valid.
    InvalidHeader,
    /// A fault on our side: must not count against the receiver.
    Internal,
}

impl ErrorClass {
    /// Every class, for metrics and constraints.
    pub const ALL: [Self; 15] = [
        Self::Dns,
        Self::BlockedAddress,
        Self::ConnectRefused,
        Self::ConnectTimeout,
        Self::Tls,
        Self::TimeoutHeaders,
        Self::TimeoutBody,
        Self::Reset,
        Self::Redirect,
        Self::Status,
        Self::ResponseTooLarge,
        Self::Protocol,
        Self::Expunged,
        Self::InvalidHeader,
        Self::Internal,
    ];

    /// The stable name: a column value and a metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::BlockedAddress => "blocked_address",
            Self::ConnectRefused => "connect_refused",
            Self::ConnectTimeout => "connect_timeout",
            Self::Tls => "tls",
            Self::TimeoutHeaders => "timeout_headers",
            Self::TimeoutBody => "timeout_body",
            Self::Reset => "reset",
            Self::Redirect => "redirect",
            Self::Status => "status",
            Self::ResponseTooLarge => "response_too_large",
            Self::Protocol => "protocol",
            Self::Expunged => "expunged",
            Self::InvalidHeader => "invalid_header",
            Self::Internal => "internal",
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::Dns => "the host name could not be resolved",
            Self::BlockedAddress => "the host resolves to an address that must not be contacted",
            Self::ConnectRefused => "no connection could be opened",
            Self::ConnectTimeout => "no connection could be opened in time",
            Self::Tls => "the TLS handshake failed",
            Self::TimeoutHeaders => "no response arrived in time",
            Self::TimeoutBody => "the response did not end in time",
            Self::Reset => "the connection was closed before the response was complete",
            Self::Redirect => "redirects are not followed",
            Self::Status => "the response status is not a success",
            Self::ResponseTooLarge => "the response headers are too large",
            Self::Protocol => "the response is not valid HTTP",
            Self::Expunged => "the payload is no longer stored",
            Self::InvalidHeader => "a header of the endpoint cannot be sent",
            Self::Internal => "the delivery failed on our side",
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A class and the sentence that goes with it.
#[derive(Debug)]
pub(super) struct Failure {
    pub class: ErrorClass,
    pub detail: String,
}

impl From<ErrorClass> for Failure {
    fn from(class: ErrorClass) -> Self {
        Self::new(class, class.detail())
    }
}

impl Failure {
    pub fn new(class: ErrorClass, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        detail.truncate(detail.floor_char_boundary(DETAIL_BYTES_MAX));
        Self { class, detail }
    }

    /// An error while connecting, sending or waiting for the response header.
    pub fn before_answer(error: reqwest::Error) -> Self {
        if error.is_connect() && error.is_timeout() && !error.is_dns() {
            return Self::from(ErrorClass::ConnectTimeout);
        }
        Self::from_causes(error)
    }

    /// An error while reading the response body.
    pub fn within_answer(error: reqwest::Error) -> Self {
        Self::from_causes(error)
    }

    fn from_causes(error: reqwest::Error) -> Self {
        if let Some(failure) = causes(&error).find_map(classify) {
            return failure;
        }
        // The URL may carry a token in its query.
        tracing::warn!(error = ?error.without_url(), "webhook request failed for an unknown reason");
        Self::from(ErrorClass::Internal)
    }
}

type Cause<'a> = &'a (dyn StdError + 'static);

/// The error and what is behind it. An `io::Error` hides its own content from `source`.
fn causes(error: Cause<'_>) -> impl Iterator<Item = Cause<'_>> {
    fn behind(error: Cause<'_>) -> Option<Cause<'_>> {
        match error.downcast_ref().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    }
    successors(Some(error), |error| behind(*error))
}

fn classify(error: Cause<'_>) -> Option<Failure> {
    if let Some(error) = error.downcast_ref::<ResolveError>() {
        return Some(match error {
            ResolveError::Blocked => Failure::from(ErrorClass::BlockedAddress),
            ResolveError::Away => Failure::from(ErrorClass::Internal),
            other => Failure::new(ErrorClass::Dns, other.to_string()),
        });
    }
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(Failure::new(ErrorClass::Tls, error.to_string()));
    }
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        return classify_http(error).map(Failure::from);
    }
    let error = error.downcast_ref::<io::Error>()?;
    classify_io(error.kind()).map(Failure::from)
}

fn classify_http(error: &hyper::Error) -> Option<ErrorClass> {
    if error.is_parse_too_large() {
        Some(ErrorClass::ResponseTooLarge)
    } else if error.is_parse() {
        Some(ErrorClass::Protocol)
    } else if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        Some(ErrorClass::Reset)
    } else {
        None
    }
}

fn classify_io(kind: io::ErrorKind) -> Option<ErrorClass> {
    use io::ErrorKind as Kind;
    match kind {
        Kind::ConnectionRefused | Kind::HostUnreachable | Kind::NetworkUnreachable => {
            Some(ErrorClass::ConnectRefused)
        }
        Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::BrokenPipe
        | Kind::NotConnected
        | Kind::UnexpectedEof => Some(ErrorClass::Reset),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_class_has_its_own_lower_case_name() {
        let names: HashSet<&str> = ErrorClass::ALL.iter().map(|class| class.as_str()).collect();
        assert_eq!(names.len(), ErrorClass::ALL.len());
        let is_name = |name: &&str| name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_'));
        assert!(names.iter().all(is_name));
    }

    #[test]
    fn a_detail_is_cut_at_its_limit_between_characters() {
        let failure = Failure::new(ErrorClass::Tls, "é".repeat(DETAIL_BYTES_MAX));
        assert_eq!(failure.detail, "é".repeat(DETAIL_BYTES_MAX / 2));
    }

    #[test]
    fn a_tls_error_is_found_inside_the_io_error_that_wraps_it() {
        let wrapped = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::DecryptError);
        let twice = io::Error::other(wrapped);
        let failure = causes(&twice).find_map(classify).unwrap();
        assert_eq!(failure.class, ErrorClass::Tls);
    }
}
