//! The one place where the launcher meets the domain: migrations, and the two sandbox users.

use std::error::Error;

use async_trait::async_trait;
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
// interface: `common::db::migrate(&pool)`, then for each user
// `common::identity::commands::create_user(&pool, ..)` and
// `common::identity::commands::create_key(&pool, &sealer, ..)`.
#[derive(Debug, Clone, Copy)]
pub struct CommonAccounts;

#[async_trait]
impl Accounts for CommonAccounts {
    async fn migrate(&self, _access: Access<'_>) -> Result<(), AccountsError> {
        Err(AccountsError(
            "the launcher is not connected to the domain in this build".into(),
        ))
    }

    async fn ensure_keys(
        &self,
        _access: Access<'_>,
        _known: Option<ApiKeys>,
    ) -> Result<ApiKeys, AccountsError> {
        Err(AccountsError(
            "the launcher is not connected to the domain in this build".into(),
        ))
    }
}
