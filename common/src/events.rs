//! Events: what happened to a thing, appended in the transaction in which it happened.

use sqlx::PgConnection;
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
