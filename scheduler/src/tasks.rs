//! What a scheduler does, as data: each task with its schedule, its longest time and its function.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use common::agent_tasks;
use common::agents::PresenceBoard;
use common::analytics::ROLL_UP_TASK;
use common::config::RetentionConfig;
use common::db::PgPool;
use common::limits::{AUDIT, FOLD, ROLL_UP_INTERVAL, SWEEP};
use common::outbox::Outbox;
use common::storage::Storage;
use common::{catalog, events, webhooks};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::Mutex;

use crate::schedule::Schedule;
use crate::schedule::Schedule::{AtOnceThenEvery, Cron, Every};
use crate::sweeps::{self, DueSweep, OrphanSweep, SweepError, Swept};

/// What the tasks work with.
#[derive(Debug)]
pub struct Context {
    outbox: Outbox,
    storage: Storage,
    presence: PresenceBoard,
    grace: Duration,
    retention: RetentionConfig,
    due: Mutex<DueSweep>,
    orphans: Mutex<OrphanSweep>,
}

impl Context {
    /// Bytes that nobody names are left alone for the time of grace.
    pub fn new(
        outbox: Outbox,
        storage: Storage,
        presence: PresenceBoard,
        grace: Duration,
        retention: RetentionConfig,
    ) -> Self {
        Self {
            outbox,
            storage,
            presence,
            grace,
            retention,
            due: Mutex::default(),
            orphans: Mutex::default(),
        }
    }

    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    pub fn pool(&self) -> &PgPool {
        self.outbox.pool()
    }
}

/// A row of the table.
#[derive(Clone, Copy)]
pub struct Task {
    pub name: &'static str,
    pub schedule: Schedule,
    /// A run that takes longer is broken off and has failed.
    pub timeout: Duration,
    pub run: for<'a> fn(&'a Context) -> Run<'a>,
}

/// A run that is under way.
pub type Run<'a> = BoxFuture<'a, Result<Swept, SweepError>>;

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("name", &self.name)
            .field("schedule", &self.schedule)
            .finish_non_exhaustive()
    }
}

/// For a few statements.
const SHORT: Duration = Duration::from_secs(30);
/// For thousands of rows, or objects of the store.
const LONG: Duration = Duration::from_secs(600);

/// All tasks. They run beside each other, so their order is only that in which operators see them.
#[rustfmt::skip]
pub const TASKS: &[Task] = &[
    task("push_due_jobs", Every(SWEEP), SHORT, |c| Box::pin(async { c.due.lock().await.step(&c.outbox).await })),
    task("reclaim_jobs", Every(ms(500)), SHORT, |c| whole(async { c.orphans.lock().await.reclaim(&c.outbox).await })),
    task("tidy_queues", Every(ms(500)), SHORT, |c| whole(sweeps::tidy_queues(&c.outbox))),
    task("fold_ledger", Every(FOLD), SHORT, |c| steps(sweeps::fold_ledger(c.pool()))),
    task("fold_counters", Every(ms(500)), SHORT, |c| steps(sweeps::sweep_counters(c.pool()))),
    task("ring_webhooks", Every(secs(2)), SHORT, |c| whole(webhooks::reconcile(&c.outbox))),
    task("sweep_presence", Every(secs(2)), LONG, |c| steps(sweeps::sweep_presence(c.pool(), &c.presence))),
    task("wake_payments", Every(secs(5)), SHORT, |c| whole(sweeps::sweep_payments(&c.outbox))),
    task("release_supply", Every(secs(5)), SHORT, |c| whole(sweeps::sweep_supply(&c.outbox))),
    task("audit_ledger", AtOnceThenEvery(AUDIT), LONG, |c| whole(sweeps::audit_ledger(c.pool()))),
    task("observe_webhooks", AtOnceThenEvery(secs(60)), SHORT, |c| whole(webhooks::observe_backlog(c.pool()))),
    task("expire_purchases", Every(secs(60)), LONG, |c| steps(sweeps::sweep_purchases(&c.outbox))),
    task("sweep_retention", Every(secs(60)), LONG, |c| whole(sweeps::sweep_retention(c.pool(), c.retention))),
    task("sweep_staging", Every(secs(60)), LONG, |c| whole(sweeps::sweep_staging(c.pool(), &c.storage, c.grace))),
    task("sweep_objects", Every(secs(60)), LONG, |c| whole(sweeps::sweep_objects(c.pool(), &c.storage, c.grace))),
    task("observe_events", Every(secs(5)), SHORT, |c| whole(events::observe(c.pool()))),
    task("observe_agents", AtOnceThenEvery(secs(60)), SHORT, |c| whole(agent_tasks::observe(c.pool(), c.presence.time_to_live()))),
    task("score_agents", Every(secs(10)), SHORT, |c| steps(sweeps::score_agents(&c.outbox))),
    task("renew_cards", Every(secs(60)), SHORT, |c| steps(sweeps::renew_cards(&c.outbox))),
    task(ROLL_UP_TASK, AtOnceThenEvery(ROLL_UP_INTERVAL), LONG, |c| steps(sweeps::roll_up_analytics(c.pool(), c.retention))),
    task("sweep_words", Cron("17 * * * *"), LONG, |c| whole(catalog::sweep_words(c.pool()))),
];

const fn task(
    name: &'static str,
    schedule: Schedule,
    timeout: Duration,
    run: for<'a> fn(&'a Context) -> Run<'a>,
) -> Task {
    Task {
        name,
        schedule,
        timeout,
        run,
    }
}

/// A run that does all of its work.
fn whole<'a, T, E: Into<SweepError>>(
    sweep: impl Future<Output = Result<T, E>> + Send + 'a,
) -> Run<'a> {
    sweep
        .map(|swept| swept.map(|_| Swept::All).map_err(Into::into))
        .boxed()
}

/// A run that does a step of its work.
fn steps<'a, E: Into<SweepError>>(
    sweep: impl Future<Output = Result<Swept, E>> + Send + 'a,
) -> Run<'a> {
    sweep.map(|swept| swept.map_err(Into::into)).boxed()
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use chrono::{TimeDelta, Utc};

    use super::*;

    #[test]
    fn each_task_has_a_name_of_its_own_and_a_schedule_that_can_be_read() {
        let names: HashSet<&str> = TASKS.iter().map(|task| task.name).collect();
        assert_eq!(names.len(), TASKS.len());
        let now = Utc::now();
        for task in TASKS {
            let next = task.schedule.next(now);
            assert!(next > now && next < now + TimeDelta::days(2), "{task:?}");
        }
    }
}
