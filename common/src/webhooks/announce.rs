//! Events: noted in the transaction in which they happen, and promised to whoever listens.

use std::borrow::Cow;

use uuid::Uuid;

use super::catalogue::EventType;
use crate::ids::{ApiKeyId, EventId, JobId, UserId};
use crate::outbox::Tx;

/// Something that happened, as one owner hears of it.
#[derive(Debug, Clone)]
pub struct NewEvent<'a> {
    pub owner: UserId,
    /// What it is about; ordered endpoints hear of one subject in order.
    pub subject: Uuid,
    pub event_type: EventType,
    /// Tells two events of one type and subject apart; none if there is only ever one.
    pub occasion: Option<Cow<'a, str>>,
    /// The exact bytes that are signed.
    pub body: Vec<u8>,
    pub trace: Cow<'a, str>,
    /// The address that the request named, if it did.
    pub address: Option<Address<'a>>,
}

/// Where a request wants to hear of its outcome.
#[derive(Debug, Clone, Copy)]
pub struct Address<'a> {
    pub url: &'a str,
    /// The key that signs.
    pub api_key: ApiKeyId,
}

impl<'a> Address<'a> {
    /// The address, if the request named one.
    pub fn of(url: Option<&'a str>, api_key: ApiKeyId) -> Option<Self> {
        url.map(|url| Self { url, api_key })
    }
}

/// Notes the event and promises it to the endpoints of its owner and to the address of the request,
/// in the transaction of the thing that happened. Said twice, it is promised once.
pub async fn announce_in_tx(tx: &mut Tx, event: &NewEvent<'_>) -> Result<(), sqlx::Error> {
    let subject = event.subject.to_string();
    let dedupe = match &event.occasion {
        Some(occasion) => format!("{subject}:{occasion}"),
        None => subject,
    };
    let alarms: Vec<JobId> =
        sqlx::query_scalar("select announce_webhook_event($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind(EventId::new())
            .bind(event.owner)
            .bind(event.subject)
            .bind(event.event_type.as_str())
            .bind(dedupe)
            .bind(&event.body)
            .bind(&*event.trace)
            .bind(event.address.map(|address| address.url))
            .bind(event.address.map(|address| address.api_key))
            .fetch_all(&mut **tx)
            .await?;
    tx.ring(alarms);
    Ok(())
}
