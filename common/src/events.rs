//! Events: what happened to a thing, appended in the transaction in which it happened.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

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

/// What the first event of that kind said about a thing.
pub async fn find_first(
    pool: &PgPool,
    subject: Uuid,
    kind: &str,
) -> Result<Option<serde_json::Value>, sqlx::Error> {
    sqlx::query_scalar(
        "select data
         from events
         where subject = $1
           and kind = $2
         order by id
         limit 1",
    )
    .bind(subject)
    .bind(kind)
    .fetch_optional(pool)
    .await
}
