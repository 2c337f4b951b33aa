//! Host names to addresses, vetted: the resolver that the egress client connects through.
//!
//! Guarantees that the client is handed addresses only if **every** answer passed the policy, and
//! that these very addresses are the ones connected to, so a name that changes its answer between a
//! check and a connection gains nothing. Hosts written as addresses never come here; `check_url`
//! judged them.

use std::fmt::Debug;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolving};
use thiserror::Error;
use tokio::sync::Semaphore;

use super::address::{Policy, Reach};
use super::timing::Clock;

/// System look-ups that may block a thread at once. A slow name server holds its thread beyond our
/// timeout; this keeps the process's other blocking work (files) out of its reach.
const LOOKUPS_MAX: usize = 64;

/// A name server that has answered nobody for so long is away.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// Turns a host name into addresses.
pub trait Resolve: Debug + Send + Sync + 'static {
    /// All addresses of `host`, in order of preference.
    fn resolve(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The operating system's resolver.
#[derive(Debug)]
pub struct SystemResolver {
    lookups: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self {
            lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)),
        }
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let lookups = Arc::clone(&self.lookups);
        Box::pin(async move {
            let permit = lookups.acquire_owned().await.map_err(io::Error::other)?;
            let look_up = move || {
                let _held_until_the_thread_is_free = permit;
                let answers = (host.as_str(), 0).to_socket_addrs()?;
                Ok(answers.map(|answer| answer.ip()).collect())
            };
            tokio::task::spawn_blocking(look_up).await?
        })
    }
}

/// Why a host name gave no address to connect to.
#[derive(Debug, Error)]
pub(super) enum ResolveError {
    #[error("the host name could not be resolved")]
    Lookup(#[source] io::Error),
    #[error("the host name has no address")]
    NoAnswer,
    #[error("the name server did not answer in time")]
    TimedOut,
    /// It has answered nobody for a while: the fault is ours, whatever the name.
    #[error("no name server answers")]
    Away,
    #[error("the host name resolves to an address that must not be contacted")]
    Blocked,
}

/// Applies the policy and a timeout to every answer of the resolver behind it.
#[derive(Debug)]
pub(super) struct VettingResolver {
    pub resolver: Arc<dyn Resolve>,
    pub policy: Arc<Policy>,
    pub reach: Reach,
    pub timeout: Duration,
    pub answers: Answers,
}

/// When a name server last answered anything, "there is no such name" included.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers(Arc<Mutex<Option<Instant>>>);

impl Answers {
    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn are_missing(&self) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_none_or(|last| last.elapsed() > SILENCE_MAX)
    }
}

impl VettingResolver {
    fn vet(policy: &Policy, reach: Reach, answers: &[IpAddr]) -> Result<(), ResolveError> {
        if answers.is_empty() {
            return Err(ResolveError::NoAnswer);
        }
        match answers.iter().all(|answer| policy.permits(*answer, reach)) {
            true => Ok(()),
            false => Err(ResolveError::Blocked),
        }
    }
}

impl reqwest::dns::Resolve for VettingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let answer = self.resolver.resolve(name.as_str().to_owned());
        let policy = Arc::clone(&self.policy);
        let (reach, timeout) = (self.reach, self.timeout);
        let (clock, since) = (Clock::current(), Instant::now());
        let seen = self.answers.clone();
        Box::pin(async move {
            let answers = tokio::time::timeout(timeout, answer).await;
            if let Some(clock) = clock {
                clock.note_resolve(since);
            }
            let answers = match answers {
                Ok(answers) => {
                    seen.note();
                    answers.map_err(ResolveError::Lookup)?
                }
                Err(_) if seen.are_missing() => return Err(ResolveError::Away.into()),
                Err(_) => return Err(ResolveError::TimedOut.into()),
            };
            Self::vet(&policy, reach, &answers)?;
            let addresses = answers.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}
