//! Gives events their positions in the log, as soon as they are committed: a loop of the scheduler that leads.

use common::events::{self, APPENDED, NUMBERED};
use common::limits::EVENTS_NUMBERED_EVERY;
use common::outbox::Outbox;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Runs until it is stopped; a round that is under way then is broken off, and was not.
pub async fn run(outbox: Outbox, stop: CancellationToken) {
    let mut hints = outbox.queue().subscribe(APPENDED);
    stop.run_until_cancelled(async {
        loop {
            match events::number_next(outbox.pool()).await {
                Ok(round) => {
                    if round.numbered > 0 {
                        outbox.announce(NUMBERED, "");
                    }
                    if round.is_full() {
                        continue;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "Events could not be numbered");
                    tokio::time::sleep(EVENTS_NUMBERED_EVERY).await;
                }
            }
            // What was announced until now is in the next round; a lost hint delays it by a second.
            match tokio::time::timeout(EVENTS_NUMBERED_EVERY, hints.recv()).await {
                Ok(Ok(_) | Err(RecvError::Lagged(_))) => while hints.try_recv().is_ok() {},
                Ok(Err(RecvError::Closed)) => tokio::time::sleep(EVENTS_NUMBERED_EVERY).await,
                Err(_elapsed) => {}
            }
        }
    })
    .await;
}
