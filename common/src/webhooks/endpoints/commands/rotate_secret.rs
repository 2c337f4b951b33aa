//! Gives an endpoint a new secret; the old ones sign beside it until their overlap is over.

use std::time::Duration;

use super::write::{NewSecret, add_secret_in_tx, lock_in_tx};
use crate::identity::Sealer;
use crate::ids::{EndpointId, UserId};
use crate::limits::LIVE_SECRETS_MAX;
use crate::outbox::Outbox;
use crate::webhooks::WebhookError;
use crate::webhooks::endpoints::Source;
use crate::webhooks::secret::WebhookSecret;

/// Rotates. Answers the new secret, which is shown this once.
pub async fn rotate_secret(
    outbox: &Outbox,
    sealer: &Sealer,
    id: EndpointId,
    owner: UserId,
    secret: Option<WebhookSecret>,
    overlap: Duration,
) -> Result<WebhookSecret, WebhookError> {
    let secret = secret.unwrap_or_else(WebhookSecret::generate);
    let mut tx = outbox.begin().await?;
    let endpoint = lock_in_tx(&mut tx, id, owner).await?;
    if endpoint.source == Source::Request {
        return Err(WebhookError::NotFound);
    }
    sqlx::query("delete from webhook_secrets where endpoint_id = $1 and expires_at <= now()")
        .bind(id)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "update webhook_secrets
         set expires_at = least(expires_at, now() + make_interval(secs => $2))
         where endpoint_id = $1",
    )
    .bind(id)
    .bind(overlap.as_secs_f64())
    .execute(&mut *tx)
    .await?;
    let live: i64 = sqlx::query_scalar(
        "select count(*)
         from webhook_secrets
         where endpoint_id = $1
           and expires_at > now()",
    )
    .bind(id)
    .fetch_one(&mut *tx)
    .await?;
    if live >= LIVE_SECRETS_MAX {
        return Err(WebhookError::TooManySecrets);
    }
    add_secret_in_tx(&mut tx, id, &NewSecret::seal(sealer, &secret)).await?;
    sqlx::query(
        "update webhook_endpoints
         set version = version + 1, changed_at = now()
         where id = $1",
    )
    .bind(id)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(secret)
}
