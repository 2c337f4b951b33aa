//! Sends to an endpoint again, and what was held for it as its owner says.

use chrono::{DateTime, Utc};

use super::news::{News, tell_in_tx};
use super::write::lock_in_tx;
use crate::ids::{EndpointId, RecoveryId, UserId};
use crate::outbox::Outbox;
use crate::webhooks::WebhookError;
use crate::webhooks::catalogue::EventType;
use crate::webhooks::endpoints::EndpointState;
use crate::webhooks::recoveries::{Mode, NewRecovery, start_in_tx};

/// What becomes of the deliveries that were held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// All are sent, by a recovery.
    Replay,
    /// Those of this time and later are sent, the others dropped.
    Since(DateTime<Utc>),
    Drop,
}

/// Enables a disabled endpoint with a clean slate. Answers the recovery that sends what was held.
pub async fn enable(
    outbox: &Outbox,
    id: EndpointId,
    owner: UserId,
    held: Held,
    trace: &str,
) -> Result<Option<RecoveryId>, WebhookError> {
    let mut tx = outbox.begin().await?;
    let endpoint = lock_in_tx(&mut tx, id, owner).await?;
    if endpoint.state == EndpointState::Enabled {
        return Err(WebhookError::Enabled);
    }
    sqlx::query(
        "update webhook_endpoints
         set state = 'enabled', disabled_reason = null, disabled_at = null, version = version + 1, changed_at = now()
         where id = $1",
    )
    .bind(id)
    .execute(&mut *tx)
    .await?;
    sqlx::query("delete from webhook_health where endpoint_id = $1")
        .bind(id)
        .execute(&mut *tx)
        .await?;
    sqlx::query("update jobs set rests_until = null where id = $1")
        .bind(endpoint.job_id)
        .execute(&mut *tx)
        .await?;
    let since = match held {
        Held::Replay => Some(DateTime::UNIX_EPOCH),
        Held::Since(since) => Some(since),
        Held::Drop => None,
    };
    sqlx::query(
        "update webhook_deliveries
         set state = 'discarded', finished_at = now()
         where endpoint_id = $1
           and state = 'held'
           and ($2::timestamptz is null or created_at < $2)",
    )
    .bind(id)
    .bind(since)
    .execute(&mut *tx)
    .await?;
    let recovery = match since {
        Some(since) => {
            let new = NewRecovery {
                endpoint: id,
                owner,
                mode: Mode::Held,
                since,
                until: Utc::now(),
                trace,
            };
            Some(start_in_tx(&mut tx, &new).await?)
        }
        None => None,
    };
    let news = News {
        event_type: EventType::EndpointEnabled,
        reason: None,
        by: None,
        since: None,
        hours: None,
    };
    tell_in_tx(&mut tx, id, &news).await?;
    tx.commit().await?;
    Ok(recovery)
}
