//! Reads of disputes.

use sqlx::{PgExecutor, PgPool};

use super::{Case, Dispute, DisputeFilter, DisputeSummary, DisputeView};
use crate::ids::{DisputeId, PurchaseId, UserId};
use crate::limits::PAGE_ROWS_MAX;

/// A dispute by its id.
pub async fn find(
    executor: impl PgExecutor<'_>,
    id: DisputeId,
) -> Result<Option<Dispute>, sqlx::Error> {
    sqlx::query_as(
        "select id, purchase_id, reason, state, finding, request_id
         from disputes
         where id = $1",
    )
    .bind(id)
    .fetch_optional(executor)
    .await
}

/// The one dispute about a purchase.
pub(super) async fn find_of_purchase(
    executor: impl PgExecutor<'_>,
    purchase: PurchaseId,
) -> Result<Option<Dispute>, sqlx::Error> {
    sqlx::query_as(
        "select id, purchase_id, reason, state, finding, request_id
         from disputes
         where purchase_id = $1",
    )
    .bind(purchase)
    .fetch_optional(executor)
    .await
}

/// What the re-measurement needs.
pub async fn find_case(pool: &PgPool, id: DisputeId) -> Result<Option<Case>, sqlx::Error> {
    sqlx::query_as(
        "select disputes.id, disputes.state, package_type, source_model, target_model, epsilon_declared,
                epsilon_measured, package_key, package_object.sha256 as package_sha256,
                package_object.size_bytes as package_bytes, w_matrix_key,
                w_matrix_object.sha256 as w_matrix_sha256, w_matrix_object.size_bytes as w_matrix_bytes
         from disputes
         join purchases on purchases.id = purchase_id
         join packages on packages.id = package_id
         join objects as package_object on package_object.key = package_key
         join objects as w_matrix_object on w_matrix_object.key = w_matrix_key
         where disputes.id = $1",
    )
    .bind(id)
    .fetch_optional(pool)
    .await
}

/// A dispute as its parties see it; for a user who is none of them there is none.
pub async fn find_view(
    pool: &PgPool,
    id: DisputeId,
    party: Option<UserId>,
) -> Result<Option<DisputeView>, sqlx::Error> {
    sqlx::query_as(
        "select disputes.id, purchase_id, packages.public_id as package_public_id, buyer_id, seller_id, price_minor,
                net_minor, currency, disputes.reason, disputes.description, disputes.state, finding, disputes.report,
                decided_by, note, disputes.version, opened_at, measured_at, resolved_at
         from disputes
         join purchases on purchases.id = purchase_id
         join packages on packages.id = package_id
         where disputes.id = $1
           and ($2::uuid is null or $2 in (buyer_id, seller_id))",
    )
    .bind(id)
    .bind(party)
    .fetch_optional(pool)
    .await
}

/// A page for operators, newest first.
pub async fn list(
    pool: &PgPool,
    filter: &DisputeFilter,
) -> Result<Vec<DisputeSummary>, sqlx::Error> {
    sqlx::query_as(
        "select disputes.id, purchase_id, disputes.reason, disputes.state, finding, price_minor, currency, opened_at
         from disputes
         join purchases on purchases.id = purchase_id
         where ($1::text is null or disputes.state = $1)
           and ($2::uuid is null or disputes.id < $2)
         order by disputes.id desc
         limit $3",
    )
    .bind(filter.state)
    .bind(filter.before)
    .bind(filter.limit.clamp(1, PAGE_ROWS_MAX))
    .fetch_all(pool)
    .await
}
