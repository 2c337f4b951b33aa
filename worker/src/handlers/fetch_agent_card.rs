//! Fetches the A2A card of an agent, and writes down whether it is sound.
//!
//! A host that does not answer is asked again; when the attempts are used up, that is what is found.

use common::agents::card::{self, CardFetch, CardFound};
use common::ids::CardFetchId;
use common::jobs::{JobName, Lease};
use common::limits::{AGENT_CARD_BYTES_MAX, CARD_FETCH_TIMEOUT};
use common::webhooks::Missed;
use common::webhooks::failure::ErrorClass;

use super::finish_alone;
use crate::{Context, JobError};

/// Runs the job.
pub async fn run(context: &Context, lease: &Lease) -> Result<(), JobError> {
    let fetch = card::find_fetch(context.pool(), CardFetchId(lease.subject)).await?;
    let Some(fetch) = fetch else {
        return finish_alone(&context.outbox, lease).await;
    };
    let got = context
        .egress
        .get(&fetch.card_url, AGENT_CARD_BYTES_MAX, CARD_FETCH_TIMEOUT)
        .await;
    let found = match got {
        Ok(bytes) => read(context, &fetch, bytes),
        Err(missed) => Err(judge(missed, lease)?),
    };
    tracing::info!(agent.id = %fetch.agent_id, fault = found.as_ref().err(), "Checked the card of an agent");
    card::record(&context.outbox, lease, found).await??;
    Ok(())
}

fn read(context: &Context, fetch: &CardFetch, bytes: Vec<u8>) -> Result<CardFound, String> {
    let document = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let card = card::check(
        &document,
        fetch.endpoint_url.as_deref(),
        context.egress.policy(),
    )?;
    Ok(CardFound {
        document,
        skills: card.skills,
    })
}

/// What a card that was not got means: a fault of the card, or another run.
fn judge(missed: Missed, lease: &Lease) -> Result<String, JobError> {
    if missed.class == ErrorClass::Internal {
        return Err(JobError::Snooze {
            reason: missed.detail,
        });
    }
    let fault = match missed.status {
        Some(status) => format!("{} (status {status})", missed.detail),
        None => missed.detail,
    };
    let may_pass = match missed.class {
        ErrorClass::Status => missed
            .status
            .is_some_and(|status| status == 429 || status >= 500),
        ErrorClass::Redirect | ErrorClass::BlockedAddress | ErrorClass::ResponseTooLarge => false,
        _ => true,
    };
    let is_last = lease.attempts + 1 >= JobName::FetchAgentCard.spec().attempts_max;
    if may_pass && !is_last {
        Err(JobError::retry(fault))
    } else {
        Ok(fault)
    }
}
