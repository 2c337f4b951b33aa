//! The ledger's own loops: the balances of hot accounts are brought up to date twice a second, and
//! the books are audited once a minute.

use std::time::Instant;

use common::db::{Error, PgPool};
use common::ledger::{self, audit};
use common::limits::{AUDIT, FOLD, FOLD_DELTAS_MAX, HEARTBEAT};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::process::pause;

/// Folds while this process leads.
pub async fn keep_folding(pool: PgPool, led: watch::Receiver<bool>, stop: CancellationToken) {
    while pause(&stop, FOLD).await {
        if !*led.borrow() {
            continue;
        }
        if let Err(error) = fold_all(&pool, &stop).await {
            tracing::warn!(%error, "Could not fold the ledger");
        }
    }
}

/// One round: until less than a full step is left.
async fn fold_all(pool: &PgPool, stop: &CancellationToken) -> Result<(), Error> {
    while !stop.is_cancelled() {
        let folded = ledger::fold(pool, FOLD_DELTAS_MAX).await?;
        if folded < i64::from(FOLD_DELTAS_MAX) {
            break;
        }
    }
    Ok(())
}

/// Audits while this process leads, first as soon as it does.
pub async fn keep_auditing(pool: PgPool, led: watch::Receiver<bool>, stop: CancellationToken) {
    let mut due = Instant::now();
    while pause(&stop, HEARTBEAT).await {
        if !*led.borrow() {
            audit::retract();
            due = Instant::now();
            continue;
        }
        if Instant::now() < due {
            continue;
        }
        due = Instant::now() + AUDIT;
        let audited = tokio::select! {
            audited = audit::audit(&pool) => audited,
            () = stop.cancelled() => break,
        };
        match audited {
            Ok(audit) => audit::report(&audit),
            Err(error) => tracing::warn!(%error, "Could not audit the ledger"),
        }
    }
}
