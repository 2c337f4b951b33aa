//! Reads of leases, and what is swept of them.

use std::time::Duration;

use sqlx::{PgExecutor, PgPool};

use super::{Lease, LeaseError, LeaseToken, Loss, Resource};
use crate::db::HeldLease;
use crate::ids::UserId;
use crate::telemetry::metrics;

/// The lease of a resource, if it is held.
pub async fn find(pool: &PgPool, owner: UserId, resource: &Resource) -> Result<Lease, LeaseError> {
    sqlx::query_as(
        "select resource, holder, fence, acquired_at, expires_at,
                ceil(1000 * extract(epoch from expires_at - clock_timestamp()))::bigint as remaining_ms,
                count_lease_waiters(owner_id, resource, null) as waiters
         from leases
         where owner_id = $1
           and resource = $2
           and token_hash is not null
           and expires_at > clock_timestamp()",
    )
    .bind(owner)
    .bind(resource)
    .fetch_optional(pool)
    .await?
    .ok_or(LeaseError::NotHeld)
}

/// A page of the leases that an account holds, by resource.
pub async fn list(
    pool: &PgPool,
    owner: UserId,
    after: Option<&Resource>,
    limit: i64,
) -> Result<Vec<Lease>, sqlx::Error> {
    sqlx::query_as(
        "select resource, holder, fence, acquired_at, expires_at,
                ceil(1000 * extract(epoch from expires_at - clock_timestamp()))::bigint as remaining_ms,
                count_lease_waiters(owner_id, resource, null) as waiters
         from leases
         where owner_id = $1
           and ($2::text is null or resource > $2)
           and token_hash is not null
           and expires_at > clock_timestamp()
         order by resource
         limit $3",
    )
    .bind(owner)
    .bind(after)
    .bind(limit)
    .fetch_all(pool)
    .await
}

/// The lease of an account that this token is of, or how it was lost.
pub async fn find_held(
    executor: impl PgExecutor<'_>,
    owner: UserId,
    token: &LeaseToken,
) -> Result<HeldLease, LeaseError> {
    let found: Option<(String, i64, bool)> = sqlx::query_as(
        "select resource, fence, expires_at > clock_timestamp()
         from leases
         where owner_id = $1
           and token_hash = $2",
    )
    .bind(owner)
    .bind(token.digest())
    .fetch_optional(executor)
    .await?;
    match found {
        Some((resource, fence, true)) => Ok(HeldLease {
            owner,
            resource,
            fence,
        }),
        Some(_) => Err(LeaseError::Lost(Loss::Expired)),
        None => Err(LeaseError::Lost(Loss::Unknown)),
    }
}

/// Why a token neither extended nor released the lease of a resource.
pub(super) async fn find_loss(pool: &PgPool, owner: UserId, token: &LeaseToken) -> LeaseError {
    match find_held(pool, owner, token).await {
        Ok(_other) => LeaseError::Lost(Loss::OtherResource),
        Err(error) => error,
    }
}

/// Counts the leases that are held.
pub async fn observe(pool: &PgPool) -> Result<(), sqlx::Error> {
    let held: i64 = sqlx::query_scalar(
        "select count(*) from leases where token_hash is not null and expires_at > clock_timestamp()",
    )
    .fetch_one(pool)
    .await?;
    metrics().leases.held.set(held as f64);
    Ok(())
}

/// Takes away leases that ended before, and dead waiters with them. The fences of a resource rise also without its row.
pub async fn prune(pool: &PgPool, kept: Duration) -> Result<u64, sqlx::Error> {
    let pruned =
        sqlx::query("delete from leases where expires_at < now() - make_interval(secs => $1)")
            .bind(kept.as_secs_f64())
            .execute(pool)
            .await?;
    Ok(pruned.rows_affected())
}
