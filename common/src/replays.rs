//! First answers to writes whose commands keep none: whoever asks again with the same key gets it again.
//!
//! Unlike `idempotency`, the answer is kept after its effect, not with it: a process that dies between the two
//! leaves a request under way, which counts as never made after [`REPLAY_BEGUN_SECONDS_MAX`]. So this is for
//! effects that a second request cannot double, and for such as a human looks at.

use std::time::Duration;

use sqlx::PgPool;

use crate::limits::REPLAY_BEGUN_SECONDS_MAX;

/// A key in its scope.
#[derive(Debug, Clone)]
pub struct Replay {
    /// Digest of who asks, and what for.
    pub scope: Vec<u8>,
    pub key: String,
    /// Digest of the whole request.
    pub fingerprint: Vec<u8>,
}

/// What there is under a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    /// Nothing: the request goes on, and ends with [`finish`] or [`abandon`].
    First,
    /// The same request, answered.
    Answered {
        status: u16,
        body: serde_json::Value,
    },
    /// The same request, on its way.
    UnderWay,
    /// Another request.
    Taken,
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    fingerprint: Vec<u8>,
    status: Option<i16>,
    body: Option<serde_json::Value>,
}

/// Takes the key, or tells what became of whoever took it first.
pub async fn begin(pool: &PgPool, replay: &Replay) -> Result<Begun, sqlx::Error> {
    let begun = sqlx::query(
        "insert into replays (scope, key, fingerprint)
         values ($1, $2, $3)
         on conflict (scope, key) do update
         set fingerprint = excluded.fingerprint, begun_at = now()
         where replays.status is null
           and replays.begun_at < now() - make_interval(secs => $4)",
    )
    .bind(&replay.scope)
    .bind(&replay.key)
    .bind(&replay.fingerprint)
    .bind(REPLAY_BEGUN_SECONDS_MAX as f64)
    .execute(pool)
    .await?;
    if begun.rows_affected() == 1 {
        return Ok(Begun::First);
    }
    let row: Option<Row> = sqlx::query_as(
        "select fingerprint, status, body from replays where scope = $1 and key = $2",
    )
    .bind(&replay.scope)
    .bind(&replay.key)
    .fetch_optional(pool)
    .await?;
    Ok(match row {
        // It was abandoned meanwhile: whoever asks again finds the key free.
        None => Begun::UnderWay,
        Some(row) if row.fingerprint != replay.fingerprint => Begun::Taken,
        Some(Row {
            status: Some(status),
            body: Some(body),
            ..
        }) => Begun::Answered {
            status: status.unsigned_abs(),
            body,
        },
        Some(_) => Begun::UnderWay,
    })
}

/// Keeps the answer.
pub async fn finish(
    pool: &PgPool,
    replay: &Replay,
    status: u16,
    body: &serde_json::Value,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update replays
         set status = $4, body = $5
         where scope = $1
           and key = $2
           and fingerprint = $3
           and status is null",
    )
    .bind(&replay.scope)
    .bind(&replay.key)
    .bind(&replay.fingerprint)
    .bind(i16::try_from(status).unwrap_or(i16::MAX))
    .bind(body)
    .execute(pool)
    .await?;
    Ok(())
}

/// Gives the key back: a refusal uses up none.
pub async fn abandon(pool: &PgPool, replay: &Replay) -> Result<(), sqlx::Error> {
    sqlx::query(
        "delete from replays where scope = $1 and key = $2 and fingerprint = $3 and status is null",
    )
    .bind(&replay.scope)
    .bind(&replay.key)
    .bind(&replay.fingerprint)
    .execute(pool)
    .await?;
    Ok(())
}

/// Forgets keys whose time is over.
pub async fn prune(pool: &PgPool, kept: Duration) -> Result<u64, sqlx::Error> {
    let pruned =
        sqlx::query("delete from replays where begun_at < now() - make_interval(secs => $1)")
            .bind(kept.as_secs_f64())
            .execute(pool)
            .await?;
    Ok(pruned.rows_affected())
}
