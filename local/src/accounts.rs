//! The one place where the launcher meets the domain: migrations, and the two sandbox users.

use std::error::Error;
use std::time::Duration;

use async_trait::async_trait;
use common::config::{DatabaseConfig, SecretConfig};
use common::db::{self, PgPool};
use common::identity::commands::create_key;
use common::identity::{self, ApiKey, Permission, Sealer};
use serde::{Deserialize, Serialize};

/// The keys of the sandbox users, with all permissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeys {
    pub seller: String,
    pub buyer: String,
}

/// What is needed to create users and to seal their keys.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// Of the login that owns the schema.
    pub migration_database_url: &'a str,
    /// Of the services' login.
    pub database_url: &'a str,
    /// 64 hexadecimal digits.
    pub master_key: &'a str,
}

/// The domain refused or could not be reached.
#[derive(Debug, thiserror::Error)]
#[error("the database could not be prepared")]
pub struct AccountsError(#[source] pub Box<dyn Error + Send + Sync>);

/// What the launcher asks of the domain.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Brings the schema up to date.
    async fn migrate(&self, access: Access<'_>) -> Result<(), AccountsError>;

    /// Makes sure that the users `seller` and `buyer` exist and have working keys. `known` are the
    /// keys of an earlier start; they are returned as they are if they still work. Called at every
    /// start, also after one that was cut off half way.
    async fn ensure_keys(
        &self,
        access: Access<'_>,
        known: Option<ApiKeys>,
    ) -> Result<ApiKeys, AccountsError>;
}

/// The accounts of the crate `common`.
#[derive(Debug, Clone, Copy)]
pub struct CommonAccounts;

#[async_trait]
impl Accounts for CommonAccounts {
    async fn migrate(&self, access: Access<'_>) -> Result<(), AccountsError> {
        let config = config(access.migration_database_url);
        let owner = db::connect_as_owner(&config).await.map_err(refused)?;
        db::migrate(&owner).await.map_err(refused)
    }

    async fn ensure_keys(
        &self,
        access: Access<'_>,
        known: Option<ApiKeys>,
    ) -> Result<ApiKeys, AccountsError> {
        let connected = db::connect(&config(access.database_url)).await;
        let pool = connected.map_err(refused)?;
        let sealer = Sealer::new(&SecretConfig {
            master_key: access.master_key.into(),
        });
        let (seller, buyer) =
            known.map_or((None, None), |keys| (Some(keys.seller), Some(keys.buyer)));
        Ok(ApiKeys {
            seller: ensure_key(&pool, &sealer, "seller", seller).await?,
            buyer: ensure_key(&pool, &sealer, "buyer", buyer).await?,
        })
    }
}

async fn ensure_key(
    pool: &PgPool,
    sealer: &Sealer,
    user: &str,
    known: Option<String>,
) -> Result<String, AccountsError> {
    if let Some(key) = known.as_deref().and_then(ApiKey::parse)
        && identity::authenticate(pool, &key)
            .await
            .map_err(refused)?
            .is_some()
    {
        return Ok(key.expose().to_owned());
    }
    let created = create_key(pool, sealer, user, "sandbox", &Permission::ALL).await;
    Ok(created.map_err(refused)?.key.expose().to_owned())
}

fn config(url: &str) -> DatabaseConfig {
    DatabaseConfig {
        url: url.into(),
        pool_min: 0,
        pool_max: 2,
        idle_timeout: Duration::from_secs(5),
        connection_timeout: Duration::from_secs(5),
    }
}

fn refused(error: impl Error + Send + Sync + 'static) -> AccountsError {
    AccountsError(Box::new(error))
}
