//! Asks Redis: what comes while one call of the script is under way goes together in the next.

use std::sync::LazyLock;
use std::time::Duration;

use redis::aio::ConnectionManager;
use redis::{RedisError, Script};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::{Ask, Standing};
use crate::hurried_redis::{self, AddressError};

static TAKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("take.lua")));

/// Redis has this long to answer; a request waits for nothing longer.
const PATIENCE: Duration = Duration::from_millis(250);
/// Requests in one call, which blocks Redis for a few microseconds each.
const BATCH_MAX: usize = 64;
/// Requests that wait for a call.
const BACKLOG_MAX: usize = 4096;

/// One window of a request, as the script reads it.
struct Window {
    key: String,
    quota: u64,
    length_micros: u64,
    units: i64,
}

/// A request, and where it waits.
struct Asked {
    windows: Vec<Window>,
    answer: oneshot::Sender<Vec<Standing>>,
}

/// Counts in Redis.
#[derive(Clone)]
pub(super) struct Counter {
    prefix: String,
    asked: mpsc::Sender<Asked>,
}

impl Counter {
    /// Begins to count, without waiting for a connection.
    pub(super) fn start(redis_url: &str, prefix: &str) -> Result<Self, AddressError> {
        let connection = hurried_redis::connection(redis_url, PATIENCE)?;
        let (asked, requests) = mpsc::channel(BACKLOG_MAX);
        tokio::spawn(count_all(connection, requests));
        Ok(Self {
            prefix: format!("{prefix}:rate"),
            asked,
        })
    }

    /// Takes from all of these windows, or from none; none if Redis does not answer.
    pub(super) async fn take(&self, asks: &[Ask<'_>]) -> Option<Vec<Standing>> {
        let window = |ask: &Ask<'_>| Window {
            key: format!("{}:{}:{}", self.prefix, ask.policy.name, ask.subject),
            quota: ask.policy.quota,
            length_micros: ask.policy.window_seconds * 1_000_000,
            units: ask.units,
        };
        let (answer, standings) = oneshot::channel();
        let asked = Asked {
            windows: asks.iter().map(window).collect(),
            answer,
        };
        self.asked.try_send(asked).ok()?;
        standings.await.ok()
    }
}

async fn count_all(mut connection: ConnectionManager, mut requests: mpsc::Receiver<Asked>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while requests.recv_many(&mut batch, BATCH_MAX).await > 0 {
        match timeout(PATIENCE, count(&mut connection, &batch)).await {
            Ok(Ok(mut standings)) => {
                for request in batch.drain(..) {
                    let own = standings.by_ref().take(request.windows.len()).collect();
                    // An error means that the client is gone.
                    let _ = request.answer.send(own);
                }
            }
            failed => {
                let error = failed.map(Result::err);
                tracing::warn!(?error, "Rate limits are counted by this process alone");
                // Nor does anybody else wait for it in vain.
                batch.clear();
                while requests.try_recv().is_ok() {}
            }
        }
    }
}

/// The windows of all requests, in their order.
async fn count(
    connection: &mut ConnectionManager,
    batch: &[Asked],
) -> Result<impl Iterator<Item = Standing> + use<>, RedisError> {
    let mut invocation = TAKE.prepare_invoke();
    for request in batch {
        invocation.arg(request.windows.len());
        for window in &request.windows {
            invocation
                .key(&window.key)
                .arg(window.quota)
                .arg(window.length_micros)
                .arg(window.units);
        }
    }
    let figures: Vec<i64> = invocation.invoke_async(connection).await?;
    let micros = |figure: i64| Duration::from_micros(figure.unsigned_abs());
    let (windows, _rest) = figures.as_chunks::<3>();
    let standings: Vec<Standing> = windows
        .iter()
        .map(|[used, wait, frees_in]| Standing {
            used: used.unsigned_abs(),
            wait: (*wait > 0).then(|| micros(*wait)),
            frees_in: micros(*frees_in),
        })
        .collect();
    Ok(standings.into_iter())
}
