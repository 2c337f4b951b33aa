//! How long each phase of an exchange takes.
//!
//! The HTTP library tells nobody when it resolves and connects, so the resolver and a layer around
//! its connector note it in a clock that belongs to the task of the request. A connection that was
//! kept, or that another request has opened, leaves both phases empty.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use tower::{Layer, Service};

/// The phases of one exchange. They follow each other and sum to the total, but for our own work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// Name resolution.
    pub resolve: Option<Duration>,
    /// TCP and TLS.
    pub connect: Option<Duration>,
    /// From the request's first byte to the last response header.
    pub first_byte: Option<Duration>,
    /// The response body.
    pub body: Option<Duration>,
    /// From the first look at the URL to the end.
    pub total: Duration,
}

tokio::task_local! {
    static CLOCK: Arc<Clock>;
}

/// Notes of the resolver and the connector, in nanoseconds; 0 is no note.
#[derive(Debug, Default)]
pub(super) struct Clock {
    resolve: AtomicU64,
    dial: AtomicU64,
}

impl Clock {
    /// Runs a request under this clock.
    pub async fn measure<T>(self: Arc<Self>, request: impl Future<Output = T>) -> T {
        CLOCK.scope(self, request).await
    }

    /// The clock of the request that this task is working on.
    pub fn current() -> Option<Arc<Self>> {
        CLOCK.try_with(Arc::clone).ok()
    }

    pub fn note_resolve(&self, since: Instant) {
        note(&self.resolve, since);
    }

    fn note_dial(&self, since: Instant) {
        note(&self.dial, since);
    }

    pub fn resolve(&self) -> Option<Duration> {
        read(&self.resolve)
    }

    /// TCP and TLS: what the connector took beyond the resolver.
    pub fn connect(&self) -> Option<Duration> {
        let dial = read(&self.dial)?;
        Some(dial.saturating_sub(self.resolve().unwrap_or_default()))
    }
}

fn note(cell: &AtomicU64, since: Instant) {
    let nanos = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
    cell.store(nanos.max(1), Ordering::Relaxed);
}

fn read(cell: &AtomicU64) -> Option<Duration> {
    match cell.load(Ordering::Relaxed) {
        0 => None,
        nanos => Some(Duration::from_nanos(nanos)),
    }
}

/// Measures the connector that it wraps.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimedConnections;

impl<S> Layer<S> for TimedConnections {
    type Service = TimedConnector<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TimedConnector(inner)
    }
}

/// A connector that notes how long it took.
#[derive(Debug, Clone)]
pub(super) struct TimedConnector<S>(S);

impl<S, Target> Service<Target> for TimedConnector<S>
where
    S: Service<Target>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, target: Target) -> Self::Future {
        let clock = Clock::current();
        let since = Instant::now();
        let connecting = self.0.call(target);
        Box::pin(async move {
            let connected = connecting.await;
            if let Some(clock) = clock {
                clock.note_dial(since);
            }
            connected
        })
    }
}
