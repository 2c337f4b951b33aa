//! What can go wrong between us and Redis, by what a caller can do about it.

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// A failed exchange with Redis. None of these loses a job: PostgreSQL still has it.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The address cannot be parsed; only another configuration helps.
    #[error("the address of Redis cannot be used")]
    Address(#[source] RedisError),
    /// Redis is away, loading or too slow: a fault of ours, to be tried again, burning no attempt.
    #[error("Redis cannot be reached")]
    Unreachable(#[source] RedisError),
    /// Redis answered with an error: it is full, or this module has a bug.
    #[error("Redis refused a command")]
    Refused(#[source] RedisError),
}

impl QueueError {
    /// Whether Redis answers, and takes nothing in because its memory is full.
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Refused(error) if error.code() == Some("OOM"))
    }
}

impl From<RedisError> for QueueError {
    fn from(error: RedisError) -> Self {
        match error.kind() {
            ErrorKind::Io
            | ErrorKind::Server(
                ServerErrorKind::BusyLoading
                | ServerErrorKind::MasterDown
                | ServerErrorKind::TryAgain,
            ) => Self::Unreachable(error),
            _ => Self::Refused(error),
        }
    }
}
