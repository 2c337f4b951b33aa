//! Who may have one of the licenses of a limited or exclusive listing, and for how long one that is not
//! paid for stays reserved.
//!
//! A purchase takes supply when it is paid. One that a card is to pay reserves it once the provider has
//! accepted the payment method, for [`CARD_RESERVATION_SECONDS`]; before that, and after, it takes none, and
//! whoever pays first has it (`who_has_not_begun_to_pay_reserves_nothing`). The schema counts what is
//! taken and refuses one sale too many; the advisory lock of the listing only keeps buyers in line.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

use super::Purchase;
use crate::ids::{PackageId, PackagePublicId, PaymentId, PurchaseId, UserId};
use crate::limits::{
    CARD_RESERVATION_SECONDS, RESERVATION_PAUSE_SECONDS, RESERVATIONS_MAX, RESERVATIONS_SWEPT_MAX,
};
use crate::outbox::{Outbox, Tx};
use crate::purchases::CHANGED;

/// The topic under which supply that is free again is announced; the id is the package's public one.
pub const SUPPLY: &str = "supply";

/// Whether a listing has a license left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supply {
    /// There is one.
    Free,
    /// Those that are left are kept for others who pay; the first may be free then.
    ReservedUntil(DateTime<Utc>),
    /// None, for good as far as anybody knows.
    SoldOut,
    /// The listing is sold under another license by now.
    ChangedLicense,
}

/// Waits for the buyers of a limited listing, or beside all those of another: at the beginning of a
/// transaction that may take or give back supply.
pub(super) async fn lock_listing_in_tx(
    conn: &mut PgConnection,
    package: PackageId,
    is_limited: bool,
) -> Result<(), sqlx::Error> {
    let lock = if is_limited {
        "select pg_advisory_xact_lock(listing_lock($1))"
    } else {
        "select pg_advisory_xact_lock_shared(listing_lock($1))"
    };
    sqlx::query(lock).bind(package).execute(&mut *conn).await?;
    if is_limited {
        release_in_tx(conn, package).await?;
    }
    Ok(())
}

/// The same for the purchase that a payment is for, if it is for one.
pub(super) async fn lock_listing_of_payment_in_tx(
    conn: &mut PgConnection,
    payment: PaymentId,
) -> Result<(), sqlx::Error> {
    let listing: Option<(PackageId, bool)> = sqlx::query_as(
        "select package_id, license_mode <> 'unlimited'
         from payments
         join purchases on purchases.id = purchase_id
         where payments.id = $1",
    )
    .bind(payment)
    .fetch_optional(&mut *conn)
    .await?;
    match listing {
        Some((package, is_limited)) => lock_listing_in_tx(conn, package, is_limited).await,
        None => Ok(()),
    }
}

/// Gives back what is reserved no more. A row that somebody is changing right now is left to them.
async fn release_in_tx(conn: &mut PgConnection, package: PackageId) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update purchases
         set takes_supply = false, version = version + 1
         where id in (
             select id
             from purchases
             where package_id = $1
               and takes_supply
               and state in ('awaiting_payment', 'payment_unknown')
               and reserved_until <= now()
             for no key update skip locked
         )",
    )
    .bind(package)
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives back whatever is reserved no more, and tells who waits for it. How many there were.
pub async fn release_overdue(outbox: &Outbox) -> Result<usize, sqlx::Error> {
    let mut tx = outbox.begin().await?;
    let released: Vec<(PurchaseId, PackagePublicId)> = sqlx::query_as(
        "update purchases
         set takes_supply = false, version = purchases.version + 1
         from packages
         where packages.id = package_id
           and purchases.id in (
               select id
               from purchases
               where takes_supply
                 and state in ('awaiting_payment', 'payment_unknown')
                 and reserved_until <= now()
               order by id
               limit $1
               for no key update skip locked
           )
         returning purchases.id, public_id",
    )
    .bind(RESERVATIONS_SWEPT_MAX)
    .fetch_all(&mut *tx)
    .await?;
    for (purchase, package) in &released {
        tx.announce(CHANGED, purchase.to_string());
        tx.announce(SUPPLY, package.as_str());
    }
    tx.commit().await?;
    Ok(released.len())
}

/// What is left of a listing for a purchase under that license. Exact under the listing's lock.
pub(super) async fn look_in_tx(
    conn: &mut PgConnection,
    package: PackageId,
    license_mode: &str,
) -> Result<Supply, sqlx::Error> {
    let (is_same, is_free, reserved_until): (bool, bool, Option<DateTime<Utc>>) = sqlx::query_as(
        "select license_mode = $2, supply is null or taken < supply, (
                    select min(reserved_until)
                    from purchases
                    where purchases.package_id = $1
                      and takes_supply
                      and state in ('awaiting_payment', 'payment_unknown')
                )
         from listings
         where package_id = $1",
    )
    .bind(package)
    .bind(license_mode)
    .fetch_one(conn)
    .await?;
    Ok(match reserved_until {
        _ if !is_same => Supply::ChangedLicense,
        _ if is_free => Supply::Free,
        Some(until) => Supply::ReservedUntil(until),
        None => Supply::SoldOut,
    })
}

/// Whether a buyer who waits for that package should ask again: something is free, or nothing is kept for
/// others any more.
pub async fn is_worth_asking(
    pool: &PgPool,
    package: &PackagePublicId,
) -> Result<bool, sqlx::Error> {
    let is_worth: Option<bool> = sqlx::query_scalar(
        "select taken < coalesce(supply, taken + 1) or not exists (
                    select
                    from purchases
                    where purchases.package_id = listings.package_id
                      and takes_supply
                      and state in ('awaiting_payment', 'payment_unknown')
                      and reserved_until > now()
                )
         from listings
         join packages on packages.id = package_id
         where public_id = $1",
    )
    .bind(package)
    .fetch_optional(pool)
    .await?;
    Ok(is_worth.unwrap_or(true))
}

/// Reserves supply for a purchase whose payment is under way, if it has none. An account that has
/// reserved as much as it may, or this listing before, goes on without.
pub(super) async fn reserve_in_tx(tx: &mut Tx, purchase: &Purchase) -> Result<Supply, sqlx::Error> {
    if purchase.takes_supply || purchase.license_mode == "unlimited" {
        return Ok(Supply::Free);
    }
    let supply = look_in_tx(tx, purchase.package_id, &purchase.license_mode).await?;
    if supply != Supply::Free || !may_reserve_in_tx(tx, purchase).await? {
        return Ok(supply);
    }
    sqlx::query(
        "update purchases
         set takes_supply = true, reserved_until = now() + make_interval(secs => $2), version = version + 1
         where id = $1",
    )
    .bind(purchase.id)
    .bind(CARD_RESERVATION_SECONDS as f64)
    .execute(&mut **tx)
    .await?;
    Ok(Supply::Free)
}

/// Reservations of one account are counted one after the other.
async fn may_reserve_in_tx(
    conn: &mut PgConnection,
    purchase: &Purchase,
) -> Result<bool, sqlx::Error> {
    lock_buyer_in_tx(conn, purchase.buyer_id).await?;
    sqlx::query_scalar(
        "select count(*) filter (
                    where takes_supply
                      and state in ('awaiting_payment', 'payment_unknown')
                      and license_mode <> 'unlimited'
                      and reserved_until > now()
                ) < $3
            and count(*) filter (where package_id = $2) = 0
         from purchases
         where buyer_id = $1
           and id <> $4
           and reserved_until > now() - make_interval(secs => $5)
           and created_at > now() - interval '2 days'",
    )
    .bind(purchase.buyer_id)
    .bind(purchase.package_id)
    .bind(RESERVATIONS_MAX)
    .bind(purchase.id)
    .bind(RESERVATION_PAUSE_SECONDS as f64)
    .fetch_one(conn)
    .await
}

async fn lock_buyer_in_tx(conn: &mut PgConnection, buyer: UserId) -> Result<(), sqlx::Error> {
    sqlx::query("select pg_advisory_xact_lock(uuid_hash_extended($1, 3))")
        .bind(buyer)
        .execute(conn)
        .await?;
    Ok(())
}
