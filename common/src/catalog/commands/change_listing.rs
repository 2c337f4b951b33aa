//! A seller changes the terms of a listing: price, license, status, where to be told.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::catalog::{
    CATALOGUE, CatalogError, LISTING_CHANGED, License, LicenseMode, Listing, ListingChanges,
    ListingStatus, find_listing,
};
use crate::db::constraint_of;
use crate::events;
use crate::idempotency::{self, IdempotencyKey, StoredAnswer};
use crate::identity::Principal;
use crate::ids::PackagePublicId;
use crate::merge_patch::Patch;
use crate::outbox::{Outbox, Tx};

/// Who changes what, knowing which version.
#[derive(Debug)]
pub struct Change<'a> {
    pub seller: &'a Principal,
    pub package: &'a PackagePublicId,
    /// The versions that the seller has seen; `None` takes any.
    pub if_match: Option<&'a [i64]>,
    pub changes: &'a ListingChanges,
    pub key: Option<&'a IdempotencyKey>,
    pub request_id: &'a str,
}

/// The answer to a change.
#[derive(Debug, Clone)]
pub struct Changed {
    pub listing: Listing,
    /// True if an earlier request with the same key made it.
    pub is_replay: bool,
}

/// Changes a listing: row, version, event and the answer for its idempotency key, in one transaction
/// that keeps buyers of the package out. What is so already is no change, and makes no version.
pub async fn change_listing(outbox: &Outbox, change: &Change<'_>) -> Result<Changed, CatalogError> {
    let mut tx = outbox.begin().await?;
    let before = lock_in_tx(&mut tx, change).await?;
    if let Some(key) = change.key
        && let Some(earlier) = idempotency::find_in_tx(&mut tx, key).await?
    {
        return answer_again(earlier, change);
    }
    let is_known = |versions: &[i64]| versions.contains(&before.version);
    if !change.if_match.is_none_or(is_known) {
        let current = before.version;
        return Err(CatalogError::VersionChanged { current });
    }
    let after = apply(&before, change)?;
    let listing = if after == before {
        after
    } else {
        write_in_tx(&mut tx, change, &before, &after).await?
    };
    if let Some(key) = change.key {
        let answer = StoredAnswer {
            fingerprint: fingerprint(change),
            status: 200,
            body: serde_json::to_value(&listing).expect("a listing is plain text"),
        };
        if let Some(earlier) = idempotency::record_in_tx(&mut tx, key, &answer).await? {
            return answer_again(earlier, change);
        }
    }
    tx.outdate(CATALOGUE);
    tx.commit().await?;
    Ok(Changed {
        listing,
        is_replay: false,
    })
}

/// The seller's listing, under the lock that its buyers share.
async fn lock_in_tx(tx: &mut Tx, change: &Change<'_>) -> Result<Listing, CatalogError> {
    let found = find_listing(&mut **tx, change.package).await?;
    let id = found
        .filter(|listing| listing.seller_id == change.seller.user)
        .ok_or(CatalogError::NotFound)?
        .package_id;
    sqlx::query("select pg_advisory_xact_lock(listing_lock($1))")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    find_listing(&mut **tx, change.package)
        .await?
        .ok_or(CatalogError::NotFound)
}

/// The listing as it is to be.
fn apply(before: &Listing, change: &Change<'_>) -> Result<Listing, CatalogError> {
    let changes = change.changes;
    let mut after = before.clone();
    if let Some(price) = changes.price {
        after.price_minor = price.minor();
    }
    if changes.license_mode.is_some() || changes.supply != Patch::Keep {
        let license = license_after(before, changes)?;
        (after.license_mode, after.supply) = (license.mode(), license.supply());
    }
    if let Some(status) = changes.status {
        if status == ListingStatus::Draft && before.status != status {
            return Err(CatalogError::NoDraft);
        }
        after.status = status;
    }
    let url = changes
        .webhook_url
        .clone()
        .or_option(before.webhook_url.clone());
    if url != before.webhook_url {
        after.webhook_url = url;
        after.api_key_id = change.seller.key;
    }
    if before.status == ListingStatus::Removed && after != *before {
        return Err(CatalogError::Removed);
    }
    match after.supply {
        Some(supply) if after.license_mode == before.license_mode && supply < before.taken => {
            let taken = before.taken;
            Err(CatalogError::SupplyBelowTaken { supply, taken })
        }
        _ => Ok(after),
    }
}

/// A limit whose figure is not said keeps the one that it has.
fn license_after(before: &Listing, changes: &ListingChanges) -> Result<License, CatalogError> {
    let mode = changes.license_mode.unwrap_or(before.license_mode);
    let supply = match (&changes.supply, mode) {
        (Patch::Keep, LicenseMode::Limited) if before.license_mode == mode => {
            before.supply.map(i64::from)
        }
        (supply, _) => supply.clone().set(),
    };
    License::new(mode, supply).map_err(CatalogError::License)
}

async fn write_in_tx(
    tx: &mut Tx,
    change: &Change<'_>,
    before: &Listing,
    after: &Listing,
) -> Result<Listing, CatalogError> {
    let updated = sqlx::query(
        "update listings
         set price_minor = $3, license_mode = $4, supply = $5, status = $6, api_key_id = $7, webhook_url = $8,
             version = version + 1, updated_at = now()
         where package_id = $1
           and version = $2",
    )
    .bind(before.package_id)
    .bind(before.version)
    .bind(after.price_minor)
    .bind(after.license_mode)
    .bind(after.supply)
    .bind(after.status)
    .bind(after.api_key_id)
    .bind(&after.webhook_url)
    .execute(&mut **tx)
    .await
    .map_err(|error| refusal(error, before, after))?;
    let written = find_listing(&mut **tx, change.package)
        .await?
        .ok_or(CatalogError::NotFound)?;
    if updated.rows_affected() == 0 {
        let current = written.version;
        return Err(CatalogError::VersionChanged { current });
    }
    let data = json!({ "before": terms(before), "after": terms(&written) });
    let id = before.package_id.0;
    events::append_in_tx(tx, id, "listing.changed", change.request_id, data).await?;
    tx.announce(LISTING_CHANGED, change.package.as_str());
    Ok(written)
}

/// What the schema refused, as a decision of the seller.
fn refusal(error: sqlx::Error, before: &Listing, after: &Listing) -> CatalogError {
    let sold = CatalogError::SoldAsListed(before.license_mode);
    match constraint_of(&error) {
        Some("listings_sold_as_listed") => sold,
        // The supply of another mode cannot hold what was taken in this one.
        Some("listings_not_oversold" | "listings_supply_fits_mode")
            if before.license_mode != after.license_mode =>
        {
            sold
        }
        Some("listings_removed_for_good") => CatalogError::Removed,
        Some("listings_not_oversold") => CatalogError::SupplyBelowTaken {
            supply: after.supply.unwrap_or_default(),
            taken: before.taken,
        },
        _ => CatalogError::Database(error),
    }
}

/// What a version says, for its event.
fn terms(listing: &Listing) -> Value {
    json!({
        "version": listing.version,
        "priceMinor": listing.price_minor,
        "currency": listing.currency,
        "licenseMode": listing.license_mode,
        "supply": listing.supply,
        "status": listing.status,
        "webhookUrl": listing.webhook_url,
    })
}

fn answer_again(earlier: StoredAnswer, change: &Change<'_>) -> Result<Changed, CatalogError> {
    if earlier.fingerprint != fingerprint(change) {
        return Err(CatalogError::IdempotencyConflict);
    }
    let listing = serde_json::from_value(earlier.body)
        .map_err(|error| CatalogError::Defect(format!("a kept answer cannot be read: {error}")))?;
    Ok(Changed {
        listing,
        is_replay: true,
    })
}

/// Digest of everything that makes this change what it is.
fn fingerprint(change: &Change<'_>) -> Vec<u8> {
    let changes = change.changes;
    let content = json!([
        change.package,
        change.if_match,
        changes.price.map(crate::money::Price::minor),
        changes.license_mode,
        changes.supply,
        changes.status,
        changes.webhook_url,
    ]);
    Sha256::digest(content.to_string()).to_vec()
}
