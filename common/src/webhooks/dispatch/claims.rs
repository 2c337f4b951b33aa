//! Claiming: which deliveries of which endpoints are due, asked for all drains of a process at once.
//!
//! Nothing is written. The drain that asks holds its endpoint's alarm, so nobody else sends what it
//! is given; what it has under way it excludes by name. A drain without work waits here: the first
//! question is answered at once, the following ones at most every [`CLAIM_PACE`], with whatever has
//! come in.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::db;
use crate::ids::{DeliveryId, EndpointId, EventId};
use crate::limits::{CLAIM_LINGER, CLAIM_PACE, CLAIM_STATEMENT_ROWS_MAX};
use crate::telemetry::metrics;
use crate::webhooks::state::{DeliveryState, Trigger};

/// A delivery to be sent now.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Due {
    pub id: DeliveryId,
    pub event_id: EventId,
    pub event_type: String,
    pub subject: Uuid,
    pub sequence: i64,
    pub trigger: Trigger,
    pub ended_as: Option<DeliveryState>,
    pub attempts: i32,
    pub tries: i32,
    pub holds: i32,
    pub next_at: DateTime<Utc>,
    pub accepted_at: DateTime<Utc>,
    pub occurred_at: DateTime<Utc>,
    pub trace: String,
    pub is_test: bool,
    /// None once it was expunged.
    pub body: Option<Vec<u8>>,
}

/// What an endpoint has to send.
#[derive(Debug, Default)]
pub(super) struct Claimed {
    pub due: Vec<Due>,
    /// The version of the endpoint's rules as this was read; none if it is gone.
    pub version: Option<i64>,
}

/// What a drain wants.
#[derive(Debug)]
pub(super) struct Want {
    pub endpoint: EndpointId,
    pub room: usize,
    /// What it has under way.
    pub except: Vec<DeliveryId>,
}

#[derive(Debug)]
struct Request {
    want: Want,
    until: Instant,
    answer: oneshot::Sender<Result<Claimed, sqlx::Error>>,
}

/// Claims for all drains of one process.
#[derive(Debug, Clone)]
pub(super) struct Claims {
    requests: mpsc::UnboundedSender<Request>,
}

impl Claims {
    /// Starts the asking task; it ends when the last clone is dropped.
    pub fn start(pool: PgPool) -> Self {
        let (requests, inbox) = mpsc::unbounded_channel();
        tokio::spawn(claim_in_rounds(pool, inbox));
        Self { requests }
    }

    /// Waits until something is due or, for [`CLAIM_LINGER`], nothing is.
    pub async fn claim(&self, want: Want) -> Result<Claimed, sqlx::Error> {
        let (answer, answered) = oneshot::channel();
        let until = Instant::now() + CLAIM_LINGER;
        let request = Request {
            want,
            until,
            answer,
        };
        let sent = self.requests.send(request);
        sent.expect("the asking task lives as long as its handles");
        answered.await.expect("the asking task answers everybody")
    }
}

async fn claim_in_rounds(pool: PgPool, mut inbox: mpsc::UnboundedReceiver<Request>) {
    let mut waiting: Vec<Request> = Vec::new();
    let mut next_round = Instant::now();
    loop {
        if waiting.is_empty() {
            match inbox.recv().await {
                Some(request) => waiting.push(request),
                None => return,
            }
        }
        sleep_until(next_round).await;
        while let Ok(request) = inbox.try_recv() {
            waiting.push(request);
        }
        waiting.retain(|request| !request.answer.is_closed());
        let began = Instant::now();
        waiting = ask(&pool, waiting).await;
        metrics()
            .webhook_claim_seconds
            .observe(began.elapsed().as_secs_f64());
        next_round = began + pace(began.elapsed());
    }
}

/// From the start of one statement to that of the next: five times as long as it took, so that a slow one
/// loads PostgreSQL for a fifth of the time. An outage that caught it is no reason to wait: then
/// everything is due.
fn pace(took: Duration) -> Duration {
    (took * 5).clamp(CLAIM_PACE, CLAIM_LINGER)
}

/// Asks for all, answers those for whom something is due or whose time is over, returns the others.
async fn ask(pool: &PgPool, requests: Vec<Request>) -> Vec<Request> {
    if requests.is_empty() {
        return requests;
    }
    match query(pool, &requests).await {
        Ok(mut found) => {
            let mut waiting = Vec::new();
            for request in requests {
                let claimed = found.remove(&request.want.endpoint).unwrap_or_default();
                if claimed.due.is_empty()
                    && claimed.version.is_some()
                    && Instant::now() < request.until
                {
                    waiting.push(request);
                } else {
                    // A drain that is gone has sent nothing of it.
                    let _ = request.answer.send(Ok(claimed));
                }
            }
            waiting
        }
        Err(error) => {
            for request in requests {
                let _ = request.answer.send(Err(db::copy_of(&error)));
            }
            Vec::new()
        }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    endpoint_id: EndpointId,
    version: i64,
    #[sqlx(flatten)]
    due: MaybeDue,
}

/// A [`Due`] behind a left join.
struct MaybeDue(Option<Due>);

impl<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> for MaybeDue {
    fn from_row(row: &'r sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
        use sqlx::Row as _;
        let id: Option<Uuid> = row.try_get("id")?;
        id.map(|_| Due::from_row(row)).transpose().map(Self)
    }
}

async fn query(
    pool: &PgPool,
    requests: &[Request],
) -> Result<HashMap<EndpointId, Claimed>, sqlx::Error> {
    let endpoints: Vec<EndpointId> = requests.iter().map(|it| it.want.endpoint).collect();
    let share = (CLAIM_STATEMENT_ROWS_MAX / requests.len()).max(1);
    let rooms: Vec<i64> = requests
        .iter()
        .map(|it| i64::try_from(it.want.room.min(share)).unwrap_or(i64::MAX))
        .collect();
    let except: Vec<DeliveryId> = requests
        .iter()
        .flat_map(|it| it.want.except.iter().copied())
        .collect();
    let rows: Vec<Row> = sqlx::query_as(
        "select endpoint.id as endpoint_id, endpoint.version, due.*, event.occurred_at, event.trace,
                coalesce(event.dedupe like 'test:%', false) as is_test, stored.body
         from unnest($1::uuid[], $2::bigint[]) as wanted (id, room)
         join webhook_endpoints as endpoint
           on endpoint.id = wanted.id and endpoint.deleted_at is null
         left join lateral (
             select id, event_id, event_type, subject, sequence, trigger, ended_as, attempts, tries, holds,
                    next_at, accepted_at
             from webhook_deliveries
             where endpoint_id = endpoint.id
               and state = 'pending'
               and next_at <= now()
               and id <> all($3)
               and not webhook_waits_its_turn(endpoint_id, ordered, subject, sequence)
               and not exists (select from queue_controls where queue = 'webhook' and paused)
               and not exists (select from users where users.id = endpoint.owner_id and blocked_at is not null)
             order by next_at, id
             limit wanted.room
         ) as due on true
         left join webhook_events as event
           on event.id = due.event_id
         left join webhook_bodies as stored
           on stored.event_id = event.id and stored.day = event.body_day
         order by due.next_at, due.id",
    )
    .bind(endpoints)
    .bind(rooms)
    .bind(except)
    .fetch_all(pool)
    .await?;
    let mut found: HashMap<EndpointId, Claimed> = HashMap::new();
    for row in rows {
        let claimed = found.entry(row.endpoint_id).or_default();
        claimed.version = Some(row.version);
        claimed.due.extend(row.due.0);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_does_not_slow_what_comes_after_it() {
        let ms = Duration::from_millis;
        assert_eq!(pace(ms(1)), CLAIM_PACE);
        assert_eq!(pace(ms(40)), ms(200));
        assert_eq!(pace(ms(600_000)), CLAIM_LINGER);
    }
}
