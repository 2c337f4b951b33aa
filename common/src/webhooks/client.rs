//! The egress client: the only code that speaks to an address a tenant chose.
//!
//! One pool of kept connections for the process. Guarantees that no connection is opened to an
//! address the policy refuses, that redirects and proxy settings of the environment are never
//! followed, that nothing is sent twice behind the caller's back, and that an exchange ends within
//! its total timeout having held little more than [`answer::RESPONSE_READ_BYTES_MAX`] of the answer. It
//! signs, plans and stores nothing. `tests/tests/webhook_client.rs` proves these claims.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{RequestBuilder, Response};
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::address::{Policy, Reach, check_url};
use super::answer::{self, Answer, refused};
use super::directive::Directive;
use super::failure::{ErrorClass, Failure};
use super::resolve::{Answers, Resolve, SystemResolver, VettingResolver};
use super::timing::{Clock, TimedConnections, Timings};

const USER_AGENT: &str = concat!("Awareness-Webhooks/", env!("CARGO_PKG_VERSION"));
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
            total: Duration::from_secs(30),
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
pub type Header = (String, String);

/// What to send, where.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    pub url: &'a str,
    /// Of two with one name the later one counts.
    pub headers: &'a [Header],
    /// JSON.
    pub body: Bytes,
    /// The whole exchange; the phases have their own limits within it.
    pub timeout: Duration,
}

/// Why a document was not got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    pub class: ErrorClass,
    /// The HTTP status, if one arrived.
    pub status: Option<u16>,
    /// A sentence for the owner of the URL; says nothing about our network.
    pub detail: String,
}

/// One try to deliver, as it went.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Whether the receiver took it.
    pub outcome: Outcome,
    /// How long its phases took.
    pub timings: Timings,
    /// What the receiver asks of us beyond its verdict.
    pub directive: Option<Directive>,
    /// The start of the answer as text, if there was an answer; free of NUL.
    pub response_excerpt: Option<String>,
}

impl Missed {
    fn new(failure: Failure, status: Option<u16>) -> Self {
        Self {
            class: failure.class,
            status,
            detail: failure.detail,
        }
    }
}

impl Attempt {
    /// Nothing was sent, because there is nothing to send.
    pub(super) fn withheld() -> Self {
        let failure = Failure::from(ErrorClass::Expunged);
        Self {
            outcome: refused(failure, None, None),
            timings: Timings::default(),
            directive: None,
            response_excerpt: None,
        }
    }
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
        let answers = Answers::default();
        let build = |reach| {
            let resolver = VettingResolver {
                resolver: Arc::clone(&settings.resolver),
                policy: Arc::clone(&policy),
                reach,
                timeout: settings.timeouts.resolve,
                answers: answers.clone(),
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

    /// Whom it may speak to.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Posts a message once. Never fails: every fault is an [`Outcome::Refused`].
    pub async fn post(&self, message: Message<'_>) -> Attempt {
        let started = Instant::now();
        let clock = Arc::new(Clock::default());
        let deadline = started + message.timeout.min(self.timeouts.total);
        let request = |pool: &reqwest::Client, url| {
            let headers = header_map(message.headers)?;
            Ok(pool.post(url).headers(headers).body(message.body.clone()))
        };
        let asked = self.send(message.url, request, started, deadline);
        let asked = Arc::clone(&clock).measure(asked).await;
        let headers_at = started.elapsed();
        let mut attempt = match asked {
            Ok(response) => {
                let Answer {
                    outcome,
                    directive,
                    excerpt,
                } = answer::read(response, deadline).await;
                Attempt {
                    outcome,
                    timings: Timings::default(),
                    directive,
                    response_excerpt: Some(excerpt),
                }
            }
            Err(failure) => Attempt {
                outcome: refused(failure, None, None),
                timings: Timings::default(),
                directive: None,
                response_excerpt: None,
            },
        };
        let (resolve, connect) = (clock.resolve(), clock.connect());
        let dialled = resolve.unwrap_or_default() + connect.unwrap_or_default();
        let is_answered = attempt.response_excerpt.is_some();
        let total = started.elapsed();
        attempt.timings = Timings {
            resolve,
            connect,
            first_byte: is_answered.then(|| headers_at.saturating_sub(dialled)),
            body: is_answered.then(|| total.saturating_sub(headers_at)),
            total,
        };
        attempt
    }

    /// Gets a JSON document of at most so many bytes.
    pub async fn get(
        &self,
        url: &str,
        bytes_max: usize,
        longest: Duration,
    ) -> Result<Vec<u8>, Missed> {
        let started = Instant::now();
        let deadline = started + longest.min(self.timeouts.total);
        let request = |pool: &reqwest::Client, url| {
            Ok(pool.get(url).header(header::ACCEPT, "application/json"))
        };
        let response = self.send(url, request, started, deadline).await;
        let response = response.map_err(|failure| Missed::new(failure, None))?;
        let status = response.status().as_u16();
        answer::read_document(response, bytes_max, deadline)
            .await
            .map_err(|failure| Missed::new(failure, Some(status)))
    }

    async fn send(
        &self,
        url: &str,
        request: impl FnOnce(&reqwest::Client, Url) -> Result<RequestBuilder, Failure>,
        started: Instant,
        deadline: Instant,
    ) -> Result<Response, Failure> {
        let destination = check_url(url, &self.policy)
            .map_err(|refusal| Failure::new(ErrorClass::BlockedAddress, refusal.to_string()))?;
        let pool = match destination.reach {
            Reach::Internet => &self.internet,
            Reach::AllowList => &self.allow_list,
        };
        let request = request(pool, destination.url)?;
        let headers_by = deadline.min(started + self.timeouts.headers);
        let response = timeout_at(headers_by, request.send())
            .await
            .map_err(|_| Failure::from(ErrorClass::TimeoutHeaders))?
            .map_err(Failure::before_answer)?;
        // The resolver has vetted it; a connection that went elsewhere would be a defect of ours.
        let peer = response.remote_addr().map(|address| address.ip());
        match peer.is_none_or(|peer| self.policy.permits(peer, destination.reach)) {
            true => Ok(response),
            false => Err(Failure::from(ErrorClass::BlockedAddress)),
        }
    }
}

fn header_map(headers: &[Header]) -> Result<HeaderMap, Failure> {
    let invalid = |name: &str| {
        let detail = format!("the header {name} cannot be sent");
        Failure::new(ErrorClass::InvalidHeader, detail)
    };
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let key: header::HeaderName = name.parse().map_err(|_| invalid(name))?;
        map.insert(
            key,
            HeaderValue::from_str(value).map_err(|_| invalid(name))?,
        );
    }
    Ok(map)
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
        .connector_layer(TimedConnections)
        .tls_backend_preconfigured(tls)
        .connect_timeout(timeouts.resolve + timeouts.connect)
        .pool_idle_timeout(Duration::from_secs(IDLE_CONNECTION_SECONDS_MAX))
        .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_HOST_MAX)
        .build()
}

#[cfg(test)]
mod tests {
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
}
