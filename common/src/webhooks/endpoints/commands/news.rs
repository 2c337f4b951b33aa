//! News about an endpoint for its owner, who hears them at the other endpoints, and at this one too
//! once it works again.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::disable::DisabledBy;
use crate::ids::{EndpointId, UserId};
use crate::outbox::{Outbox, Tx};
use crate::webhooks::announce::{NewEvent, announce_in_tx};
use crate::webhooks::catalogue::EventType;

/// What is new.
pub(super) struct News<'a> {
    pub event_type: EventType,
    pub reason: Option<&'a str>,
    pub by: Option<DisabledBy>,
    /// Since when it has been failing.
    pub since: Option<DateTime<Utc>>,
    pub hours: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EndpointNews<'a> {
    event: &'static str,
    endpoint_id: EndpointId,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<DisabledBy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hours: Option<u32>,
}

/// Announces news about an endpoint. The same news of the same version of it are said once.
pub(super) async fn tell_in_tx(
    tx: &mut Tx,
    id: EndpointId,
    news: &News<'_>,
) -> Result<(), sqlx::Error> {
    let (owner, url, version): (UserId, String, i64) =
        sqlx::query_as("select owner_id, url, version from webhook_endpoints where id = $1")
            .bind(id)
            .fetch_one(&mut **tx)
            .await?;
    let since = news
        .since
        .map(|since| since.to_rfc3339_opts(SecondsFormat::Millis, true));
    let occasion = match &since {
        Some(since) => format!("{since}:{}", news.hours.unwrap_or_default()),
        None => version.to_string(),
    };
    let message = EndpointNews {
        event: news.event_type.as_str(),
        endpoint_id: id,
        url: &url,
        reason: news.reason,
        by: news.by,
        failing_since: since,
        hours: news.hours,
    };
    let event = NewEvent {
        owner,
        subject: id.0,
        event_type: news.event_type,
        occasion: Some(occasion.into()),
        body: serde_json::to_vec(&message).expect("plain text serialises"),
        trace: "webhooks".into(),
        address: None,
    };
    announce_in_tx(tx, &event).await
}

/// Warns that an endpoint has failed without a break for so many hours.
pub async fn tell_failing(
    outbox: &Outbox,
    id: EndpointId,
    since: DateTime<Utc>,
    hours: u32,
) -> Result<(), sqlx::Error> {
    let news = News {
        event_type: EventType::EndpointFailing,
        reason: None,
        by: None,
        since: Some(since),
        hours: Some(hours),
    };
    tell(outbox, id, &news).await
}

/// Says that an endpoint of which a warning was given works again.
pub async fn tell_recovered(
    outbox: &Outbox,
    id: EndpointId,
    since: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let news = News {
        event_type: EventType::EndpointRecovered,
        reason: None,
        by: None,
        since: Some(since),
        hours: None,
    };
    tell(outbox, id, &news).await
}

async fn tell(outbox: &Outbox, id: EndpointId, news: &News<'_>) -> Result<(), sqlx::Error> {
    let mut tx = outbox.begin().await?;
    tell_in_tx(&mut tx, id, news).await?;
    tx.commit().await
}
