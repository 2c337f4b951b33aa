//! Why something about an account did not happen.

use std::time::Duration;

use thiserror::Error;

use crate::config::RatePolicy;
use crate::fair_queue::Refused;
use crate::identity::IdentityError;

/// One variant per decision of a caller.
#[derive(Debug, Error)]
pub enum AccountError {
    /// A field that does not fit.
    #[error("{field} {message}")]
    Field {
        field: &'static str,
        message: String,
    },
    /// Somebody has that name.
    #[error("that name is taken")]
    Taken,
    /// Which of the two is wrong is not told.
    #[error("the e-mail address, the user name or the password is wrong")]
    WrongCredentials,
    /// Too many wrong passwords came before; this one was not looked at.
    #[error("too many wrong passwords; wait before the next try")]
    TooManyGuesses(Box<ReachedGuesses>),
    /// Too many passwords wait to be hashed.
    #[error("too many passwords wait to be checked; try again in a moment")]
    Busy(Refused),
    /// The token is unknown, was used, or its session is over. Which is not told.
    #[error("the refresh token is not good any more; sign in again")]
    RefreshRefused,
    /// The way to GitHub and back was not one way, or took too long.
    #[error("the sign-in was not begun in this browser, or took too long; begin again")]
    AttemptUnknown,
    /// No such account, session or user.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The caller knew another version than the current one.
    #[error("the profile is at version {current} by now")]
    VersionChanged { current: i64 },
    /// It has no password, or cannot have.
    #[error("this account has no password")]
    NoPassword,
    /// An operator cannot do this to itself.
    #[error("operators cannot block or demote themselves")]
    Oneself,
    /// The Idempotency-Key came before with other content.
    #[error("this Idempotency-Key was used with a different request")]
    IdempotencyConflict,
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The password hash in the row is broken, or the machine could not hash.
    #[error("password hashing failed")]
    Hashing(String),
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for AccountError {
    fn from(error: sqlx::Error) -> Self {
        match crate::db::constraint_of(&error) {
            Some("operators_spare_themselves") => Self::Oneself,
            _ => Self::Database(error),
        }
    }
}

/// How many guesses there may be, and when the next.
#[derive(Debug, Clone)]
pub struct ReachedGuesses {
    pub policy: RatePolicy,
    pub wait: Duration,
}

impl AccountError {
    /// A field that does not fit.
    pub fn field(field: &'static str, message: impl Into<String>) -> Self {
        Self::Field {
            field,
            message: message.into(),
        }
    }
}
