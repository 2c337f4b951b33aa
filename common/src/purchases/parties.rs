//! The two who hear what becomes of a settled purchase: its buyer, at the address of the purchase,
//! and its seller, at that of the listing.

use serde::Serialize;
use uuid::Uuid;

use super::Purchase;
use crate::ids::{ApiKeyId, UserId};
use crate::outbox::Tx;
use crate::webhooks::{NewDelivery, promise_in_tx};

/// One message for both.
#[derive(Debug)]
pub struct News<'a, M> {
    /// The purchase, or the dispute about it.
    pub subject: Uuid,
    pub event_type: &'static str,
    pub message: M,
    pub trace: &'a str,
}

/// Promises the message to whichever of the two has an address. Said twice, it promises once.
pub async fn tell_parties_in_tx<M: Serialize + Sync>(
    tx: &mut Tx,
    purchase: &Purchase,
    news: &News<'_, M>,
) -> Result<(), sqlx::Error> {
    let buyer = purchase
        .webhook_url
        .as_ref()
        .map(|url| (purchase.buyer_id, purchase.api_key_id, url.clone()));
    let seller: Option<(UserId, ApiKeyId, String)> = sqlx::query_as(
        "select seller_id, api_key_id, webhook_url
         from listings
         where package_id = $1
           and webhook_url is not null",
    )
    .bind(purchase.package_id)
    .fetch_optional(&mut **tx)
    .await?;
    let body = serde_json::to_vec(&news.message).expect("plain text serialises");
    for (owner, api_key, url) in buyer.into_iter().chain(seller) {
        let delivery = NewDelivery {
            owner,
            api_key,
            subject: news.subject,
            event_type: news.event_type,
            url,
            body: body.clone(),
            trace: news.trace.to_owned(),
        };
        promise_in_tx(tx, &delivery).await?;
    }
    Ok(())
}
