//! Blocks a user and lets one in again.
//!
//! Locks in order: the user (advisory), the user's row, sessions, deliveries.

use serde::Serialize;

use crate::accounts::commands::revoke_others_in_tx;
use crate::audit::{self, ActId, Details};
use crate::catalog::CATALOGUE;
use crate::events;
use crate::identity::REVOKED;
use crate::ids::{JobId, UserId};
use crate::moderation::ModerationError;
use crate::outbox::{Outbox, Tx};

/// An operator's decision: in which act, why, and under which request.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'a> {
    pub act: ActId,
    pub reason: &'a str,
    pub trace: &'a str,
}

#[derive(Serialize)]
struct Because<'a> {
    reason: &'a str,
}

/// Blocks a user: no key and no session opens anything, nothing of theirs is sold or bought, no payout is paid,
/// no webhook is sent. Blocked again, only the reason is another.
pub async fn block(
    outbox: &Outbox,
    user: UserId,
    decision: &Decision<'_>,
) -> Result<(), ModerationError> {
    let mut tx = outbox.begin().await?;
    set_blocked_in_tx(&mut tx, user, decision, true).await?;
    revoke_others_in_tx(&mut *tx, user, None, "blocked").await?;
    tx.announce(REVOKED, user.to_string());
    tx.commit().await?;
    Ok(())
}

/// Lets a user in again: everything is as it was, but for sessions, which are begun anew. Webhooks that waited
/// are sent, with all their tries.
pub async fn unblock(
    outbox: &Outbox,
    user: UserId,
    decision: &Decision<'_>,
) -> Result<(), ModerationError> {
    let mut tx = outbox.begin().await?;
    set_blocked_in_tx(&mut tx, user, decision, false).await?;
    let alarms: Vec<JobId> = sqlx::query_scalar(
        "with released as (
             update webhook_deliveries
             set next_at = now(), accepted_at = now()
             where owner_id = $1
               and state = 'pending'
               and next_at <= now()
             returning endpoint_id
         )
         select job_id
         from webhook_endpoints
         where id in (select endpoint_id from released)",
    )
    .bind(user)
    .fetch_all(&mut *tx)
    .await?;
    tx.ring(alarms);
    tx.commit().await?;
    Ok(())
}

async fn set_blocked_in_tx(
    tx: &mut Tx,
    user: UserId,
    decision: &Decision<'_>,
    is_blocked: bool,
) -> Result<(), ModerationError> {
    let is_found: bool = sqlx::query_scalar("select set_user_blocked($1, $2, $3)")
        .bind(decision.act)
        .bind(user)
        .bind(is_blocked.then_some(decision.reason))
        .fetch_one(&mut **tx)
        .await?;
    if !is_found {
        return Err(ModerationError::NotFound("user"));
    }
    let details = Details {
        reason: Some(decision.reason),
        recipient: Some(user),
        ..Details::default()
    };
    audit::describe(&mut **tx, decision.act, &details).await?;
    let kind = if is_blocked {
        "user.blocked"
    } else {
        "user.unblocked"
    };
    let because = Because {
        reason: decision.reason,
    };
    let data = serde_json::to_value(because).expect("plain text serialises");
    events::append_in_tx(tx, user.0, kind, decision.trace, data).await?;
    tx.outdate(CATALOGUE);
    Ok(())
}
