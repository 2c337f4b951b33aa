//! Buyers who wait for a license that is reserved for somebody else: `listing.available` is sent to each of
//! them once, when the listing has a license again.
//!
//! Whoever is refused with `RESERVED` and can receive the webhook is a watcher for [`WATCH_HOURS`]. The
//! scheduler looks for listings that are free, so no way of giving supply back can be forgotten.

use serde::Serialize;

use super::PurchaseRequest;
use crate::ids::{ApiKeyId, EventId, PackageId, PackagePublicId, UserId};
use crate::limits::{WATCH_HOURS, WATCHERS_MAX, WATCHERS_NOTIFIED_MAX};
use crate::outbox::Outbox;
use crate::webhooks::{Address, EventType, NewEvent, announce_in_tx};

#[derive(sqlx::FromRow)]
struct Watcher {
    package_id: PackageId,
    public_id: PackagePublicId,
    user_id: UserId,
    api_key_id: ApiKeyId,
    webhook_url: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListingAvailable<'a> {
    event: &'static str,
    package_id: &'a PackagePublicId,
}

/// Remembers the buyer of a refused request, if it named an address or one of the account's endpoints listens.
pub(super) async fn watch(outbox: &Outbox, request: &PurchaseRequest) -> Result<(), sqlx::Error> {
    let mut tx = outbox.begin().await?;
    sqlx::query(
        "insert into supply_watchers (package_id, user_id, api_key_id, webhook_url)
         select packages.id, $2, $3, $4
         from packages
         where public_id = $1
           and ($4 is not null or exists (
                   select
                   from webhook_endpoints
                   where owner_id = $2
                     and deleted_at is null
                     and source = 'registered'
                     and webhook_filter_matches(event_types, $5)
               ))
           and $6 > (
               select count(*)
               from supply_watchers
               where supply_watchers.package_id = packages.id
           )
         on conflict do nothing",
    )
    .bind(&request.package)
    .bind(request.buyer)
    .bind(request.api_key)
    .bind(&request.webhook_url)
    .bind(EventType::ListingAvailable.as_str())
    .bind(WATCHERS_MAX)
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

/// Notifies those whose listing has a license again, and forgets who has waited for too long. Returns how many
/// were notified.
pub async fn notify_watchers(outbox: &Outbox) -> Result<usize, sqlx::Error> {
    let mut tx = outbox.begin().await?;
    sqlx::query(
        "delete from supply_watchers
         where created_at < now() - make_interval(hours => $1)",
    )
    .bind(WATCH_HOURS)
    .execute(&mut *tx)
    .await?;
    let watchers: Vec<Watcher> = sqlx::query_as(
        "delete from supply_watchers
         using packages
         where packages.id = supply_watchers.package_id
           and (supply_watchers.package_id, user_id) in (
               select waiting.package_id, waiting.user_id
               from supply_watchers as waiting
               join listings
                 on listings.package_id = waiting.package_id
               where shown_status(listings) = 'active'
                 and (supply is null or taken < supply)
               order by waiting.created_at
               limit $1
           )
         returning packages.id as package_id, public_id, user_id, supply_watchers.api_key_id, webhook_url",
    )
    .bind(WATCHERS_NOTIFIED_MAX)
    .fetch_all(&mut *tx)
    .await?;
    for watcher in &watchers {
        let message = ListingAvailable {
            event: EventType::ListingAvailable.as_str(),
            package_id: &watcher.public_id,
        };
        let event = NewEvent {
            owner: watcher.user_id,
            subject: watcher.package_id.0,
            event_type: EventType::ListingAvailable,
            // An account may wait for the same listing more than once.
            occasion: Some(EventId::new().to_string().into()),
            body: serde_json::to_vec(&message).expect("plain text serialises"),
            trace: "sweep".into(),
            address: Address::of(watcher.webhook_url.as_deref(), watcher.api_key_id),
        };
        announce_in_tx(&mut tx, &event).await?;
    }
    tx.commit().await?;
    Ok(watchers.len())
}
