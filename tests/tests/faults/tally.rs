//! Counts, after the faults: what came to its right end, what was lost, what was doubled.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::time::Duration;

use chrono::Utc;
use common::analytics::{self, Measures, Period, PeriodRange, ROLL_UP_TASK};
use common::storage::{PACKAGES_PREFIX, STAGING_PREFIX};
use common::{events, scheduled_tasks};
use futures::TryStreamExt as _;
use local::receiver::{Received, Signature};
use sha2::{Digest as _, Sha256};
use tests::sample::{Expected, REFUSAL};
use tests::stack::{TestStack, eventually};

use super::client::{Accepted, Client};

/// The figures of a run.
pub struct Tally {
    requests: String,
    counts: BTreeMap<&'static str, i64>,
}

impl Tally {
    /// Waits until every upload has ended and was announced, then counts.
    pub async fn of(test: &TestStack, client: &Client, accepted: &[Accepted]) -> Self {
        let mut wrong_ends = 0;
        for upload in accepted {
            let status = client.end_of(upload).await;
            let is_right = match upload.expected {
                Expected::Accepted => {
                    status["status"] == "completed" && status["packageId"].is_string()
                }
                Expected::Refused => status["status"] == "failed" && status["error"] == REFUSAL,
            };
            if !is_right {
                println!("wrong end of {upload:?}: {status}");
                wrong_ends += 1;
            }
        }
        eventually(|| no_job_is_left(test)).await;
        let mut counts = rows(test).await;
        counts.insert("accepted", i64::try_from(accepted.len()).unwrap());
        counts.insert("wrong end", wrong_ends);
        counts.extend(webhooks(test, accepted));
        Self {
            requests: client.statuses(),
            counts,
        }
    }

    /// The claim of the whole test.
    pub fn assert_nothing_is_lost_or_doubled(&self) {
        let count = |name| self.counts[name];
        assert_eq!(
            count("uploads"),
            count("accepted"),
            "one row for each accepted upload"
        );
        assert_eq!(count("completed") + count("failed"), count("accepted"));
        assert_eq!(
            count("packages"),
            count("completed"),
            "one package for each completed upload"
        );
        for none in [
            "wrong end",
            "packages doubled",
            "jobs quarantined",
            "webhooks missing",
            "webhooks forged",
            "webhooks of two ids",
        ] {
            assert_eq!(count(none), 0, "{none}");
        }
    }
}

impl Tally {
    /// All rows are what their events say.
    pub async fn assert_events_explain_the_rows(&self, test: &TestStack) {
        let (compared, differences) = events::verify(&test.pool, None).await.unwrap();
        assert_eq!(differences, []);
        assert!(compared > 0);
    }

    /// Rolled up while parts were killed, each upload counts once; the scheduler shows the share that succeeded.
    pub async fn assert_analytics_agree(&self, test: &TestStack) {
        let request = scheduled_tasks::request(&test.pool, ROLL_UP_TASK).await;
        let request = request.unwrap().expect("a task of that name");
        eventually(|| async {
            let tasks = scheduled_tasks::list(&test.pool).await.ok()?;
            let mut tasks = tasks.into_iter().map(|task| task.progress);
            let task = tasks.find(|task| task.name == ROLL_UP_TASK)?;
            (task.requests_served >= request).then_some(())
        })
        .await;
        let (completed, failed) = (self.counts["completed"], self.counts["failed"]);
        for period in [Period::Hour, Period::Day] {
            let range = PeriodRange::new(period, None, None, Utc::now()).unwrap();
            let periods = analytics::list_periods(&test.pool, None, &range).await;
            let market: Measures = periods.unwrap().iter().map(|it| it.measures).sum();
            assert_eq!(market.uploads_completed, completed);
            assert_eq!(market.uploads_failed, failed);
        }
        let url = format!("{}/metrics", test.stack.ops.scheduler);
        let metrics = test.http.get(url).send().await.unwrap();
        let metrics = metrics.text().await.unwrap();
        let rate = completed as f64 / (completed + failed) as f64;
        let shown = format!("\nawareness_upload_success_rate {rate}\n");
        assert!(metrics.contains(&shown), "{shown} is missing:\n{metrics}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counts
            .iter()
            .try_for_each(|(name, count)| writeln!(formatter, "{count:>6}  {name}"))?;
        writeln!(formatter, "{}", self.requests)
    }
}

async fn count(test: &TestStack, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&test.pool).await.unwrap()
}

async fn no_job_is_left(test: &TestStack) -> Option<()> {
    let left = count(
        test,
        "select count(*) from jobs where state in ('ready', 'running')",
    )
    .await;
    (left == 0).then_some(())
}

async fn rows(test: &TestStack) -> BTreeMap<&'static str, i64> {
    let questions = [
        ("uploads", "select count(*) from uploads"),
        (
            "completed",
            "select count(*) from uploads where status = 'completed'",
        ),
        (
            "failed",
            "select count(*) from uploads where status = 'failed'",
        ),
        ("packages", "select count(*) from packages"),
        (
            "packages doubled",
            "select count(*) - count(distinct package_key) from packages",
        ),
        ("jobs run", "select count(*) from jobs where state = 'done'"),
        (
            "jobs quarantined",
            "select count(*) from jobs where state = 'quarantined'",
        ),
        (
            "jobs reclaimed",
            "select count(*) from job_faults where outcome = 'crash'",
        ),
        (
            "jobs snoozed",
            "select count(*) from job_faults where outcome = 'snooze'",
        ),
        (
            "jobs retried",
            "select count(*) from job_faults where outcome in ('retry', 'timeout', 'panic')",
        ),
        (
            "webhooks promised",
            "select count(*) from webhook_deliveries",
        ),
    ];
    let mut counts = BTreeMap::new();
    for (name, sql) in questions {
        counts.insert(name, count(test, sql).await);
    }
    counts
}

/// What the receiver saw: at least one signed message for each upload, and all under one id.
fn webhooks(test: &TestStack, accepted: &[Accepted]) -> BTreeMap<&'static str, i64> {
    let received = test.stack.receiver.received();
    let mut by_upload: HashMap<&str, Vec<&Received>> = HashMap::new();
    for webhook in &received {
        by_upload
            .entry(webhook.upload_id.as_deref().unwrap_or_default())
            .or_default()
            .push(webhook);
    }
    let (mut missing, mut forged, mut of_two_ids) = (0, 0, 0);
    for upload in accepted {
        let messages = by_upload
            .remove(upload.upload_id.as_str())
            .unwrap_or_default();
        let event = match upload.expected {
            Expected::Accepted => "upload.completed",
            Expected::Refused => "upload.failed",
        };
        missing += i64::from(
            !messages
                .iter()
                .any(|message| message.event.as_deref() == Some(event)),
        );
        forged += i64::from(
            messages
                .iter()
                .any(|message| message.awareness_signature != Signature::Valid),
        );
        let ids: BTreeSet<_> = messages
            .iter()
            .map(|message| message.webhook_id.as_deref())
            .collect();
        of_two_ids += i64::from(ids.len() > 1 || ids.contains(&None));
    }
    assert!(
        by_upload.is_empty(),
        "webhooks about unknown uploads: {by_upload:?}"
    );
    let total = i64::try_from(received.len()).unwrap();
    BTreeMap::from([
        ("webhooks received", total),
        (
            "webhooks repeated",
            total - i64::try_from(accepted.len()).unwrap() + missing,
        ),
        ("webhooks missing", missing),
        ("webhooks forged", forged),
        ("webhooks of two ids", of_two_ids),
    ])
}

/// After a sweep, no staged object is left, and the published objects are those that packages name,
/// with the bytes that they promise.
pub async fn assert_the_store_is_clean(test: &TestStack) {
    let pool = &test.pool;
    scheduler::sweeps::sweep_staging(pool, &test.storage, Duration::ZERO)
        .await
        .unwrap();
    scheduler::sweeps::sweep_objects(pool, &test.storage, Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(keys(test, STAGING_PREFIX).await, BTreeSet::new());
    let named: Vec<String> = sqlx::query_scalar(
        "select package_key from packages union select w_matrix_key from packages",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert_eq!(
        keys(test, PACKAGES_PREFIX).await,
        named.iter().cloned().collect()
    );
    for key in named {
        let mut chunks = Box::pin(test.storage.get(&key).await.unwrap());
        let mut digest = Sha256::new();
        while let Some(chunk) = chunks.try_next().await.unwrap() {
            digest.update(&chunk);
        }
        assert_eq!(
            key,
            format!("{PACKAGES_PREFIX}{}", hex::encode(digest.finalize()))
        );
    }
}

async fn keys(test: &TestStack, prefix: &str) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    loop {
        let after = keys.last().cloned();
        let page = test.storage.list(prefix, after.as_deref()).await.unwrap();
        if page.is_empty() {
            return keys;
        }
        keys.extend(page.into_iter().map(|object| object.key));
    }
}

/// For the message of a run that did not end: the jobs that are left, each on a line.
pub async fn left_over(test: &TestStack) -> String {
    let jobs: Vec<String> = sqlx::query_scalar(
        "select concat_ws(' ', jobs.id, name, lane, state, 'fence', fence, 'attempts', attempts, 'snoozes', snoozes,
                          'worker', worker, 'due', run_at, 'now', now(), reason, workers.alive_until)
         from jobs
         left join workers on workers.id = jobs.worker
         where state in ('ready', 'running', 'quarantined')",
    )
    .fetch_all(&test.pool)
    .await
    .unwrap();
    let uploads: Vec<String> = sqlx::query_scalar(
        "select concat_ws(' ', id, public_id, status, stage, error_code)
         from uploads
         where status not in ('completed', 'failed')",
    )
    .fetch_all(&test.pool)
    .await
    .unwrap();
    [jobs, uploads].concat().join("\n")
}
