//! The egress client: the only code that speaks to an address a tenant chose.
//!
//! One pool of kept connections for the process. Guarantees that no connection is opened to an
//! address the policy refuses, that redirects and proxy settings of the environment are never
//! followed, that nothing is sent twice behind the caller's back, and that an exchange ends within
//! its total timeout having held little more than [`RESPONSE_READ_BYTES_MAX`] of the answer. It
//! signs, plans and stores nothing. `tests/tests/webhook_client.rs` proves these claims.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;
use tokio::time::{Instant, timeout_at};

use super::address::{Policy, Reach, check_url};
use super::failure::{ErrorClass, Failure};
use super::resolve::{Resolve, SystemResolver, VettingResolver};
use super::retry_after;

/// Reading an answer stops at the first read that reaches this; the connection is then closed.
pub const RESPONSE_READ_BYTES_MAX: usize = 64 * 1024;
/// This much of an answer is kept for its owner to see.
pub const RESPONSE_EXCERPT_BYTES_MAX: usize = 16 * 1024;

const USER_AGENT: &str = concat!("Awareness-Webhooks/", env!("CARGO_PKG_VERSION"));
const LOCATION_BYTES_MAX: usize = 256;
const IDLE_CONNECTIONS_PER_HOST_MAX: usize = 16;
const IDLE_CONNECTION_SECONDS_MAX: u64 = 60;

/// How long each phase of an exchange may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// Name resolution.
    pub resolve: Duration,
    /// TCP and TLS, after resolution.
    pub connect: Duration,
    /// From the start to the last response header.
    pub headers: Duration,
    /// From the start to the end of the response body.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            resolve: Duration::from_secs(2),
            connect: Duration::from_secs(3),
            headers: Duration::from_secs(15),
            total: Duration::from_secs(20),
        }
    }
}

/// What a client is made of; [`Settings::new`] gives what production uses.
#[derive(Debug)]
pub struct Settings {
    /// Who may be contacted.
    pub policy: Policy,
    /// Phase limits.
    pub timeouts: Timeouts,
    /// Where host names are looked up.
    pub resolver: Arc<dyn Resolve>,
    /// The authorities whose certificates are believed.
    pub roots: RootCertStore,
}

impl Settings {
    /// The system's resolver and certificates (`SSL_CERT_FILE` is honoured), default timeouts.
    pub fn new(policy: Policy) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self {
            policy,
            timeouts: Timeouts::default(),
            resolver: Arc::new(SystemResolver::default()),
            roots,
        }
    }
}

/// Why the client cannot be built. Each is an operator's to fix.
#[derive(Debug, Error)]
pub enum BuildError {
    /// Every https delivery would fail.
    #[error("no root certificates found; install ca-certificates or set SSL_CERT_FILE")]
    NoRootCertificates,
    /// The TLS library refused its own defaults.
    #[error("the TLS settings are unusable")]
    Tls(#[from] rustls::Error),
    /// The HTTP library refused the settings.
    #[error("the HTTP client settings are unusable")]
    Http(#[from] reqwest::Error),
}

/// A request header, lower-case name first.
pub type Header = (&'static str, String);

/// One try to deliver, as it went.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Whether the receiver took it.
    pub outcome: Outcome,
    /// From the first look at the URL to the end of the exchange.
    pub duration: Duration,
    /// The start of the answer as text, if there was an answer; free of NUL.
    pub response_excerpt: Option<String>,
}

/// The receiver's verdict, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A complete 2xx answer, or one whose body we had enough of.
    Delivered {
        /// The HTTP status.
        status: u16,
    },
    /// Anything else.
    Refused {
        /// What went wrong, from a closed list.
        class: ErrorClass,
        /// The HTTP status, if one arrived.
        status: Option<u16>,
        /// How long the receiver asked us to wait.
        retry_after: Option<Duration>,
        /// A sentence for the owner of the URL; says nothing about our network.
        detail: String,
    },
}

/// The pooled client. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    policy: Arc<Policy>,
    timeouts: Timeouts,
    internet: reqwest::Client,
    allow_list: reqwest::Client,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("policy", &self.policy)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Builds the client once for the process.
    pub fn new(settings: Settings) -> Result<Self, BuildError> {
        if settings.roots.is_empty() && !settings.policy.allow_http {
            return Err(BuildError::NoRootCertificates);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(settings.roots)
            .with_no_client_auth();
        let policy = Arc::new(settings.policy);
        let build = |reach| {
            let resolver = VettingResolver {
                resolver: Arc::clone(&settings.resolver),
                policy: Arc::clone(&policy),
                reach,
                timeout: settings.timeouts.resolve,
            };
            build_pool(resolver, tls.clone(), settings.timeouts)
        };
        Ok(Self {
            internet: build(Reach::Internet)?,
            allow_list: build(Reach::AllowList)?,
            policy,
            timeouts: settings.timeouts,
        })
    }

    /// Posts a JSON `body` once. Never fails: every fault is an [`Outcome::Refused`].
    pub async fn post(&self, url: &str, headers: &[Header], body: Bytes) -> Attempt {
        let started = Instant::now();
        let (outcome, response_excerpt) = match self.request(url, headers, body, started).await {
            Ok(response) => judge(response, started + self.timeouts.total).await,
            Err(failure) => (refused(failure, None, None), None),
        };
        Attempt {
            outcome,
            duration: started.elapsed(),
            response_excerpt,
        }
    }

    async fn request(
        &self,
        url: &str,
        headers: &[Header],
        body: Bytes,
        started: Instant,
    ) -> Result<Response, Failure> {
        let destination = check_url(url, &self.policy)
            .map_err(|refusal| Failure::new(ErrorClass::BlockedAddress, refusal.to_string()))?;
        let pool = match destination.reach {
            Reach::Internet => &self.internet,
            Reach::AllowList => &self.allow_list,
        };
        let request = headers
            .iter()
            .fold(pool.post(destination.url), |request, (name, value)| {
                request.header(*name, value)
            })
            .body(body);
        timeout_at(started + self.timeouts.headers, request.send())
            .await
            .map_err(|_| Failure::from(ErrorClass::TimeoutHeaders))?
            .map_err(Failure::before_answer)
    }
}

/// A pool that connects through the given resolver and nothing else.
fn build_pool(
    resolver: VettingResolver,
    tls: ClientConfig,
    timeouts: Timeouts,
) -> Result<reqwest::Client, reqwest::Error> {
    let mut headers = HeaderMap::new();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    // A compressed answer could be far larger than what was read of it.
    let identity = HeaderValue::from_static("identity");
    headers.insert(header::ACCEPT_ENCODING, identity);
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .default_headers(headers)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .http1_only()
        .dns_resolver(resolver)
        .tls_backend_preconfigured(tls)
        .connect_timeout(timeouts.resolve + timeouts.connect)
        .pool_idle_timeout(Duration::from_secs(IDLE_CONNECTION_SECONDS_MAX))
        .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_HOST_MAX)
        .build()
}

/// Reads the verdict. The status decides alone, except that a success must also end well.
async fn judge(mut response: Response, deadline: Instant) -> (Outcome, Option<String>) {
    let status = response.status();
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
    (outcome, Some(excerpt))
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

fn refused(failure: Failure, status: Option<StatusCode>, retry_after: Option<Duration>) -> Outcome {
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

    #[test]
    fn a_client_without_root_certificates_is_built_for_development_alone() {
        let settings = |allow_http| Settings {
            roots: RootCertStore::empty(),
            ..Settings::new(Policy {
                allow_http,
                ..Policy::default()
            })
        };
        let strict = Client::new(settings(false));
        assert!(matches!(strict, Err(BuildError::NoRootCertificates)));
        assert!(Client::new(settings(true)).is_ok());
    }

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
