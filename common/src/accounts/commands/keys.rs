//! Makes and replaces keys, once for an idempotency key: a repeated request is shown the same key again.

use std::time::Duration;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::{PgConnection, PgPool};

use crate::accounts::AccountError;
use crate::idempotency::{self, IdempotencyKey, StoredAnswer};
use crate::identity::commands::{CreatedKey, NewKey, create_own_key_in_tx, rotate_key_in_tx};
use crate::identity::{Principal, Sealer, signing_key};
use crate::ids::ApiKeyId;

/// Makes a key for the caller's account.
pub async fn create_own_key(
    pool: &PgPool,
    sealer: &Sealer,
    asking: &Principal,
    new: &NewKey<'_>,
    key: Option<&IdempotencyKey>,
) -> Result<CreatedKey, AccountError> {
    let permissions: Vec<&str> = new.permissions.iter().map(|each| each.as_str()).collect();
    let content = json!([new.name, permissions, new.limits]);
    if let Some(earlier) = earlier(pool, sealer, asking, key, &content).await? {
        return Ok(earlier);
    }
    let mut tx = pool.begin().await?;
    let created = create_own_key_in_tx(&mut tx, sealer, asking, new).await?;
    finish(tx, pool, sealer, asking, key, &content, created).await
}

/// Replaces a key of the caller's account.
pub async fn rotate_key(
    pool: &PgPool,
    sealer: &Sealer,
    asking: &Principal,
    id: ApiKeyId,
    overlap: Duration,
    key: Option<&IdempotencyKey>,
) -> Result<CreatedKey, AccountError> {
    let content = json!([id, overlap.as_secs()]);
    if let Some(earlier) = earlier(pool, sealer, asking, key, &content).await? {
        return Ok(earlier);
    }
    let mut tx = pool.begin().await?;
    let created = rotate_key_in_tx(&mut tx, sealer, asking, id, overlap).await?;
    finish(tx, pool, sealer, asking, key, &content, created).await
}

/// Keeps the answer with the effect; whoever was faster with the same key wins.
async fn finish(
    mut tx: sqlx::Transaction<'_, sqlx::Postgres>,
    pool: &PgPool,
    sealer: &Sealer,
    asking: &Principal,
    key: Option<&IdempotencyKey>,
    content: &serde_json::Value,
    created: CreatedKey,
) -> Result<CreatedKey, AccountError> {
    let Some(key) = key else {
        tx.commit().await?;
        return Ok(created);
    };
    let conn: &mut PgConnection = &mut tx;
    let answer = StoredAnswer {
        fingerprint: fingerprint(content),
        status: 201,
        body: json!({ "keyId": created.id }),
    };
    match idempotency::record_in_tx(conn, key, &answer).await? {
        None => {
            tx.commit().await?;
            Ok(created)
        }
        Some(faster) => {
            drop(tx);
            shown_again(pool, sealer, asking, &faster, content).await
        }
    }
}

/// What an earlier request with the key made.
async fn earlier(
    pool: &PgPool,
    sealer: &Sealer,
    asking: &Principal,
    key: Option<&IdempotencyKey>,
    content: &serde_json::Value,
) -> Result<Option<CreatedKey>, AccountError> {
    let Some(key) = key else {
        return Ok(None);
    };
    match idempotency::find(pool, key).await? {
        None => Ok(None),
        Some(earlier) => shown_again(pool, sealer, asking, &earlier, content)
            .await
            .map(Some),
    }
}

async fn shown_again(
    pool: &PgPool,
    sealer: &Sealer,
    asking: &Principal,
    earlier: &StoredAnswer,
    content: &serde_json::Value,
) -> Result<CreatedKey, AccountError> {
    let id = earlier.body["keyId"]
        .as_str()
        .and_then(|text| text.parse::<ApiKeyId>().ok());
    match id {
        Some(id) if earlier.fingerprint == fingerprint(content) => Ok(CreatedKey {
            id,
            user: asking.user,
            key: signing_key(pool, sealer, id).await?,
        }),
        _ => Err(AccountError::IdempotencyConflict),
    }
}

fn fingerprint(content: &serde_json::Value) -> Vec<u8> {
    Sha256::digest(content.to_string().as_bytes()).to_vec()
}
