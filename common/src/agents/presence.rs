//! Who is present, in Redis under the seed's names, so that whoever reads them there finds what it knows:
//!
//! * `agent:{id}` is the profile as JSON, and lives for the agents' time to live after the last heartbeat;
//! * `agents:all` and `agents:capabilities:{capability}` are sets of ids.
//!
//! Beside them `agents:leases` says when each is over, so that the sets are cleaned, `agents:versions` which
//! profile is the newest, `agents:filled` that nothing was lost since all of it was filled in from PostgreSQL,
//! and `agents:fresh` that this was a short while ago. Nothing but presence depends on any of it: while Redis is
//! away, it is unknown.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use redis::aio::ConnectionManager;
use redis::{AsyncCommands as _, RedisError, Script};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde_json::json;
use sqlx::PgPool;
use thiserror::Error;
use tokio::time::timeout;

use super::queries::{list_registered, list_seen_since};
use super::{Agent, AgentId, Presence};
use crate::config::{AgentsConfig, RedisConfig};
use crate::hurried_redis::{self, AddressError};
use crate::limits::{PRESENCE_REFILL, PRESENCE_ROWS_MAX, ROUND_ROBIN_REMEMBERED};
use crate::money::decimal_number;

static APPEAR: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/appear.lua")));
static ROUND_ROBIN: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("lua/round_robin.lua")));
static VANISH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/vanish.lua")));

/// No request waits longer for Redis.
const REDIS_TIMEOUT: Duration = Duration::from_millis(250);

/// Why presence was not filled in.
#[derive(Debug, Error)]
pub enum PresenceError {
    #[error("PostgreSQL: {0}")]
    Database(#[from] sqlx::Error),
    #[error("Redis: {0}")]
    Redis(#[from] RedisError),
}

/// Reads and writes who is present; clones share the connection.
#[derive(Clone)]
pub struct PresenceBoard {
    connection: ConnectionManager,
    prefix: Arc<str>,
    time_to_live: Duration,
    /// Whether Redis was away when it was last to be filled in.
    is_outdated: Arc<AtomicBool>,
}

impl std::fmt::Debug for PresenceBoard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PresenceBoard")
    }
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a AgentId,
    version: i64,
    ttl_ms: i64,
    profile: String,
    capabilities: &'a [String],
}

impl PresenceBoard {
    /// Prepares a connection of its own without waiting for it.
    pub fn new(redis: &RedisConfig, agents: &AgentsConfig) -> Result<Self, AddressError> {
        Ok(Self {
            connection: hurried_redis::connection(redis.url.expose_secret(), REDIS_TIMEOUT)?,
            prefix: agents.key_prefix.as_str().into(),
            time_to_live: agents.time_to_live,
            is_outdated: Arc::default(),
        })
    }

    /// How long after its last sign of life an agent is present.
    pub fn time_to_live(&self) -> Duration {
        self.time_to_live
    }

    /// Writes what an agent says now, and answers whether it is present. If Redis is away, that is unknown, and
    /// filled in from PostgreSQL later.
    pub async fn appear(&self, agent: &Agent) -> Presence {
        let appeared = self.put(std::slice::from_ref(agent));
        match in_time(appeared).await {
            Some(()) => Presence::from(self.time_left(agent) > TimeDelta::zero()),
            None => Presence::Unknown,
        }
    }

    /// Says that an agent is no more.
    pub async fn vanish(&self, id: &AgentId) {
        in_time(self.take_out(std::slice::from_ref(id))).await;
    }

    /// Who of these is present, in their order.
    pub async fn of(&self, ids: &[&AgentId]) -> Vec<Presence> {
        let mut connection = self.connection.clone();
        let mut asked = redis::pipe();
        asked.exists(self.key("agents:filled"));
        for id in ids {
            asked.exists(self.key(&format!("agent:{id}")));
        }
        let answer = asked.query_async::<Vec<bool>>(&mut connection);
        match in_time(answer).await {
            Some(answer) => match answer.split_first() {
                Some((true, present)) => present.iter().copied().map(Presence::from).collect(),
                // What was lost is being filled in: whoever is there is.
                _ => answer
                    .iter()
                    .skip(1)
                    .map(|is_there| match is_there {
                        true => Presence::Online,
                        false => Presence::Unknown,
                    })
                    .collect(),
            },
            None => vec![Presence::Unknown; ids.len()],
        }
    }

    /// So many of these agents, those that were chosen least for what is named; the first of them while Redis is away.
    pub async fn round_robin(&self, what: &str, ids: &[&AgentId], count: usize) -> Vec<AgentId> {
        let mut call = ROUND_ROBIN.key(self.key(&format!("agents:round_robin:{what}")));
        call.arg(count).arg(ROUND_ROBIN_REMEMBERED.as_secs());
        for id in ids {
            call.arg(id.as_str());
        }
        let mut connection = self.connection.clone();
        let taken = in_time(call.invoke_async::<Vec<String>>(&mut connection)).await;
        match taken {
            Some(taken) => taken.iter().filter_map(|id| AgentId::parse(id)).collect(),
            None => ids.iter().take(count).map(|id| (*id).clone()).collect(),
        }
    }

    /// Takes out those whose time is over, up to a step of them; they are absent without that, but the sets
    /// still name them.
    pub async fn sweep(&self) -> Result<i64, PresenceError> {
        Ok(self.take_out::<AgentId>(&[]).await?)
    }

    /// Fills in all of it from PostgreSQL if something was lost, Redis was away when it was last asked, or a
    /// while has passed: what a process could not write is found then.
    pub async fn fill_if_due(&self, pool: &PgPool) -> Result<(), PresenceError> {
        let was_away = self.is_outdated.swap(true, Ordering::Relaxed);
        let mut connection = self.connection.clone();
        let marks = [self.key("agents:filled"), self.key("agents:fresh")];
        if connection.exists::<_, usize>(&marks).await? < marks.len() || was_away {
            self.fill(pool).await?;
        }
        self.is_outdated.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Makes it what PostgreSQL says.
    async fn fill(&self, pool: &PgPool) -> Result<(), PresenceError> {
        let since = Utc::now() - self.time_to_live;
        let mut after: Option<AgentId> = None;
        loop {
            let agents = list_seen_since(pool, since, after.as_ref(), PRESENCE_ROWS_MAX).await?;
            let Some(last) = agents.last() else {
                break;
            };
            after = Some(last.agent_id.clone());
            self.put(&agents).await?;
        }
        self.take_out_strangers(pool).await?;
        let mut connection = self.connection.clone();
        let () = connection.set(self.key("agents:filled"), 1).await?;
        let fresh = PRESENCE_REFILL.as_secs();
        let () = connection
            .set_ex(self.key("agents:fresh"), 1, fresh)
            .await?;
        Ok(())
    }

    /// Takes out whom PostgreSQL does not know, or no longer.
    async fn take_out_strangers(&self, pool: &PgPool) -> Result<(), PresenceError> {
        let mut connection = self.connection.clone();
        let mut cursor = 0_u64;
        loop {
            let (next, found): (u64, Vec<String>) = redis::cmd("SSCAN")
                .arg(self.key("agents:all"))
                .arg(cursor)
                .arg("COUNT")
                .arg(PRESENCE_ROWS_MAX)
                .query_async(&mut connection)
                .await?;
            let known = list_registered(pool, &found).await?;
            let strangers: Vec<&String> = found.iter().filter(|id| !known.contains(id)).collect();
            if !strangers.is_empty() {
                self.take_out(&strangers).await?;
            }
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }

    async fn put(&self, agents: &[Agent]) -> Result<(), RedisError> {
        let entries: Vec<Entry<'_>> = agents
            .iter()
            .map(|agent| Entry {
                id: &agent.agent_id,
                version: agent.version,
                ttl_ms: self.time_left(agent).num_milliseconds().max(1),
                profile: profile_text(agent),
                capabilities: &agent.profile.capabilities,
            })
            .collect();
        let text = serde_json::to_string(&entries).expect("texts and numbers serialise");
        let mut connection = self.connection.clone();
        APPEAR
            .key(&*self.prefix)
            .arg(text)
            .invoke_async(&mut connection)
            .await
    }

    async fn take_out<T: ToString>(&self, ids: &[T]) -> Result<i64, RedisError> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let mut connection = self.connection.clone();
        VANISH
            .key(&*self.prefix)
            .arg(PRESENCE_ROWS_MAX)
            .arg(ids)
            .invoke_async(&mut connection)
            .await
    }

    /// How long an agent is present if it gives no other sign of life.
    fn time_left(&self, agent: &Agent) -> TimeDelta {
        agent.seen_at + self.time_to_live - Utc::now()
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

impl From<bool> for Presence {
    fn from(is_present: bool) -> Self {
        if is_present {
            Self::Online
        } else {
            Self::Offline
        }
    }
}

/// An agent as the seed's readers know it.
fn profile_text(agent: &Agent) -> String {
    let profile = &agent.profile;
    let fields = json!({
        "agent_id": agent.agent_id,
        "name": profile.name,
        "description": profile.description,
        "capabilities": profile.capabilities,
        "cost_per_task": decimal_number(profile.cost_per_task_minor),
        "currency": profile.currency,
        "capacity_per_hour": profile.capacity_per_hour,
        "availability": profile.availability,
        "endpoint_url": profile.endpoint_url,
        "card_url": profile.card_url,
        "metadata": profile.metadata,
        "last_seen": agent.seen_at,
    });
    fields.to_string()
}

/// What Redis answers; none if it does not, or not in time.
async fn in_time<T>(asked: impl Future<Output = Result<T, RedisError>>) -> Option<T> {
    match timeout(REDIS_TIMEOUT, asked).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            tracing::debug!(%error, "Presence is not known to Redis");
            None
        }
        Err(_) => {
            tracing::debug!("Redis does not answer in time");
            None
        }
    }
}
