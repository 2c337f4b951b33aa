//! Gives a lease back, and notifies who waits for it the longest.

use crate::ids::UserId;
use crate::leases::queries::find_loss;
use crate::leases::{LEASES, LeaseError, LeaseToken, Resource};
use crate::outbox::Outbox;

/// What giving back came to.
#[derive(Debug, sqlx::FromRow)]
struct Released {
    last_fence: i64,
    next_ticket: Option<i64>,
}

/// Releases the lease that has this token.
pub async fn release(
    outbox: &Outbox,
    owner: UserId,
    resource: &Resource,
    token: &LeaseToken,
) -> Result<(), LeaseError> {
    match release_lease(outbox, owner, resource, Some(token)).await? {
        Some(_fence) => Ok(()),
        None => Err(find_loss(outbox.pool(), owner, token).await),
    }
}

/// Releases a lease for an operator, whoever holds it: the fence that is in force then, so that what compares fences
/// refuses the last holder at once.
pub async fn force_release(
    outbox: &Outbox,
    owner: UserId,
    resource: &Resource,
) -> Result<i64, LeaseError> {
    let released = release_lease(outbox, owner, resource, None).await?;
    released.ok_or(LeaseError::NotHeld)
}

/// The last fence of the lease; none if it is not held.
async fn release_lease(
    outbox: &Outbox,
    owner: UserId,
    resource: &Resource,
    token: Option<&LeaseToken>,
) -> Result<Option<i64>, sqlx::Error> {
    let released: Option<Released> =
        sqlx::query_as("select last_fence, next_ticket from release_lease($1, $2, $3, $4)")
            .bind(owner)
            .bind(resource)
            .bind(token.map(LeaseToken::digest))
            .bind(token.is_none())
            .fetch_optional(outbox.pool())
            .await?;
    if let Some(ticket) = released.as_ref().and_then(|released| released.next_ticket) {
        outbox.announce(LEASES, &ticket.to_string());
    }
    Ok(released.map(|released| released.last_fence))
}
