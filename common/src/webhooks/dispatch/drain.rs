//! A drain: everything that is due for one endpoint, sent under its rules, by the holder of its alarm.
//!
//! It keeps a few deliveries in hand, sends as many at once as the endpoint's health allows, hands
//! each answer to `verdict`, and stays for a moment after the last one, because more often follows.
//! When it ends, the alarm rests until the next delivery is due or the endpoint may be tried again.
//! A drain that is killed has written down every attempt but those of the last instant; these are
//! sent again, under the same message id.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use futures::FutureExt as _;
use futures::future::{BoxFuture, OptionFuture};
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::{Instant, sleep};

use super::claims::{Claimed, Due, Want};
use super::finishes::{FinishError, Finished};
use super::open::{self, Rules};
use super::send::{Sent, send};
use super::turns::Turn;
use super::{Deliverer, DrainError, changes};
use crate::ids::DeliveryId;
use crate::jobs::{self, Lease, Rest};
use crate::limits::{CLAIM_ROWS_MAX, DRAIN_PAUSE_MAX, DRAIN_RUN};
use crate::queue::Lane;
use crate::webhooks::endpoints::EndpointState;
use crate::webhooks::health::{Health, Permission};
use crate::webhooks::verdict;

/// One run of an alarm.
pub(super) struct Drain<'a> {
    deliverer: &'a Deliverer,
    lease: &'a Lease,
    turn: Turn,
    rules: Arc<Rules>,
    health: Health,
    /// Claimed, not yet sent.
    waiting: VecDeque<Due>,
    sends: FuturesUnordered<BoxFuture<'a, Sent>>,
    records: FuturesUnordered<BoxFuture<'a, (DeliveryId, Finished)>>,
    recording: Vec<DeliveryId>,
    sending: Vec<DeliveryId>,
    /// No new sends: the rules changed, the time is over or the endpoint wants a rest.
    is_closing: bool,
}

impl<'a> Drain<'a> {
    pub fn new(
        deliverer: &'a Deliverer,
        lease: &'a Lease,
        turn: Turn,
        rules: Rules,
        health: Health,
    ) -> Self {
        Self {
            deliverer,
            lease,
            turn,
            rules: Arc::new(rules),
            health,
            waiting: VecDeque::new(),
            sends: FuturesUnordered::new(),
            records: FuturesUnordered::new(),
            recording: Vec::new(),
            sending: Vec::new(),
            is_closing: false,
        }
    }

    /// Sends what is due, then lets the alarm rest.
    pub async fn run(mut self) -> Result<(), DrainError> {
        let pool = self.deliverer.outbox.pool();
        if self.rules.state == EndpointState::Disabled {
            open::hold_pending(pool, self.rules.id).await?;
            self.is_closing = true;
        }
        let sent = self.send_all().await;
        let due_in = open::remember(pool, self.rules.id, &self.health).await?;
        sent?;
        self.rest(due_in).await
    }

    async fn send_all(&mut self) -> Result<(), DrainError> {
        let until = Instant::now() + DRAIN_RUN;
        let mut claim: OptionFuture<BoxFuture<'a, Result<Claimed, sqlx::Error>>> = None.into();
        let mut is_claiming = false;
        let mut fault = None;
        loop {
            self.is_closing |= Instant::now() >= until;
            let pause = self.start_sends();
            self.is_closing |= pause.is_some_and(|pause| pause > DRAIN_PAUSE_MAX);
            let is_busy = !self.sends.is_empty() || !self.records.is_empty();
            if self.is_closing && !is_busy {
                return fault.map_or(Ok(()), Err);
            }
            if !self.is_closing && !is_claiming {
                claim = Some(self.claim()).into();
                is_claiming = true;
            }
            tokio::select! {
                Some(sent) = self.sends.next(), if !self.sends.is_empty() => {
                    if let Err(error) = self.take_answer(sent).await {
                        self.is_closing = true;
                        fault = Some(error);
                    }
                }
                Some((id, finished)) = self.records.next(), if !self.records.is_empty() => {
                    self.recording.retain(|other| *other != id);
                    // A delivery that moved on without its attempt, or a lease that was lost: the rest
                    // will tell.
                    self.is_closing |= finished.is_err();
                    if finished == Err(FinishError::Refused) {
                        fault = Some(DrainError::Unrecorded);
                    }
                }
                Some(claimed) = &mut claim, if is_claiming && !self.is_closing => {
                    is_claiming = false;
                    match claimed {
                        Ok(claimed) => self.take_claimed(claimed),
                        Err(error) => {
                            self.is_closing = true;
                            fault = Some(error.into());
                        }
                    }
                }
                () = sleep(pause.unwrap_or_default()), if pause.is_some() && !self.is_closing => {}
                () = tokio::time::sleep_until(until), if !self.is_closing => {}
                () = self.deliverer.stopping.cancelled(), if !self.is_closing => {
                    self.is_closing = true;
                }
                () = self.turn.is_over(), if !self.is_closing => self.is_closing = true,
            }
        }
    }

    /// Starts what the endpoint's health allows. How long to wait if it allows nothing more by now.
    fn start_sends(&mut self) -> Option<Duration> {
        while !self.is_closing && !self.waiting.is_empty() {
            let (now, in_flight) = (Utc::now(), self.sends.len());
            let limits = self.rules.limits;
            match self.health.may_send(now, in_flight, &limits) {
                Permission::Send => {}
                Permission::WaitForAnswer => return None,
                Permission::Wait(pause) => return Some(pause),
            }
            let due = self.waiting.pop_front()?;
            self.sending.push(due.id);
            let is_slow = self.lane() == Lane::Bulk;
            let send = send(self.deliverer, Arc::clone(&self.rules), due, is_slow);
            self.sends.push(send.boxed());
        }
        None
    }

    fn lane(&self) -> Lane {
        match self.health.is_slow() {
            true => Lane::Bulk,
            false => Lane::Fast,
        }
    }

    /// Asks for more, and within [`CLAIM_LINGER`] whether the rules still hold, even without room.
    ///
    /// [`CLAIM_LINGER`]: crate::limits::CLAIM_LINGER
    fn claim(&self) -> BoxFuture<'a, Result<Claimed, sqlx::Error>> {
        let under_way = self.sending.iter().chain(&self.recording).copied();
        let waiting = self.waiting.iter().map(|due| due.id);
        let want = Want {
            endpoint: self.rules.id,
            room: CLAIM_ROWS_MAX - self.waiting.len().min(CLAIM_ROWS_MAX),
            except: under_way.chain(waiting).collect(),
        };
        let claims = self.deliverer.claims.clone();
        async move { claims.claim(want).await }.boxed()
    }

    fn take_claimed(&mut self, claimed: Claimed) {
        if claimed.version != Some(self.rules.version) {
            self.is_closing = true;
            return;
        }
        self.waiting.extend(claimed.due);
        let is_over = self.waiting.is_empty() && self.sends.is_empty() && self.records.is_empty();
        self.is_closing |= is_over;
    }

    /// Judges an answer and hands it on to be recorded.
    async fn take_answer(&mut self, sent: Sent) -> Result<(), DrainError> {
        let Sent { due, attempt } = sent;
        self.sending.retain(|id| *id != due.id);
        self.recording.push(due.id);
        let now = Utc::now();
        let seen = verdict::seen(&attempt);
        let changed = self.health.observe(now, seen);
        let finish = changes::finish(self.lease, &self.rules, &due, &attempt, now);
        changes::report(&self.rules, &due, &attempt, &finish, self.lease);
        let id = due.id;
        let finishes = self.deliverer.finishes.clone();
        self.records
            .push(async move { (id, finishes.finish(finish).await) }.boxed());
        for change in changed {
            let closes = changes::tell(&self.deliverer.outbox, &self.rules, &change).await?;
            self.is_closing |= closes;
        }
        Ok(())
    }

    /// Lets the alarm sleep until the next delivery is due and the endpoint may be tried.
    async fn rest(self, due_in: Option<Duration>) -> Result<(), DrainError> {
        let now = Utc::now();
        let rests_until = self.health.rest_until(now);
        let undisturbed = rests_until
            .and_then(|until| (until - now).to_std().ok())
            .unwrap_or_default();
        let rest = Rest {
            due_in,
            undisturbed,
            lane: self.lane(),
        };
        let outbox = &self.deliverer.outbox;
        let rested = jobs::rest(outbox.pool(), self.lease, rest).await?;
        if let Some(alarm) = rested.map_err(|_lost| DrainError::Superseded)? {
            outbox.wake_alarm(alarm);
        }
        Ok(())
    }
}
