//! The log of what operators did: a row before the act, completed with its answer, and never changed
//! after that. An act that was cut off has a row without an answer. What moves money or rights also says
//! how much, to whom and why. Who wanted to operate and may not is noted too, once for a network and a while.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::PgPool;

use crate::ids::UserId;

/// An act that is written down and not answered yet: what changes rights names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(transparent)]
pub struct ActId(i64);

impl std::fmt::Display for ActId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// In which capacity somebody operates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum ActorRole {
    /// Whoever holds the operators' token.
    Operator,
    /// A user of role admin, in a session.
    Admin,
}

/// Something that an operator is about to do.
#[derive(Debug)]
pub struct Act<'a> {
    /// `operator token` or `user`, `refused` or `refused user`.
    pub actor: &'a str,
    /// None of who may not operate.
    pub actor_role: Option<ActorRole>,
    pub actor_id: Option<UserId>,
    /// Method and route template.
    pub action: &'a str,
    /// The path.
    pub target: &'a str,
    pub address: &'a str,
    pub request_id: &'a str,
}

/// A row of the log.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Its number.
    pub id: i64,
    /// `operator token` or `user`, `refused` or `refused user`.
    pub actor: String,
    /// The role of who acted; null in rows from before it was recorded.
    pub actor_role: Option<ActorRole>,
    /// The user who acted, if it was one.
    pub actor_id: Option<UserId>,
    /// Method and route.
    pub action: String,
    /// The path.
    pub target: String,
    /// The address that the request came from.
    pub address: String,
    /// The request that caused it.
    pub request_id: String,
    /// The reason that was given.
    pub reason: Option<String>,
    /// The amount that was moved, in minor units; less than zero if it was taken.
    pub amount_minor: Option<i64>,
    /// A currency by its ISO 4217 code.
    pub currency: Option<String>,
    /// Who got the money or the right, or lost it.
    pub recipient_id: Option<UserId>,
    /// The status of the answer; null while there is none.
    pub status: Option<i16>,
    /// When it happened.
    pub at: DateTime<Utc>,
}

/// Writes that it begins.
pub async fn begin(pool: &PgPool, act: &Act<'_>) -> Result<ActId, sqlx::Error> {
    sqlx::query_scalar(
        "insert into audit_log (actor, actor_role, actor_id, action, target, address, request_id)
         values ($1, $2, $3, $4, $5, $6, $7)
         returning id",
    )
    .bind(act.actor)
    .bind(act.actor_role)
    .bind(act.actor_id)
    .bind(act.action)
    .bind(act.target)
    .bind(act.address)
    .bind(act.request_id)
    .fetch_one(pool)
    .await
}

/// Writes what was refused, with its answer.
pub async fn note<'c>(
    executor: impl sqlx::PgExecutor<'c>,
    act: &Act<'_>,
    status: u16,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into audit_log (actor, actor_id, action, target, address, request_id, status)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(act.actor)
    .bind(act.actor_id)
    .bind(act.action)
    .bind(act.target)
    .bind(act.address)
    .bind(act.request_id)
    .bind(i16::try_from(status).unwrap_or(i16::MAX))
    .execute(executor)
    .await?;
    Ok(())
}

/// Writes how it was answered.
pub async fn finish(pool: &PgPool, id: ActId, status: u16) -> Result<(), sqlx::Error> {
    sqlx::query("update audit_log set status = $2 where id = $1 and status is null")
        .bind(id)
        .bind(i16::try_from(status).unwrap_or(i16::MAX))
        .execute(pool)
        .await?;
    Ok(())
}

/// What an act is about, as far as the one who acts says it or the act finds out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Details<'a> {
    pub reason: Option<&'a str>,
    /// Minor units and their currency; negative is what is taken.
    pub amount: Option<(i64, &'a str)>,
    /// Who gets the money or the right, or loses it.
    pub recipient: Option<UserId>,
}

/// Adds to an open act what it is about. What was said before stays.
pub async fn describe<'c>(
    executor: impl sqlx::PgExecutor<'c>,
    id: ActId,
    details: &Details<'_>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update audit_log
         set reason = coalesce(reason, left($2, 1000)), amount_minor = coalesce(amount_minor, $3),
             currency = coalesce(currency, $4), recipient_id = coalesce(recipient_id, $5)
         where id = $1
           and status is null",
    )
    .bind(id)
    .bind(details.reason)
    .bind(details.amount.map(|(minor, _)| minor))
    .bind(details.amount.map(|(_, currency)| currency))
    .bind(details.recipient)
    .execute(executor)
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
        "select id, actor, actor_role, actor_id, action, target, address, request_id, reason, amount_minor, currency,
                recipient_id, status, at
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
