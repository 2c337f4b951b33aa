//! Takes away what nobody asks for any more: ended jobs, old idempotency keys and notices, uploads
//! and sessions that nobody came back to, quotes that ran out.

use common::db::{Error, PgPool};
use common::{accounts, idempotency, jobs, payments, quotes, replays, uploads};

/// One round.
pub async fn sweep(pool: &PgPool) -> Result<(), Error> {
    let expired = uploads::expire_sessions(pool).await?;
    let jobs = jobs::prune_finished(pool).await?;
    let keys = idempotency::prune(pool).await? + replays::prune(pool).await?;
    let sessions = accounts::prune(pool).await?;
    let quotes = quotes::prune(pool).await?;
    let notices = payments::commands::prune_notices(pool).await?;
    if expired + jobs + keys + sessions + quotes + notices > 0 {
        tracing::info!(
            uploads.expired = expired,
            jobs.pruned = jobs,
            keys.pruned = keys,
            sessions.pruned = sessions,
            quotes.pruned = quotes,
            notices.pruned = notices,
            "Swept history"
        );
    }
    Ok(())
}
