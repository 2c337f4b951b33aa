//! The two who hear what becomes of a settled purchase, each at the own endpoints: its buyer also at
//! the address of the purchase, and its seller at that of the listing.

use serde::Serialize;
use uuid::Uuid;

use super::Purchase;
use crate::ids::{ApiKeyId, UserId};
use crate::outbox::Tx;
use crate::webhooks::{Address, EventType, NewEvent, announce_in_tx};

/// One message for both.
#[derive(Debug)]
pub struct News<'a, M> {
    /// The purchase, or the dispute about it.
    pub subject: Uuid,
    pub event_type: EventType,
    pub message: M,
    pub trace: &'a str,
}

/// Announces the message to both. Said twice, it is announced once.
pub async fn tell_parties_in_tx<M: Serialize + Sync>(
    tx: &mut Tx,
    purchase: &Purchase,
    news: &News<'_, M>,
) -> Result<(), sqlx::Error> {
    let (seller, seller_key, seller_url): (UserId, ApiKeyId, Option<String>) = sqlx::query_as(
        "select seller_id, api_key_id, webhook_url
         from listings
         where package_id = $1",
    )
    .bind(purchase.package_id)
    .fetch_one(&mut **tx)
    .await?;
    let body = serde_json::to_vec(&news.message).expect("plain text serialises");
    let buyer_url = purchase.webhook_url.as_deref();
    for (owner, address) in [
        (
            purchase.buyer_id,
            Address::of(buyer_url, purchase.api_key_id),
        ),
        (seller, Address::of(seller_url.as_deref(), seller_key)),
    ] {
        let event = NewEvent {
            owner,
            subject: news.subject,
            event_type: news.event_type,
            occasion: None,
            body: body.clone(),
            trace: news.trace.into(),
            address,
        };
        announce_in_tx(tx, &event).await?;
    }
    Ok(())
}
