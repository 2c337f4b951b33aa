//! Acquires a lease, after a wait in line if need be.
//!
//! Each look is one statement; between two looks a waiter holds nothing but its ticket. It looks when it is notified,
//! when the lease before is about to expire and it is next, and each second in case a notification was lost. If nobody
//! waits for the outcome any more, it leaves the line, and gives back what it was granted meanwhile.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use super::release;
use crate::db;
use crate::ids::UserId;
use crate::leases::{Busy, LEASES, Lease, LeaseError, LeaseToken, Resource};
use crate::limits::{LEASE_LOOK_INTERVAL, LEASE_WAITER_KEPT, LEASE_WAITERS_MAX, LEASES_MAX};
use crate::outbox::Outbox;
use crate::telemetry::metrics;

/// A lease to be.
#[derive(Debug)]
pub struct NewLease {
    pub owner: UserId,
    pub resource: Resource,
    /// The account's own name for who is to hold it.
    pub holder: Option<String>,
    pub ttl: Duration,
    /// How long to wait for it; not at all if zero.
    pub wait: Duration,
}

/// A lease that was granted, and what proves it.
#[derive(Debug)]
pub struct Granted {
    pub lease: Lease,
    pub token: LeaseToken,
}

/// Acquires it. Dropped before it returns, it leaves nothing behind.
pub async fn acquire(outbox: &Outbox, new: NewLease) -> Result<Granted, LeaseError> {
    let (answer, answered) = oneshot::channel();
    let task = tokio::spawn(Acquisition::new(outbox, new).run(answer));
    match answered.await {
        Ok(outcome) => outcome,
        Err(_broke_off) => {
            db::to_its_end(task).await;
            std::future::pending().await
        }
    }
}

/// One request for a lease, from its first look to its end.
struct Acquisition {
    outbox: Outbox,
    new: NewLease,
    token: LeaseToken,
    began: Instant,
    notifications: Receiver<String>,
    /// The place in line.
    ticket: Option<i64>,
}

/// What a look found.
#[derive(Debug, sqlx::FromRow)]
struct Look {
    is_granted: bool,
    granted_fence: i64,
    current_holder: Option<String>,
    began_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    remaining_ms: i64,
    waiter_ticket: Option<i64>,
    waiters_before: i64,
}

impl Acquisition {
    fn new(outbox: &Outbox, new: NewLease) -> Self {
        Self {
            outbox: outbox.clone(),
            new,
            token: LeaseToken::generate(),
            began: Instant::now(),
            notifications: outbox.queue().subscribe(LEASES),
            ticket: None,
        }
    }

    async fn run(mut self, mut answer: oneshot::Sender<Result<Granted, LeaseError>>) {
        let outcome = self.wait_in_line(&mut answer).await;
        self.count(&outcome, answer.is_closed());
        if let Err(error) = &outcome {
            self.leave(matches!(error, LeaseError::Database(_))).await;
        }
        if let Err(Ok(_unwanted)) = answer.send(outcome) {
            self.leave(true).await;
        }
    }

    /// Looks until the lease is granted, the time is over, or nobody waits for the outcome.
    async fn wait_in_line(
        &mut self,
        answer: &mut oneshot::Sender<Result<Granted, LeaseError>>,
    ) -> Result<Granted, LeaseError> {
        let deadline = self.began + self.new.wait;
        loop {
            // Never dropped halfway: what it is granted would be nobody's.
            let busy = match self.look().await {
                Err(LeaseError::Busy(busy)) => busy,
                outcome => return outcome,
            };
            if Instant::now() >= deadline {
                return Err(LeaseError::Busy(busy));
            }
            let next_look = deadline.min(self.next_look(&busy));
            tokio::select! {
                () = answer.closed() => return Err(LeaseError::Busy(busy)),
                () = notified(&mut self.notifications, self.ticket) => {}
                () = sleep_until(next_look) => {}
            }
        }
    }

    /// When to look if there is no notification.
    fn next_look(&self, busy: &Busy) -> Instant {
        let remaining = Duration::from_millis(busy.remaining_ms.unsigned_abs());
        let pause = match busy.waiters_before {
            0 => remaining.min(LEASE_LOOK_INTERVAL),
            _ => LEASE_LOOK_INTERVAL,
        };
        Instant::now() + pause
    }

    async fn look(&mut self) -> Result<Granted, LeaseError> {
        let waits_for = (!self.new.wait.is_zero()).then_some(LEASE_WAITER_KEPT);
        let looked = sqlx::query_as(
            "select *
             from acquire_lease($1, $2, $3, $4, make_interval(secs => $5), make_interval(secs => $6), $7, $8, $9)",
        )
        .bind(self.new.owner)
        .bind(&self.new.resource)
        .bind(&self.new.holder)
        .bind(self.token.digest())
        .bind(self.new.ttl.as_secs_f64())
        .bind(waits_for.map(|wait| wait.as_secs_f64()))
        .bind(self.ticket)
        .bind(LEASES_MAX)
        .bind(LEASE_WAITERS_MAX)
        .fetch_one(self.outbox.pool())
        .await;
        let look: Look = match looked {
            Ok(look) => look,
            Err(error) => return Err(refused(error)),
        };
        self.ticket = look.waiter_ticket;
        if look.is_granted {
            return Ok(self.granted(look));
        }
        Err(LeaseError::Busy(Busy {
            holder: look.current_holder,
            remaining_ms: look.remaining_ms,
            waiters_before: look.waiters_before,
        }))
    }

    fn granted(&self, look: Look) -> Granted {
        Granted {
            lease: Lease {
                resource: self.new.resource.clone(),
                holder: look.current_holder,
                fence: look.granted_fence,
                acquired_at: look.began_at,
                expires_at: look.ends_at,
                remaining_ms: look.remaining_ms,
                waiters: 0,
            },
            token: self.token.clone(),
        }
    }

    /// Leaves the line, and gives the lease back if it may have been granted. What fails here is made up for by time.
    async fn leave(&self, may_be_granted: bool) {
        if let Some(ticket) = self.ticket {
            let left = sqlx::query("delete from lease_waiters where ticket = $1")
                .bind(ticket)
                .execute(self.outbox.pool())
                .await;
            if let Err(error) = left {
                tracing::warn!(%error, "A waiter for a lease stays in line until it counts as dead");
            }
        }
        if may_be_granted {
            let (owner, resource) = (self.new.owner, &self.new.resource);
            let released = release(&self.outbox, owner, resource, &self.token).await;
            if let Err(LeaseError::Database(error)) = released {
                tracing::warn!(%error, "A lease that nobody took stays held until it expires");
            }
        }
    }

    fn count(&self, outcome: &Result<Granted, LeaseError>, is_abandoned: bool) {
        let word = match outcome {
            _ if is_abandoned => "abandoned",
            Ok(_) if self.ticket.is_none() => "granted_at_once",
            Ok(_) => "granted_after_wait",
            Err(LeaseError::Database(_)) => "failed",
            Err(_) => "refused",
        };
        metrics().leases.requests.with_label_values(&[word]).inc();
        if word == "granted_after_wait" {
            let seconds = self.began.elapsed().as_secs_f64();
            metrics().leases.wait_seconds.observe(seconds);
        }
    }
}

/// Returns when whoever holds that ticket is next, or may be.
async fn notified(notifications: &mut Receiver<String>, ticket: Option<i64>) {
    let own = ticket.map(|ticket| ticket.to_string());
    loop {
        match notifications.recv().await {
            Ok(next) if !next.is_empty() && Some(&next) != own.as_ref() => {}
            Ok(_) | Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}

fn refused(error: sqlx::Error) -> LeaseError {
    // A write under the lease before is on its way to its commit.
    if db::is_lock_timeout(&error) {
        return LeaseError::Busy(Busy::unknown());
    }
    match db::constraint_of(&error) {
        Some("leases_count") => LeaseError::TooMany,
        Some("lease_waiters_count") => LeaseError::TooManyWaiters,
        _ => LeaseError::Database(error),
    }
}
