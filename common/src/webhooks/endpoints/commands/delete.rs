//! Takes an endpoint away. What it would have heard is discarded; its log stays until its retention ends.

use super::write::lock_in_tx;
use crate::ids::{EndpointId, UserId};
use crate::outbox::Outbox;
use crate::webhooks::WebhookError;

/// Deletes it.
pub async fn delete(outbox: &Outbox, id: EndpointId, owner: UserId) -> Result<(), WebhookError> {
    let mut tx = outbox.begin().await?;
    lock_in_tx(&mut tx, id, owner).await?;
    sqlx::query(
        "update webhook_endpoints
         set deleted_at = now(), sealed_headers = null, version = version + 1
         where id = $1",
    )
    .bind(id)
    .execute(&mut *tx)
    .await?;
    sqlx::query("delete from webhook_secrets where endpoint_id = $1")
        .bind(id)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "update webhook_deliveries
         set state = 'discarded', finished_at = now()
         where endpoint_id = $1
           and state in ('pending', 'held')",
    )
    .bind(id)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "update webhook_recoveries
         set state = 'cancelled', finished_at = now(), version = version + 1
         where endpoint_id = $1
           and state = 'running'",
    )
    .bind(id)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}
