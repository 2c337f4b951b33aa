//! Writes a job into the transaction that makes it necessary.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Cost, JobName};
use crate::ids::{JobId, UserId};
use crate::limits::{JOB_COST_MIN, TENANT_FAST_COST_MAX};
use crate::queue::{Lane, Wake};

/// Work to be done once the transaction commits.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub name: JobName,
    /// The row that the job is about.
    pub subject: Uuid,
    /// Whose work it is: a tenant with much of it outstanding takes the bulk lane.
    pub tenant: Option<UserId>,
    /// What its run takes of a worker.
    pub cost: Cost,
    /// The request id that runs through logs, jobs and webhooks.
    pub trace: String,
    /// Not before this much later.
    pub delay: Duration,
}

/// The wake-up call to push after the commit.
#[derive(Debug, Clone)]
#[must_use = "the wake-up call is pushed after the commit"]
pub struct Enqueued {
    pub queue: &'static str,
    pub lane: Lane,
    pub wake: Wake,
    /// False for a job of the future, which the sweep pushes.
    pub is_due: bool,
}

/// Jobs of a tenant that are counted: as many of the cheapest are more than its fast share.
const COUNTED_MAX: i64 = (TENANT_FAST_COST_MAX.as_millis() / JOB_COST_MIN.as_millis()) as i64 + 1;

/// The lane by what the tenant has outstanding.
const ENQUEUE: &str =
    "insert into jobs (id, name, queue, lane, tenant, subject, trace, run_at, cost_ms)
    select $1, $2, $3,
           case when $9 or $10 + (
               select coalesce(sum(counted.cost_ms), 0)
               from (
                   select cost_ms
                   from jobs
                   where queue = $3
                     and tenant = $4
                     and state in ('ready', 'running')
                   limit $8
               ) as counted
           ) > $11 then 'bulk' else 'fast' end,
           $4, $5, $6, now() + make_interval(secs => $7), $10
    returning lane";

/// The turn of a job in the bulk lane: after what is foremost there, and after what its tenant has there
/// already, by the cost of this job.
const TAKE_TURN: &str = "update jobs
    set turn = make_interval(secs => jobs.cost_ms / 1000.0) + greatest(
        coalesce(
            (
                select min(turn)
                from jobs as other
                where other.queue = jobs.queue
                  and lane = 'bulk'
                  and state = 'ready'
                  and run_at <= now()
                  and other.id <> jobs.id
            ),
            (
                select min(turn)
                from jobs as other
                where other.queue = jobs.queue
                  and lane = 'bulk'
                  and state = 'running'
            ),
            now()
        ),
        (
            select max(turn)
            from jobs as other
            where other.queue = jobs.queue
              and lane = 'bulk'
              and other.tenant = jobs.tenant
              and state in ('ready', 'running')
              and other.id <> jobs.id
        )
    )
    where id = $1";

/// Writes the job. It exists if and only if the caller's transaction commits.
pub async fn enqueue_in_tx(conn: &mut PgConnection, job: &NewJob) -> Result<Enqueued, sqlx::Error> {
    let id = JobId::new();
    let queue = job.name.spec().queue.name;
    let lane: String = sqlx::query_scalar(ENQUEUE)
        .bind(id)
        .bind(job.name.as_str())
        .bind(queue)
        .bind(job.tenant)
        .bind(job.subject)
        .bind(&job.trace)
        .bind(job.delay.as_secs_f64())
        .bind(COUNTED_MAX)
        .bind(!job.cost.is_light())
        .bind(job.cost.as_ms())
        .bind(TENANT_FAST_COST_MAX.as_millis() as i64)
        .fetch_one(&mut *conn)
        .await?;
    let lane = lane_of(&lane);
    if lane == Lane::Bulk {
        sqlx::query(TAKE_TURN).bind(id).execute(conn).await?;
    }
    Ok(Enqueued {
        queue,
        lane,
        wake: Wake {
            job: id.0,
            fence: 0,
            trace: Some(job.trace.clone()),
        },
        is_due: job.delay.is_zero(),
    })
}

/// The lane of a row.
pub(super) fn lane_of(text: &str) -> Lane {
    if text == "bulk" {
        Lane::Bulk
    } else {
        Lane::Fast
    }
}
