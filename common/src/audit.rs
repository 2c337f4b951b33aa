//! The log of what operators did: a row before the act, completed with its answer, and never changed
//! after that. An act that was cut off has a row without an answer.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgPool;

use crate::ids::UserId;
use crate::limits::AUDIT_TARGET_CHARS_MAX;

/// Something that an operator is about to do.
#[derive(Debug)]
pub struct Act<'a> {
    /// `operator token`, or the name of the user.
    pub actor: &'a str,
    pub actor_id: Option<UserId>,
    /// Method and route template.
    pub action: &'a str,
    /// The path.
    pub target: &'a str,
    pub address: &'a str,
    pub request_id: &'a str,
}

/// A row of the log.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    pub id: i64,
    pub actor: String,
    pub actor_id: Option<UserId>,
    pub action: String,
    pub target: String,
    pub address: String,
    pub request_id: String,
    pub status: Option<i16>,
    pub at: DateTime<Utc>,
}

/// Writes that it begins: the row's id.
pub async fn begin(pool: &PgPool, act: &Act<'_>) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "insert into audit_log (actor, actor_id, action, target, address, request_id)
         values ($1, $2, $3, $4, $5, $6)
         returning id",
    )
    .bind(act.actor)
    .bind(act.actor_id)
    .bind(act.action)
    .bind(
        act.target
            .chars()
            .take(AUDIT_TARGET_CHARS_MAX)
            .collect::<String>(),
    )
    .bind(act.address)
    .bind(act.request_id)
    .fetch_one(pool)
    .await
}

/// Writes how it was answered.
pub async fn finish(pool: &PgPool, id: i64, status: u16) -> Result<(), sqlx::Error> {
    sqlx::query("update audit_log set status = $2 where id = $1 and status is null")
        .bind(id)
        .bind(i16::try_from(status).unwrap_or(i16::MAX))
        .execute(pool)
        .await?;
    Ok(())
}

/// The log, newest first, from behind `before` on.
pub async fn list(
    pool: &PgPool,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<AuditEntry>, sqlx::Error> {
    sqlx::query_as(
        "select id, actor, actor_id, action, target, address, request_id, status, at
         from audit_log
         where $1::bigint is null or id < $1
         order by id desc
         limit $2",
    )
    .bind(before)
    .bind(limit)
    .fetch_all(pool)
    .await
}
