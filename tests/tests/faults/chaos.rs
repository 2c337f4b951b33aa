//! Hurts a stack: every kind of fault once in random order, then again, until the time is over.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use tests::random::{Random, seed_from};
use tests::stack::TestStack;
use tokio::time::Instant;

/// What can happen to a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    ApiKilled,
    WorkerKilled,
    SchedulerKilled,
    RedisEmptied,
    RedisKilled,
    PostgresRestarted,
    PostgresCrashed,
    StoreRefuses,
    StoreIsSlow,
}

impl Fault {
    const ALL: [Self; 9] = [
        Self::ApiKilled,
        Self::WorkerKilled,
        Self::SchedulerKilled,
        Self::RedisEmptied,
        Self::RedisKilled,
        Self::PostgresRestarted,
        Self::PostgresCrashed,
        Self::StoreRefuses,
        Self::StoreIsSlow,
    ];
}

/// A repeatable order of faults.
pub struct Chaos {
    seed: u64,
    random: Random,
    happened: BTreeMap<Fault, u64>,
}

impl Chaos {
    /// From `AWARENESS_FAULTS_SEED`, or from a new seed, which is printed.
    pub fn from_environment() -> Self {
        let seed = seed_from("AWARENESS_FAULTS_SEED");
        println!("AWARENESS_FAULTS_SEED={seed}");
        Self {
            seed,
            random: Random::new(seed),
            happened: BTreeMap::new(),
        }
    }

    /// Hurts the stack for that long; afterwards nothing is switched on any more.
    pub async fn rage(&mut self, test: &TestStack, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            for fault in self.random.shuffled(Fault::ALL) {
                let pause = Duration::from_millis(500 + self.random.below(4000));
                println!("{fault:?}, then {pause:?}");
                self.cause(test, fault).await;
                tokio::time::sleep(pause).await;
                test.stack.s3.faults().clear();
            }
        }
    }

    async fn cause(&mut self, test: &TestStack, fault: Fault) {
        let signal = |name, signal| async move {
            // It may be down from the fault before.
            test.until_up(name).await;
            test.signal(name, signal);
        };
        match fault {
            Fault::ApiKilled => signal("api", "KILL").await,
            Fault::WorkerKilled => signal("worker", "KILL").await,
            Fault::SchedulerKilled => signal("scheduler", "KILL").await,
            Fault::RedisKilled => signal("redis", "KILL").await,
            Fault::PostgresRestarted => signal("postgres", "INT").await,
            // The immediate shutdown: nothing is written, the next start recovers.
            Fault::PostgresCrashed => signal("postgres", "QUIT").await,
            // Redis may be down; then there is nothing to empty.
            Fault::RedisEmptied => drop(test.redis("FLUSHALL").await),
            Fault::StoreRefuses => test.stack.s3.faults().set_error_rate(1.0),
            Fault::StoreIsSlow => {
                let delay = Duration::from_millis(200 + self.random.below(1300));
                test.stack.s3.faults().set_delay(delay);
            }
        }
        *self.happened.entry(fault).or_default() += 1;
    }
}

impl fmt::Display for Chaos {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "seed {}", self.seed)?;
        self.happened
            .iter()
            .try_for_each(|(fault, count)| writeln!(formatter, "{count:>6}  {fault:?}"))
    }
}
