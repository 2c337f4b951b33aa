//! Why something about leases did not happen.

use thiserror::Error;

use crate::limits::{LEASE_WAITERS_MAX, LEASES_MAX};

/// One variant per decision of a caller.
#[derive(Debug, Error)]
pub enum LeaseError {
    /// Nobody holds a lease of that resource.
    #[error("nobody holds a lease of this resource")]
    NotHeld,
    /// Somebody else holds the lease, or waits for it longer.
    #[error("the lease is held by another, or others wait for it")]
    Busy(Busy),
    /// The account has as many as allowed.
    #[error("an account has at most {LEASES_MAX} leases")]
    TooMany,
    /// As many as allowed wait for the lease.
    #[error("at most {LEASE_WAITERS_MAX} requests wait for one lease")]
    TooManyWaiters,
    /// It is the caller's no more.
    #[error("the lease was lost: {0}")]
    Lost(Loss),
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// Who holds a lease that was not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Busy {
    pub holder: Option<String>,
    /// Until it expires, if nobody extends it.
    pub remaining_ms: i64,
    /// Those who wait for it and came first.
    pub waiters_before: i64,
}

impl Busy {
    /// Of a lease whose row is locked for longer than we wait.
    pub(super) fn unknown() -> Self {
        Self {
            holder: None,
            remaining_ms: 0,
            waiters_before: 0,
        }
    }
}

/// How a lease was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Loss {
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// It was given back, ended by an operator or granted anew; or no lease ever had the token.
    #[error("no lease of this account has this token")]
    Unknown,
    /// The token is that of another lease of the account.
    #[error("the token is not of this resource")]
    OtherResource,
    /// A transaction found that it is gone.
    #[error("it ended while the request was under way")]
    UnderWay,
}
