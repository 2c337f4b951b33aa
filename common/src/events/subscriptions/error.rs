//! Why something about subscriptions did not happen.

use thiserror::Error;

use crate::events::Cursor;
use crate::limits::EVENT_SUBSCRIPTIONS_MAX;

/// One variant per decision of a caller.
#[derive(Debug, Error)]
pub enum SubscriptionError {
    /// No such subscription, or it is not the caller's.
    #[error("there is no such subscription")]
    NotFound,
    /// The caller has another subscription of this name.
    #[error("the subscription exists, with other types, ids or ackSeconds")]
    Differs,
    /// The owner has as many as allowed.
    #[error("an account has at most {EVENT_SUBSCRIPTIONS_MAX} event subscriptions")]
    TooMany,
    /// A cursor belongs to another log, or lies beyond the end of this one.
    #[error("the cursor is not of this event log")]
    Foreign,
    /// What comes next is no longer kept; the log begins there.
    #[error("events after the position of the subscription are no longer kept")]
    Expired(Cursor),
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}
