//! What deliveries cost, as PostgreSQL and Redis count it.

use sqlx::PgPool;

/// What clients send to Redis; everything else runs inside the scripts.
const REQUESTS: [&str; 5] = ["evalsha", "eval", "ping", "publish", "subscribe"];

/// What was asked of the stores so far.
pub struct Cost {
    pub transactions: f64,
    /// Those inside scripts too.
    pub commands: f64,
    /// What clients sent.
    pub requests: f64,
}

impl Cost {
    /// Counted by the stores themselves.
    pub async fn so_far(pool: &PgPool, redis: &redis::Client) -> anyhow::Result<Self> {
        let transactions: i64 = sqlx::query_scalar(
            "select (xact_commit + xact_rollback)::bigint
             from pg_stat_database
             where datname = current_database()",
        )
        .fetch_one(pool)
        .await?;
        let mut connection = redis.get_multiplexed_async_connection().await?;
        let info: String = redis::cmd("INFO")
            .arg("commandstats")
            .query_async(&mut connection)
            .await?;
        let calls: Vec<(&str, f64)> = info
            .lines()
            .filter_map(|line| {
                let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
                Some((name, rest.split(',').next()?.parse().ok()?))
            })
            .collect();
        let requested = |name: &str| REQUESTS.iter().any(|it| name.starts_with(it));
        Ok(Self {
            transactions: transactions as f64,
            commands: calls.iter().map(|(_, count)| count).sum(),
            requests: calls
                .iter()
                .filter(|(name, _)| requested(name))
                .map(|(_, count)| count)
                .sum(),
        })
    }

    /// The difference.
    pub fn since(&self, before: &Self) -> Self {
        Self {
            transactions: self.transactions - before.transactions,
            commands: self.commands - before.commands,
            requests: self.requests - before.requests,
        }
    }
}
