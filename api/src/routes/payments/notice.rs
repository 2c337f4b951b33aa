//! `POST /api/webhooks/stripe`: the card provider gives notice.
//!
//! A notice only wakes the payment's job, which asks the provider: so one that comes twice, in the
//! wrong order or with lies does no harm. Anything but 2xx makes the provider repeat it.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use chrono::Utc;
use common::cards::webhook::{SIGNATURE_HEADER, WebhookError, verify};
use common::payments::commands;
use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::places;
use crate::state::ApiState;

/// What the card provider is answered.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NoticeTaken {
    /// Always true.
    received: bool,
}

/// Takes a notice. Those about payments that are not ours are thanked for, too.
pub async fn take_card_notice(
    State(state): State<ApiState>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer<NoticeTaken>, ApiError> {
    let Some(secret) = &state.card_webhook_secret else {
        return Err(ApiError::new(
            Code::NotFound,
            "There is nothing at this path.",
        ));
    };
    // A header on several lines is one list (RFC 9110, section 5.3).
    let lines = headers.get_all(SIGNATURE_HEADER).iter();
    let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    let event = verify(secret, &lines.join(","), &body, Utc::now()).map_err(not_believed)?;
    let outbox = state.outbox.clone();
    let kind = event.kind.clone();
    let taking = async move { commands::take_notice(&outbox, &event).await };
    let is_news = places::complete("take a notice", taking).await?;
    tracing::info!(
        card.event = kind,
        card.is_news = is_news,
        "The card provider gave notice"
    );
    Ok(Answer::ok(NoticeTaken { received: true }))
}

fn not_believed(error: WebhookError) -> ApiError {
    tracing::warn!(%error, "Did not believe a notice of the card provider");
    ApiError::new(Code::InvalidInput, format!("Not believed: {error}."))
        .field(SIGNATURE_HEADER, error.to_string())
}
