//! Canaries: a process that was given other keys than those that the data was sealed and signed with stops when it
//! starts, and says so, instead of failing job by job.

use sqlx::PgPool;
use thiserror::Error;
use uuid::Uuid;

use crate::identity::Sealer;
use crate::ids::ApiKeyId;
use crate::signatures::Signer;

const MASTER_KEY: &str = "master_key";
const SIGNING_KEY: &str = "signing_key";

/// Why a process must not start with its keys.
#[derive(Debug, Error)]
pub enum KeyError {
    /// What was sealed here does not open.
    #[error(
        "AWARENESS_MASTER_KEY is not the key that the secrets in this database were sealed with; \
         start with that one"
    )]
    MasterKey,
    /// The key that signed last is neither the live one nor retired.
    #[error(
        "statements in this database were signed with the key {signed_with}, which is neither \
         AWARENESS_SIGNING_KEY nor among AWARENESS_RETIRED_SIGNING_KEYS; add it to the latter"
    )]
    SigningKey { signed_with: String },
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// Compares the keys of a process with those of the database. The first process of all leaves the canaries.
pub async fn check_keys(pool: &PgPool, sealer: &Sealer, signer: &Signer) -> Result<(), KeyError> {
    check_master_key(pool, sealer).await?;
    check_signing_key(pool, signer).await
}

async fn check_master_key(pool: &PgPool, sealer: &Sealer) -> Result<(), KeyError> {
    // A database that is older than its canary has sealed keys to try.
    let sealed_key: Option<(Uuid, Vec<u8>)> =
        sqlx::query_as("select id, sealed from api_keys order by id limit 1")
            .fetch_optional(pool)
            .await?;
    if let Some((id, sealed)) = sealed_key {
        sealer
            .open(ApiKeyId(id), &sealed)
            .map_err(|_| KeyError::MasterKey)?;
    }
    let name = MASTER_KEY.as_bytes();
    let canary = kept(pool, MASTER_KEY, &sealer.seal_bytes(name, name)).await?;
    sealer
        .open_bytes(name, &canary)
        .map(drop)
        .map_err(|_| KeyError::MasterKey)
}

async fn check_signing_key(pool: &PgPool, signer: &Signer) -> Result<(), KeyError> {
    let live = signer.key_id();
    let canary = kept(pool, SIGNING_KEY, live.as_bytes()).await?;
    let signed_with = String::from_utf8_lossy(&canary).into_owned();
    if signed_with == live {
        return Ok(());
    }
    let known = signer.jwks();
    if !known.keys.iter().any(|key| key.kid == signed_with) {
        return Err(KeyError::SigningKey { signed_with });
    }
    sqlx::query("update canaries set content = $2 where name = $1")
        .bind(SIGNING_KEY)
        .bind(live.as_bytes())
        .execute(pool)
        .await?;
    Ok(())
}

/// The content of a canary, which is this one if there was none.
async fn kept(pool: &PgPool, name: &str, content: &[u8]) -> Result<Vec<u8>, sqlx::Error> {
    sqlx::query("insert into canaries (name, content) values ($1, $2) on conflict do nothing")
        .bind(name)
        .bind(content)
        .execute(pool)
        .await?;
    sqlx::query_scalar("select content from canaries where name = $1")
        .bind(name)
        .fetch_one(pool)
        .await
}
