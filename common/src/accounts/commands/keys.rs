//! Makes and replaces keys, once for an idempotency key. A repeated request is let in like any other and
//! is then told which key the first one made, but never shown it again.

use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::accounts::AccountError;
use crate::idempotency::{self, IdempotencyKey, StoredAnswer};
use crate::identity::commands::{Grant, NewKey};
use crate::identity::{ApiKey, Principal, REVOKED, Sealer};
use crate::ids::ApiKeyId;
use crate::outbox::{Outbox, Tx};

/// The key that a request led to.
#[derive(Debug)]
pub struct MadeKey {
    pub id: ApiKeyId,
    /// In clear, this once; none if an earlier request made it.
    pub key: Option<ApiKey>,
}

/// Makes a key for the caller's account.
pub async fn create_own_key(
    outbox: &Outbox,
    sealer: &Sealer,
    asking: &Principal,
    new: NewKey<'_>,
    key: Option<&IdempotencyKey>,
) -> Result<MadeKey, AccountError> {
    let permissions: Vec<&str> = new.permissions.iter().map(|each| each.as_str()).collect();
    let content = json!([new.name, permissions, new.limits]);
    let mut tx = outbox.begin().await?;
    let grant = Grant::to_create(&mut tx, asking, new).await?;
    issue_once(tx, sealer, grant, key, &content).await
}

/// Replaces a key of the caller's account.
pub async fn rotate_key(
    outbox: &Outbox,
    sealer: &Sealer,
    asking: &Principal,
    id: ApiKeyId,
    overlap: Duration,
    key: Option<&IdempotencyKey>,
) -> Result<MadeKey, AccountError> {
    let content = json!([id, overlap.as_secs()]);
    let mut tx = outbox.begin().await?;
    let grant = Grant::to_replace(&mut tx, asking, id, overlap).await?;
    tx.announce(REVOKED, id.to_string());
    issue_once(tx, sealer, grant, key, &content).await
}

/// Writes the key and its answer, unless an earlier request with the idempotency key did.
async fn issue_once(
    mut tx: Tx,
    sealer: &Sealer,
    grant: Grant,
    key: Option<&IdempotencyKey>,
    content: &Value,
) -> Result<MadeKey, AccountError> {
    if let Some(key) = key
        && let Some(earlier) = idempotency::find_in_tx(&mut tx, key).await?
    {
        return made_before(&earlier, content);
    }
    let created = grant.issue_in_tx(&mut tx, sealer).await?;
    if let Some(key) = key {
        let answer = StoredAnswer {
            fingerprint: fingerprint(content),
            status: 201,
            body: json!({ "keyId": created.id }),
        };
        if let Some(earlier) = idempotency::record_in_tx(&mut tx, key, &answer).await? {
            return made_before(&earlier, content);
        }
    }
    tx.commit().await?;
    Ok(MadeKey {
        id: created.id,
        key: Some(created.key),
    })
}

fn made_before(earlier: &StoredAnswer, content: &Value) -> Result<MadeKey, AccountError> {
    let id = earlier.body["keyId"]
        .as_str()
        .and_then(|text| text.parse::<ApiKeyId>().ok());
    match id {
        Some(id) if earlier.fingerprint == fingerprint(content) => Ok(MadeKey { id, key: None }),
        _ => Err(AccountError::IdempotencyConflict),
    }
}

fn fingerprint(content: &Value) -> Vec<u8> {
    Sha256::digest(content.to_string().as_bytes()).to_vec()
}
