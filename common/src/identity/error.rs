//! Why something about users and keys did not happen.

use thiserror::Error;

use super::{Dimension, Permission};
use crate::limits::KEYS_MAX;

/// One variant per decision of a caller.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// No such user or key, or it is not the caller's.
    #[error("no such user or key")]
    NotFound,
    /// No user has that id.
    #[error("no user has that id")]
    UserUnknown,
    /// A new user was to have a name that somebody has.
    #[error("a user of that name exists already; name it by its userId")]
    NameTaken,
    /// A name is empty or too long.
    #[error("a name must have 1 to 100 characters")]
    Name,
    /// A key with no permission can do nothing.
    #[error("a key needs at least one of the permissions {}", Permission::ALL.map(Permission::as_str).join(", "))]
    Permissions,
    /// More than the key that asks has itself.
    #[error("a key cannot {act} one that is wider than itself: {dimension}")]
    Wider {
        /// `make`, `replace` or `revoke`.
        act: &'static str,
        dimension: Dimension,
    },
    /// A budget, a type or a time that makes no sense.
    #[error("{field} {message}")]
    Limits {
        field: &'static str,
        message: &'static str,
    },
    /// Too many live keys.
    #[error("the account has {KEYS_MAX} live keys, the most there may be")]
    TooMany,
    /// It was revoked, or its time is over.
    #[error("the key is not live any more")]
    Ended,
    /// The key or the session that asks was revoked, or its time is over, since it was let in.
    #[error("the API key or access token is not valid any more")]
    CallerEnded,
    /// The sealed copy does not open: another master key, or a damaged row.
    #[error("the sealed key does not open under this master key")]
    Unsealable,
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}
