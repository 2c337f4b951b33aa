//! Events: what happened to a thing, appended in the transaction in which it happened.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// Something that happened.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    pub kind: String,
    #[serde(rename = "requestId")]
    pub trace: String,
    pub data: serde_json::Value,
    pub at: DateTime<Utc>,
}

/// Writes an event.
pub async fn append_in_tx(
    conn: &mut PgConnection,
    subject: Uuid,
    kind: &str,
    trace: &str,
    data: serde_json::Value,
) -> Result<(), sqlx::Error> {
    sqlx::query("insert into events (subject, kind, trace, data) values ($1, $2, $3, $4)")
        .bind(subject)
        .bind(kind)
        .bind(trace)
        .bind(data)
        .execute(conn)
        .await?;
    Ok(())
}

/// The history of a thing, oldest first.
pub async fn of_subject(pool: &PgPool, subject: Uuid) -> Result<Vec<Event>, sqlx::Error> {
    sqlx::query_as(
        "select kind, trace, data, at from events where subject = $1 order by id limit 1000",
    )
    .bind(subject)
    .fetch_all(pool)
    .await
}
