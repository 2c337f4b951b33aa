//! Takes an agent off the market. Its row stays, for those who dealt with it.

use sqlx::PgPool;

use crate::agents::{AgentError, AgentId};
use crate::db;
use crate::ids::UserId;

/// Unregisters it.
pub async fn unregister(pool: &PgPool, id: &AgentId, owner: UserId) -> Result<(), AgentError> {
    let mut writer = db::writer(pool).await?;
    let unregistered = sqlx::query(
        "update agents
         set unregistered_at = now(), version = version + 1
         where agent_id = $1
           and owner_id = $2
           and unregistered_at is null",
    )
    .bind(id)
    .bind(owner)
    .execute(&mut *writer)
    .await?;
    writer.finish().await?;
    if unregistered.rows_affected() == 0 {
        return Err(AgentError::NotFound);
    }
    Ok(())
}
