//! Reads an error of PostgreSQL: a decision of the schema, or a fault of ours.

/// Whether the same statement may succeed later without anybody changing it: the server is away,
/// shutting down, out of resources, or chose this transaction to break a deadlock.
pub fn is_ours_to_fix(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // Classes: connection 08, transaction rollback 40, resources 53, operator 57, system 58,
            // and 25P03 (idle in transaction), 55P03 (lock not available).
            ["08", "40", "53", "57", "58"]
                .iter()
                .any(|class| code.starts_with(class))
                || code == "25P03"
                || code == "55P03"
        }),
        _ => false,
    }
}

/// The constraint that a statement broke.
pub fn constraint_of(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error()?.constraint()
}

/// The same error for each of many who waited for one statement: sqlx's own cannot be copied. It keeps
/// its text and whether it [`is_ours_to_fix`].
pub fn copy_of(error: &sqlx::Error) -> sqlx::Error {
    let text = error.to_string();
    if is_ours_to_fix(error) {
        sqlx::Error::Io(std::io::Error::other(text))
    } else {
        sqlx::Error::InvalidArgument(text)
    }
}
