//! Owns Redis as a dispatcher of wake-up calls, and is the only place that names apalis.
//!
//! PostgreSQL is the truth: a row of `jobs` has the state, the attempts, the fence and the time of
//! the next run. What travels here is a [`Wake`]: ids and a trace context. A handler that gets one
//! leases the row, acts and finishes it; the Redis job always ends well, and retries, delays and
//! limits are none of its business. Hence nothing is lost with Redis (the sweep pushes again what
//! is due and not leased) and nothing is done twice by it (the lease refuses the second).
//!
//! Guarantees: at least one delivery of what Redis holds (`an_orphaned_batch_is_rescued`,
//! `a_stop_under_load_strands_nothing`), at most one place per call (`a_repeated_push_is_one_job`),
//! a start within milliseconds of a push (`an_idle_worker_wakes_on_a_push`), and service without
//! a restart of the process through `FLUSHALL`, `SCRIPT FLUSH` and any absence of Redis
//! (`flushall_needs_no_restart`, `ten_seconds_without_redis_end_nothing`). Does not guarantee:
//! order, or exactly one delivery. Redis must run with `maxmemory-policy noeviction`.
//! `loadtest/src/bin/queue_hop.rs` measures one hop beside BullMQ.
//!
//! apalis-redis 1.0.0 is used with every default changed. Its twenty defects, and what closes each:
//!
//! | # | Defect | Closed by |
//! |---|---|---|
//! | 1 | 8,000 due jobs end every worker for good | `lua/push.lua`: straight to the list, nothing is ever scheduled |
//! | 2, 3 | an idle worker sleeps until its heartbeat | `signal.rs`: own wake-up, `changed.rs`: subscription |
//! | 4 | locking costs time linear in the backlog | `life.rs`: `lock_tasks(false)` |
//! | 5 | idempotency keys do not hold | `lua/push.lua`: HSETNX on the id, which is `job.fence` |
//! | 6, 7 | retries ignore their limit, timeouts kill | retries live in PostgreSQL; every job ends well |
//! | 8 | a panic ends the worker | `life.rs`: caught around the handler |
//! | 9 | an undecodable payload ends the worker, again and again | `codec.rs`, and `lua/release.lua` for ids |
//! | 10 | `vacuum` deletes waiting jobs | never called; `lua/sweep.lua` |
//! | 11 | buffered jobs stop the heartbeat | `life.rs`: own beat in its own task, `lua/beat.lua` |
//! | 12 | `persist_results(false)` stops acknowledging | `life.rs`: stays on |
//! | 13 | `task-tracking` ends the worker | the feature is off |
//! | 14 | any Redis error ends the worker | `serve.rs`: another takes its place; 10 s to answer |
//! | 15 | a stop strands what was being fetched | `life.rs`: released after the end |
//! | 16 | the same name is refused after a restart | `serve.rs`: a new name for every life |
//! | 17 | delays are floored to seconds | delays live in PostgreSQL |
//! | 18 | the board's queries fail | `inspect.rs`: own counts |
//! | 19 | priorities are ignored | queues and [`Lane`]s with their own workers |
//! | 20 | cron fires once per replica | not used |

mod changed;
mod codec;
mod error;
mod inspect;
mod life;
mod limits;
mod push;
mod scripts;
mod serve;
mod signal;
mod wake;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use redis::{
    Client,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use self::{
    changed::Bus,
    limits::{
        CONNECT_DELAY_MAX, CONNECT_RETRIES_MAX, CONNECT_TIMEOUT, PROBE_SECONDS, RESPONSE_TIMEOUT,
    },
    wake::LaneKey,
};
pub use self::{
    error::QueueError,
    inspect::Depth,
    push::Pusher,
    serve::{PanicHook, ServeOptions, Serving},
    wake::{Delivery, Lane, Wake},
};

/// A process's way to Redis: one connection for commands and, once somebody listens, one for
/// messages. Clones share them.
#[derive(Debug, Clone)]
pub struct Queue {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    connection: ConnectionManager,
    bus: Bus,
    prefix: String,
}

impl Queue {
    /// Prepares the connections without waiting for them: a process starts while Redis is away
    /// and works as soon as it is back. Fails only for an address that cannot be parsed.
    pub async fn connect(redis_url: &str, prefix: &str) -> Result<Self, QueueError> {
        let client = Client::open(redis_url).map_err(QueueError::Address)?;
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_max_delay(CONNECT_DELAY_MAX)
            .set_number_of_retries(CONNECT_RETRIES_MAX);
        let connection = ConnectionManager::new_lazy_with_config(client.clone(), config)
            .map_err(QueueError::Address)?;
        Ok(Self {
            shared: Arc::new(Shared {
                bus: Bus::start(client, connection.clone()),
                connection,
                prefix: prefix.to_owned(),
            }),
        })
    }

    /// How long Redis takes to answer.
    pub async fn ping(&self) -> Result<Duration, QueueError> {
        let asked = Instant::now();
        redis::cmd("PING")
            .exec_async(&mut self.connection())
            .await?;
        Ok(asked.elapsed())
    }

    /// How long Redis takes to write something small: a full one answers, and refuses to write.
    pub async fn write_probe(&self) -> Result<Duration, QueueError> {
        let asked = Instant::now();
        redis::cmd("SET")
            .arg(format!("{}:probe", self.shared.prefix))
            .arg(1)
            .arg("EX")
            .arg(PROBE_SECONDS)
            .exec_async(&mut self.connection())
            .await?;
        Ok(asked.elapsed())
    }

    fn connection(&self) -> ConnectionManager {
        self.shared.connection.clone()
    }

    fn bus(&self) -> &Bus {
        &self.shared.bus
    }

    fn lane_key(&self, queue: &str, lane: Lane) -> LaneKey {
        LaneKey::new(&self.shared.prefix, queue, lane)
    }

    fn topic_channel(&self, topic: &str) -> String {
        format!("{}:changed:{topic}", self.shared.prefix)
    }
}
