//! Dispatch: sending what was promised.
//!
//! ```text
//! alarm leased ─▶ open (rules, health) ─▶ claim ─▶ permit ─▶ sign ─▶ POST ─▶ verdict ─▶ finish
//!                                           ▲                                             │
//!                                           └──────────── more is due ◀───────────────────┘
//!                                                    nothing is due ─▶ alarm rests
//! ```
//!
//! Tenants share a process by the time that their receivers take: a place is held for as long as a drain
//! or a request lasts, and nobody may hold more places than stay free (`share`). An alarm for which there
//! is no place is put off (`drains`), a send waits (`permits`).
//!
//! Guarantees: one sender per endpoint at a time, by the lease of its alarm; each attempt that was
//! answered is written down, through outages of PostgreSQL too; a fault of ours costs no try. What is
//! sent twice is what a killed process had under way or not yet written, at most [`SENDS_MAX`] requests
//! and [`FINISH_PACE`] of answers, under the same message id (`tests/tests/webhooks.rs`).
//!
//! [`SENDS_MAX`]: crate::limits::SENDS_MAX
//! [`FINISH_PACE`]: crate::limits::FINISH_PACE

mod changes;
mod claims;
mod drain;
mod drains;
mod finishes;
mod open;
mod permits;
mod record;
mod send;
mod share;
mod turns;

use std::time::Duration;

use thiserror::Error;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::claims::Claims;
use self::drain::Drain;
use self::drains::{Drains, Postponed};
use self::finishes::Finishes;
use self::permits::Permits;
use self::turns::Turns;
use crate::identity::{IdentityError, Sealer};
use crate::ids::{EndpointId, UserId};
use crate::jobs::{self, Lease, Rest};
use crate::outbox::Outbox;
use crate::queue::Lane;
use crate::signatures::Signer;
use crate::webhooks::client::Client;

/// Delivers for one worker process.
#[derive(Debug, Clone)]
pub struct Deliverer {
    outbox: Outbox,
    client: Client,
    sealer: Sealer,
    signer: Signer,
    public_base_url: String,
    claims: Claims,
    finishes: Finishes,
    permits: Permits,
    drains: Drains,
    turns: Turns,
    stopping: CancellationToken,
}

/// Why a drain ended early. What it had sent is recorded.
#[derive(Debug, Error)]
pub enum DrainError {
    /// Somebody else has the alarm.
    #[error("the endpoint has another sender")]
    Superseded,
    /// An attempt could not be written; sending on would repeat it for ever.
    #[error("an attempt could not be recorded")]
    Unrecorded,
    /// The endpoint's key or secrets do not open.
    #[error("the endpoint cannot be opened")]
    Unopened(#[source] IdentityError),
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl From<IdentityError> for DrainError {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Database(error) => Self::Database(error),
            error => Self::Unopened(error),
        }
    }
}

impl Deliverer {
    /// Starts the tasks that claim and record for the whole process.
    pub fn start(
        outbox: Outbox,
        client: Client,
        sealer: Sealer,
        signer: Signer,
        public_base_url: String,
    ) -> Self {
        Self {
            claims: Claims::start(outbox.pool().clone()),
            finishes: Finishes::start(outbox.clone()),
            permits: Permits::default(),
            drains: Drains::default(),
            turns: Turns::default(),
            stopping: CancellationToken::new(),
            outbox,
            client,
            sealer,
            signer,
            public_base_url,
        }
    }

    /// Lets every drain end what it has under way and rest.
    pub fn stop(&self) {
        self.stopping.cancel();
    }

    /// Sends what is due for the endpoint of a leased alarm, and lets the alarm rest. An alarm beyond its
    /// tenant's share is put off at once, so that it holds no slot while it waits.
    pub async fn drain(&self, lease: &Lease) -> Result<(), DrainError> {
        let tenant = lease.tenant.unwrap_or(UserId(lease.subject));
        let _place = match self.drains.try_take(tenant, Instant::now()) {
            Ok(place) => place,
            Err(Postponed(pause)) => {
                let postponed = jobs::postpone(self.outbox.pool(), lease, pause).await?;
                return postponed.map_err(|_lost| DrainError::Superseded);
            }
        };
        let id = EndpointId(lease.subject);
        let turn = self.turns.take(id).await;
        self.finishes.settled(id).await;
        let pool = self.outbox.pool();
        match open::open(pool, &self.sealer, id).await? {
            Some((rules, health)) => Drain::new(self, lease, turn, rules, health).run().await,
            None => {
                let forever = Rest {
                    due_in: None,
                    undisturbed: Duration::ZERO,
                    lane: Lane::Fast,
                };
                let rested = jobs::rest(pool, lease, forever).await?;
                rested.map_err(|_lost| DrainError::Superseded)?;
                Ok(())
            }
        }
    }
}
