//! Reads of purchases, and what the sweeps ask.

use sqlx::{PgConnection, PgExecutor, PgPool};

use super::{Purchase, PurchaseView};
use crate::ids::{PackageId, PurchaseId, QuoteId, UserId};

/// A purchase by its id.
pub async fn find(
    executor: impl PgExecutor<'_>,
    id: PurchaseId,
) -> Result<Option<Purchase>, sqlx::Error> {
    sqlx::query_as(
        "select purchases.id, package_id, packages.public_id as package_public_id, package_type, buyer_id,
                seller_id, api_key_id, license_mode, price_minor, fee_minor, net_minor, currency, payment_method,
                request_id, webhook_url, state, takes_supply, grant_expires_at, settled_at
         from purchases
         join packages on packages.id = package_id
         where purchases.id = $1",
    )
    .bind(id)
    .fetch_optional(executor)
    .await
}

/// The purchase of that number ([`PurchaseId::number`]).
pub async fn find_by_number(
    executor: impl PgExecutor<'_>,
    number: i64,
) -> Result<Option<PurchaseId>, sqlx::Error> {
    sqlx::query_scalar("select id from purchases where purchase_number(id) = $1")
        .bind(number)
        .fetch_optional(executor)
        .await
}

/// Purchases as their two sides see them, with what follows the joins.
macro_rules! select_views {
    ($tail:literal) => {
        concat!(
            "select purchases.id, packages.public_id as package_public_id, package_type,
                    packages.name as package_name, package_object.sha256 as package_sha256,
                    w_matrix_object.sha256 as w_matrix_sha256, buyer_id, seller_id, license_mode, price_minor,
                    fee_minor, net_minor, currency, payment_method, purchases.state, reason_code, reason, version,
                    case
                        when takes_supply and purchases.state in ('awaiting_payment', 'payment_unknown')
                        then reserved_until
                    end as reserved_until, expires_at, grant_expires_at, purchases.created_at, settled_at, finished_at
             from purchases
             join packages on packages.id = package_id
             join objects as package_object on package_object.key = package_key
             join objects as w_matrix_object on w_matrix_object.key = w_matrix_key ",
            $tail
        )
    };
}
pub(super) use select_views;

/// A purchase whose row nobody else changes until the end of the transaction. Lock it before accounts.
pub async fn lock_in_tx(
    conn: &mut PgConnection,
    id: PurchaseId,
) -> Result<Option<Purchase>, sqlx::Error> {
    sqlx::query("select from purchases where id = $1 for no key update")
        .bind(id)
        .execute(&mut *conn)
        .await?;
    find(conn, id).await
}

/// A purchase as its buyer sees it.
pub async fn find_view(
    pool: &PgPool,
    id: PurchaseId,
    buyer: UserId,
) -> Result<Option<PurchaseView>, sqlx::Error> {
    sqlx::query_as(select_views!(
        "where purchases.id = $1
           and buyer_id = $2"
    ))
    .bind(id)
    .bind(buyer)
    .fetch_optional(pool)
    .await
}

/// The purchase that a quote was spent on.
pub(super) async fn purchase_by_quote(
    pool: &PgPool,
    quote: QuoteId,
) -> Result<Option<PurchaseId>, sqlx::Error> {
    sqlx::query_scalar("select id from purchases where quote_id = $1")
        .bind(quote)
        .fetch_optional(pool)
        .await
}

/// The buyer's one live purchase of a package.
pub async fn live_purchase(
    pool: &PgPool,
    buyer: UserId,
    package: PackageId,
) -> Result<Option<PurchaseId>, sqlx::Error> {
    sqlx::query_scalar(
        "select id
         from purchases
         where buyer_id = $1
           and package_id = $2
           and state not in ('failed', 'refunded')",
    )
    .bind(buyer)
    .bind(package)
    .fetch_optional(pool)
    .await
}

/// Pending purchases whose time is over, oldest first.
pub async fn overdue(pool: &PgPool, rows_max: i64) -> Result<Vec<PurchaseId>, sqlx::Error> {
    sqlx::query_scalar(
        "select id
         from purchases
         where state = 'pending'
           and expires_at < now()
         order by expires_at
         limit $1",
    )
    .bind(rows_max)
    .fetch_all(pool)
    .await
}
