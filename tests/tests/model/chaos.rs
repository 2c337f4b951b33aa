//! Meanwhile: processes are killed, servers restarted and emptied, jobs and wake-up calls doubled.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use common::queue::{Lane, Wake};
use serde_json::json;
use tests::random::Random;
use uuid::Uuid;

use super::ground::Ground;

/// What can happen to the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    ApiKilled,
    WorkerKilled,
    SchedulerKilled,
    PostgresCrashed,
    RedisEmptied,
    RedisKilled,
    SettlingPaused,
    JobsRunAgain,
    JobsDoubled,
    WakesDoubled,
}

impl Fault {
    const ALL: [Self; 10] = [
        Self::ApiKilled,
        Self::WorkerKilled,
        Self::SchedulerKilled,
        Self::PostgresCrashed,
        Self::RedisEmptied,
        Self::RedisKilled,
        Self::SettlingPaused,
        Self::JobsRunAgain,
        Self::JobsDoubled,
        Self::WakesDoubled,
    ];
}

/// The queue of settlements.
const QUEUE: &str = "settle";

/// A pause takes hold within a second; then purchases pile up.
const SETTLING_PAUSE: Duration = Duration::from_millis(2500);

/// Settled purchases whose job is made to run again, as after a restore.
const RUN_AGAIN: &str = "update jobs
    set state = 'ready', worker = null, finished_at = null, run_at = now()
    where id in (
        select id
        from jobs
        where name = 'settle_purchase'
          and state = 'done'
        order by md5(id::text || now()::text)
        limit 40
    )";

/// A second job for the latest purchases, and the first for none else.
const DOUBLE: &str = "insert into jobs (id, name, queue, lane, tenant, subject, trace)
    select gen_random_uuid(), name, queue, lane, tenant, subject, trace
    from jobs
    where name = 'settle_purchase'
    order by state = 'done', created_at desc
    limit 40";

/// Faults in a random order, and how often each happened.
#[derive(Debug)]
pub struct Chaos {
    random: Random,
    happened: BTreeMap<Fault, u64>,
}

impl Chaos {
    /// The faults of that seed.
    pub fn new(seed: u64) -> Self {
        Self {
            random: Random::stream(seed, u64::MAX),
            happened: BTreeMap::new(),
        }
    }

    /// Every fault once in random order, then again, without end.
    pub async fn rage(&mut self, ground: &Ground) {
        loop {
            for fault in self.random.shuffled(Fault::ALL) {
                let pause = Duration::from_millis(200 + self.random.below(1500));
                println!("{fault:?}, then {pause:?}");
                cause(ground, fault).await;
                *self.happened.entry(fault).or_default() += 1;
                tokio::time::sleep(pause).await;
            }
        }
    }
}

impl fmt::Display for Chaos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.happened
            .iter()
            .try_for_each(|(fault, count)| writeln!(f, "{count:>7}  {fault:?}"))
    }
}

async fn cause(ground: &Ground, fault: Fault) {
    let test = &ground.test;
    let signal = |name, signal| async move {
        // It may be down from the fault before.
        test.until_up(name).await;
        test.signal(name, signal);
    };
    // A part may be away when rows, keys or calls are to be touched; then they are not.
    match fault {
        Fault::ApiKilled => signal("api", "KILL").await,
        Fault::WorkerKilled => signal("worker", "KILL").await,
        Fault::SchedulerKilled => signal("scheduler", "KILL").await,
        Fault::RedisKilled => signal("redis", "KILL").await,
        // The immediate shutdown: nothing is written, the next start recovers.
        Fault::PostgresCrashed => signal("postgres", "QUIT").await,
        Fault::RedisEmptied => drop(test.redis("FLUSHALL").await),
        Fault::SettlingPaused => {
            let body = json!({ "reason": "the model" });
            let path = format!("/admin/queues/{QUEUE}/pause");
            ground.send(ground.operator(&path, &body)).await;
            tokio::time::sleep(SETTLING_PAUSE).await;
            resume(ground).await;
        }
        Fault::JobsRunAgain => drop(sqlx::query(RUN_AGAIN).execute(&test.pool).await),
        Fault::JobsDoubled => drop(sqlx::query(DOUBLE).execute(&test.pool).await),
        Fault::WakesDoubled => drop(double_wakes(ground).await),
    }
}

/// Lets settlements go on, however often it must be said.
pub async fn resume(ground: &Ground) {
    loop {
        let path = format!("/admin/queues/{QUEUE}/resume");
        let reply = ground.send(ground.operator(&path, &json!({}))).await;
        if reply.status == Some(200) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Wake-up calls for jobs of every state, twice each, and once more as of another lease.
async fn double_wakes(ground: &Ground) -> Option<()> {
    let jobs: Vec<(Uuid, i32)> = sqlx::query_as(
        "select id, fence
         from jobs
         where name = 'settle_purchase'
         order by state = 'done', created_at desc
         limit 100",
    )
    .fetch_all(&ground.test.pool)
    .await
    .ok()?;
    let queue = ground.outbox.queue();
    for ahead in [0, 0, 1] {
        let wakes: Vec<Wake> = jobs
            .iter()
            .map(|(job, fence)| Wake {
                job: *job,
                fence: fence + ahead,
                trace: None,
            })
            .collect();
        queue.push(QUEUE, Lane::Fast, &wakes).await.ok()?;
    }
    Some(())
}
