//! Changes the settings of an endpoint. A drain under way ends, and the next one uses the new ones. What is so
//! already is no change, and makes no version.

use super::write::{lock_in_tx, own_key_in_tx};
use crate::identity::Sealer;
use crate::ids::{EndpointId, UserId};
use crate::outbox::Outbox;
use crate::webhooks::WebhookError;
use crate::webhooks::address::Policy;
use crate::webhooks::endpoints::{Changes, Settings, custom_headers};

/// A change to the version that its maker has seen.
#[derive(Debug)]
pub struct Change {
    pub endpoint: EndpointId,
    pub owner: UserId,
    /// The versions that it may be made to; none is any.
    pub if_match: Option<Vec<i64>>,
    pub changes: Changes,
}

/// Makes the change.
pub async fn change(
    outbox: &Outbox,
    sealer: &Sealer,
    policy: &Policy,
    change: Change,
) -> Result<(), WebhookError> {
    let mut tx = outbox.begin().await?;
    let endpoint = lock_in_tx(&mut tx, change.endpoint, change.owner).await?;
    let is_known = |versions: &Vec<i64>| versions.contains(&endpoint.version);
    if !change.if_match.as_ref().is_none_or(is_known) {
        return Err(WebhookError::VersionChanged(endpoint.version));
    }
    let sealed: Option<Vec<u8>> =
        sqlx::query_scalar("select sealed_headers from webhook_endpoints where id = $1")
            .bind(endpoint.id)
            .fetch_one(&mut *tx)
            .await?;
    let headers = match sealed {
        Some(sealed) => custom_headers::open(sealer, endpoint.id, &sealed)?,
        None => Vec::new(),
    };
    let before = Settings::of(&endpoint, headers);
    let settings = before
        .clone()
        .with(change.changes, policy)
        .map_err(WebhookError::Settings)?;
    if settings == before {
        return Ok(());
    }
    if settings.api_key != endpoint.api_key_id {
        own_key_in_tx(&mut tx, change.owner, settings.api_key).await?;
    }
    let names: Vec<&str> = settings
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    sqlx::query(
        "update webhook_endpoints
         set url = $2, description = $3, api_key_id = $4, event_types = $5, payload = $6, ordering = $7, plan = $8,
             plan_seconds = $9, stop_on_client_error = $10, rate_per_second = $11, concurrency = $12,
             timeout_seconds = $13, header_names = $14, sealed_headers = $15, version = version + 1, changed_at = now()
         where id = $1",
    )
    .bind(endpoint.id)
    .bind(&settings.url)
    .bind(&settings.description)
    .bind(settings.api_key)
    .bind(&settings.event_types)
    .bind(settings.payload)
    .bind(settings.ordering)
    .bind(settings.plan.name())
    .bind(settings.plan.seconds())
    .bind(settings.stop_on_client_error)
    .bind(settings.rate_per_second)
    .bind(settings.concurrency)
    .bind(settings.timeout_seconds)
    .bind(names)
    .bind(custom_headers::seal(sealer, endpoint.id, &settings.headers))
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}
