//! Who reacts to the event log: each consumer runs in a loop of its own, and in one process at a time.

use std::time::Duration;

use common::events::{self, Consumer, NUMBERED};
use common::outbox::Outbox;
use common::{agent_tasks, analytics};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// All consumers.
const CONSUMERS: &[Consumer] = &[
    Consumer {
        name: "snapshots",
        types: &["*"],
        react: events::make_snapshots,
    },
    Consumer {
        name: "reputation",
        types: &["agent_task.*"],
        react: agent_tasks::reputation::note_outcomes,
    },
    Consumer {
        name: "analytics",
        types: &["upload.*", "purchase.*"],
        react: analytics::note_late_events,
    },
];

/// Events that come close together are dealt with in one transaction.
const LINGER: Duration = Duration::from_millis(200);
/// Without a hint a consumer looks by itself this often.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Starts all of them, until the token is cancelled.
pub fn start(outbox: &Outbox, stop: &CancellationToken) {
    for consumer in CONSUMERS {
        tokio::spawn(run(outbox.clone(), *consumer, stop.clone()));
    }
}

async fn run(outbox: Outbox, consumer: Consumer, stop: CancellationToken) {
    let mut hints = outbox.queue().subscribe(NUMBERED);
    stop.run_until_cancelled(async {
        loop {
            match events::consume_next(&outbox, &consumer).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, consumer = consumer.name, "Did not deal with events");
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            }
            // A lost hint delays a reaction, and loses none.
            match tokio::time::timeout(LOOK_EVERY, hints.recv()).await {
                Ok(Ok(_) | Err(RecvError::Lagged(_))) => {
                    tokio::time::sleep(LINGER).await;
                    while hints.try_recv().is_ok() {}
                }
                Ok(Err(RecvError::Closed)) => tokio::time::sleep(LOOK_EVERY).await,
                Err(_elapsed) => {}
            }
        }
    })
    .await;
}
