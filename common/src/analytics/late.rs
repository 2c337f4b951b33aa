//! Events that come after their hour was counted for good.

use chrono::{DateTime, Utc};
use futures::FutureExt as _;

use crate::events::{LoggedEvent, Reaction};
use crate::limits::ROLL_UP_RECENT;
use crate::outbox::Tx;

/// Makes the hours of events due again that were counted before and are no longer recounted by themselves.
pub fn note_late_events<'a>(tx: &'a mut Tx, events: &'a [LoggedEvent]) -> Reaction<'a> {
    async move {
        let times: Vec<DateTime<Utc>> = events.iter().map(|event| event.at).collect();
        sqlx::query(
            "update roll_ups
             set counted_at = null
             where account_id = '00000000-0000-0000-0000-000000000000'
               and period = 'hour'
               and starts_at in (select date_trunc('hour', at, 'UTC') from unnest($1::timestamptz[]) as at)
               and starts_at <= now() - make_interval(secs => $2)
               and counted_at is not null",
        )
        .bind(times)
        .bind(ROLL_UP_RECENT.as_secs_f64())
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
    .boxed()
}
