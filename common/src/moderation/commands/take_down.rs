//! Takes a package off the market and puts it back; its seller and whoever bought it are told.
//!
//! Locks in order: the listing (advisory), the package's row.

use serde::Serialize;

use super::Decision;
use crate::audit::{self, Details};
use crate::catalog::{CATALOGUE, LISTING_CHANGED};
use crate::events;
use crate::ids::{ApiKeyId, PackageId, PackagePublicId, PurchaseId, UserId};
use crate::moderation::ModerationError;
use crate::outbox::{Outbox, Tx};
use crate::webhooks::{Address, EventType, NewEvent, announce_in_tx};

/// How far it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeDown {
    /// Who bought it may go on downloading it.
    KeepingGrants,
    /// Nobody may download it, as with what is against the law.
    WithGrants,
}

#[derive(Debug, sqlx::FromRow)]
struct Target {
    id: PackageId,
    seller_id: UserId,
    api_key_id: ApiKeyId,
    webhook_url: Option<String>,
}

/// Somebody who bought it and listens.
#[derive(Debug, sqlx::FromRow)]
struct Buyer {
    id: PurchaseId,
    buyer_id: UserId,
    api_key_id: ApiKeyId,
    webhook_url: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PackageModerated<'a> {
    event: &'static str,
    package_id: &'a str,
    /// The reader's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    purchase_id: Option<PurchaseId>,
    reason: &'a str,
    /// Whether those who bought it may download it.
    is_downloadable: bool,
}

/// Takes a package down: nobody finds or buys it; who bought it can hand it back whatever its age. Taken down
/// again, it changes to what is said last.
pub async fn take_down(
    outbox: &Outbox,
    package: &PackagePublicId,
    how: TakeDown,
    decision: &Decision<'_>,
) -> Result<(), ModerationError> {
    moderate(outbox, package, Some(how), decision).await
}

/// Puts a package back as it was. One that is not taken down stays as it is.
pub async fn restore(
    outbox: &Outbox,
    package: &PackagePublicId,
    decision: &Decision<'_>,
) -> Result<(), ModerationError> {
    moderate(outbox, package, None, decision).await
}

async fn moderate(
    outbox: &Outbox,
    package: &PackagePublicId,
    how: Option<TakeDown>,
    decision: &Decision<'_>,
) -> Result<(), ModerationError> {
    let mut tx = outbox.begin().await?;
    let target = find_in_tx(&mut tx, package).await?;
    // Whoever is buying it has bought it, or sees that it is gone.
    sqlx::query("select pg_advisory_xact_lock(listing_lock($1))")
        .bind(target.id)
        .execute(&mut *tx)
        .await?;
    let has_changed: bool = sqlx::query_scalar("select set_package_taken_down($1, $2, $3, $4)")
        .bind(decision.act)
        .bind(target.id)
        .bind(how.map(|_| decision.reason))
        .bind(how == Some(TakeDown::WithGrants))
        .fetch_one(&mut *tx)
        .await?;
    let details = Details {
        reason: Some(decision.reason),
        recipient: Some(target.seller_id),
        ..Details::default()
    };
    audit::describe(&mut *tx, decision.act, &details).await?;
    if has_changed {
        tell_in_tx(&mut tx, package, &target, how, decision).await?;
        tx.announce(LISTING_CHANGED, package.as_str());
        tx.outdate(CATALOGUE);
    }
    tx.commit().await?;
    Ok(())
}

async fn find_in_tx(tx: &mut Tx, package: &PackagePublicId) -> Result<Target, ModerationError> {
    let target = sqlx::query_as(
        "select packages.id, seller_id, api_key_id, webhook_url
         from packages
         join listings on package_id = packages.id
         where public_id = $1",
    )
    .bind(package)
    .fetch_optional(&mut **tx)
    .await?;
    target.ok_or(ModerationError::NotFound("package"))
}

/// An event, and a webhook to the seller and to each buyer who listens.
async fn tell_in_tx(
    tx: &mut Tx,
    package: &PackagePublicId,
    target: &Target,
    how: Option<TakeDown>,
    decision: &Decision<'_>,
) -> Result<(), sqlx::Error> {
    let event_type = match how {
        Some(_) => EventType::PackageTakenDown,
        None => EventType::PackageRestored,
    };
    let mut message = PackageModerated {
        event: event_type.as_str(),
        package_id: package.as_str(),
        purchase_id: None,
        reason: decision.reason,
        is_downloadable: how != Some(TakeDown::WithGrants),
    };
    let data = serde_json::to_value(&message).expect("plain text serialises");
    let buyers = find_buyers_in_tx(tx, target.id).await?;
    let audience: Vec<UserId> = std::iter::once(target.seller_id)
        .chain(buyers.iter().map(|buyer| buyer.buyer_id))
        .collect();
    let (stream, trace) = (target.id.0, decision.trace);
    events::append_for_in_tx(
        tx,
        stream,
        event_type.as_str(),
        trace,
        data,
        Some(&audience),
    )
    .await?;
    let seller = (
        target.seller_id,
        None,
        Address::of(target.webhook_url.as_deref(), target.api_key_id),
    );
    let buyers = buyers.iter().map(|buyer| {
        let address = Address::of(buyer.webhook_url.as_deref(), buyer.api_key_id);
        (buyer.buyer_id, Some(buyer.id), address)
    });
    for (owner, purchase, address) in std::iter::once(seller).chain(buyers) {
        message.purchase_id = purchase;
        let event = NewEvent {
            owner,
            subject: target.id.0,
            event_type,
            // Each time it is taken down or restored is another.
            occasion: Some(decision.act.to_string().into()),
            body: serde_json::to_vec(&message).expect("plain text serialises"),
            trace: decision.trace.into(),
            address,
        };
        announce_in_tx(tx, &event).await?;
    }
    Ok(())
}

/// Who has it, and an endpoint or an address to be told at.
async fn find_buyers_in_tx(tx: &mut Tx, package: PackageId) -> Result<Vec<Buyer>, sqlx::Error> {
    sqlx::query_as(
        "select id, buyer_id, api_key_id, webhook_url
         from purchases
         where package_id = $1
           and state in ('settled', 'disputed')
           and (
               webhook_url is not null
               or exists (
                   select
                   from webhook_endpoints
                   where owner_id = buyer_id
                     and source = 'registered'
                     and deleted_at is null
               )
           )
         order by id",
    )
    .bind(package)
    .fetch_all(&mut **tx)
    .await
}
