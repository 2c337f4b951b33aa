//! Extends a lease that is still held.

use std::time::Duration;

use sqlx::PgPool;

use crate::ids::UserId;
use crate::leases::queries::find_loss;
use crate::leases::{Lease, LeaseError, LeaseToken, Resource};

/// Has it last so long from now on; one that lasts longer is left as it is.
pub async fn extend(
    pool: &PgPool,
    owner: UserId,
    resource: &Resource,
    token: &LeaseToken,
    ttl: Duration,
) -> Result<Lease, LeaseError> {
    let extended = sqlx::query_as(
        "update leases
         set expires_at = greatest(expires_at, clock_timestamp() + make_interval(secs => $4))
         where owner_id = $1
           and resource = $2
           and token_hash = $3
           and expires_at > clock_timestamp()
         returning resource, holder, fence, acquired_at, expires_at,
                   ceil(1000 * extract(epoch from expires_at - clock_timestamp()))::bigint as remaining_ms,
                   count_lease_waiters(owner_id, resource, null) as waiters",
    )
    .bind(owner)
    .bind(resource)
    .bind(token.digest())
    .bind(ttl.as_secs_f64())
    .fetch_optional(pool)
    .await?;
    match extended {
        Some(lease) => Ok(lease),
        None => Err(find_loss(pool, owner, token).await),
    }
}
