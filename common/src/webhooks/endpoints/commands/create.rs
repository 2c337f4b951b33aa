//! Registers an endpoint, with a secret of its own.

use sha2::{Digest as _, Sha256};

use super::write::{NewSecret, add_secret_in_tx, own_key_in_tx};
use crate::idempotency::{self, IdempotencyKey, StoredAnswer};
use crate::identity::Sealer;
use crate::ids::{EndpointId, UserId};
use crate::limits::ENDPOINTS_MAX;
use crate::outbox::Outbox;
use crate::webhooks::WebhookError;
use crate::webhooks::endpoints::{Settings, custom_headers};
use crate::webhooks::secret::WebhookSecret;

/// What an owner registers.
#[derive(Debug)]
pub struct NewEndpoint {
    pub owner: UserId,
    pub settings: Settings,
    /// The owner's own secret, or a new one.
    pub secret: Option<WebhookSecret>,
    /// What the request said, to tell a repetition from another request.
    pub fingerprint: Vec<u8>,
}

impl NewEndpoint {
    /// The fingerprint of a request's bytes.
    pub fn fingerprint_of(request: &[u8]) -> Vec<u8> {
        Sha256::digest(request).to_vec()
    }
}

/// The endpoint that a request led to.
#[derive(Debug, Clone, Copy)]
pub struct CreatedEndpoint {
    pub id: EndpointId,
    /// True if an earlier request with the same key made it.
    pub is_replay: bool,
}

/// Registers it. A repeated key answers the endpoint that it made.
pub async fn create(
    outbox: &Outbox,
    sealer: &Sealer,
    new: NewEndpoint,
    key: Option<&IdempotencyKey>,
) -> Result<CreatedEndpoint, WebhookError> {
    let id = EndpointId::new();
    let mut tx = outbox.begin().await?;
    if let Some(key) = key {
        let answer = StoredAnswer {
            fingerprint: new.fingerprint.clone(),
            status: 201,
            body: serde_json::json!({ "endpointId": id }),
        };
        if let Some(earlier) = idempotency::record_in_tx(&mut tx, key, &answer).await? {
            return again(&earlier, &new.fingerprint);
        }
    }
    // One after the other for one owner, so that the count holds.
    sqlx::query("select from users where id = $1 for no key update")
        .bind(new.owner)
        .execute(&mut *tx)
        .await?;
    let count: i64 = sqlx::query_scalar(
        "select count(*)
         from webhook_endpoints
         where owner_id = $1
           and source = 'registered'
           and deleted_at is null",
    )
    .bind(new.owner)
    .fetch_one(&mut *tx)
    .await?;
    if count >= ENDPOINTS_MAX {
        return Err(WebhookError::TooMany);
    }
    let settings = &new.settings;
    own_key_in_tx(&mut tx, new.owner, settings.api_key).await?;
    let names: Vec<&str> = settings
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    sqlx::query(
        "insert into webhook_endpoints (
             id, owner_id, source, url, description, api_key_id, event_types, payload, ordering, plan, plan_seconds,
             stop_on_client_error, rate_per_second, concurrency, timeout_seconds, header_names, sealed_headers
         )
         values ($1, $2, 'registered', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(id)
    .bind(new.owner)
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
    .bind(custom_headers::seal(sealer, id, &settings.headers))
    .execute(&mut *tx)
    .await?;
    let secret = new.secret.unwrap_or_else(WebhookSecret::generate);
    add_secret_in_tx(&mut tx, id, &NewSecret::seal(sealer, &secret)).await?;
    tx.commit().await?;
    Ok(CreatedEndpoint {
        id,
        is_replay: false,
    })
}

/// The answer that the key got before, if it was to the same request.
fn again(earlier: &StoredAnswer, fingerprint: &[u8]) -> Result<CreatedEndpoint, WebhookError> {
    let id = earlier
        .body
        .get("endpointId")
        .and_then(|id| id.as_str())
        .and_then(EndpointId::parse);
    match id {
        Some(id) if earlier.fingerprint == fingerprint => Ok(CreatedEndpoint {
            id,
            is_replay: true,
        }),
        _ => Err(WebhookError::IdempotencyConflict),
    }
}
