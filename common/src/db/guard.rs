//! The lease under which a request writes: each transaction of the request begins by holding it, and fails if it was lost.
//!
//! Whoever knows the lease puts the request's work under it ([`under_lease`]); [`super::begin`] and [`super::writer`] read
//! it. So no command has to know, and none can forget. Work that is handed to another task takes [`current_lease`] along.

use sqlx::PgConnection;

use super::constraint_of;
use crate::ids::UserId;

/// A lease that was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLease {
    pub owner: UserId,
    pub resource: String,
    pub fence: i64,
}

tokio::task_local! {
    static HELD: HeldLease;
}

/// Does work, of which each transaction holds the lease, if there is one.
pub async fn under_lease<F: Future>(lease: Option<HeldLease>, work: F) -> F::Output {
    match lease {
        Some(lease) => HELD.scope(lease, work).await,
        None => work.await,
    }
}

/// The lease that this work is under.
pub fn current_lease() -> Option<HeldLease> {
    HELD.try_with(HeldLease::clone).ok()
}

/// Whether a transaction did not begin because its lease was lost.
pub fn is_lease_lost(error: &sqlx::Error) -> bool {
    constraint_of(error) == Some("leases_held")
}

impl HeldLease {
    /// Keeps others from taking the lease over until the transaction ends.
    pub(super) async fn hold_in_tx(&self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query("select require_lease($1, $2, $3)")
            .bind(self.owner)
            .bind(&self.resource)
            .bind(self.fence)
            .execute(conn)
            .await?;
        Ok(())
    }
}
