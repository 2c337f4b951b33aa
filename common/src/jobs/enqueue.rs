//! Writes a job into the transaction that makes it necessary.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use super::JobName;
use crate::ids::{JobId, UserId};
use crate::limits::TENANT_FAST_JOBS_MAX;
use crate::queue::{Lane, Wake};

/// Work to be done once the transaction commits.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub name: JobName,
    /// The row that the job is about.
    pub subject: Uuid,
    /// Whose work it is: a tenant with much of it waiting takes the bulk lane.
    pub tenant: Option<UserId>,
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

/// Writes the job. It exists if and only if the caller's transaction commits.
pub async fn enqueue_in_tx(conn: &mut PgConnection, job: &NewJob) -> Result<Enqueued, sqlx::Error> {
    let id = JobId::new();
    let queue = job.name.spec().queue.name;
    let lane: String = sqlx::query_scalar(
        "insert into jobs (id, name, queue, lane, tenant, subject, trace, run_at)
         select $1, $2, $3,
                case when (
                    select count(*)
                    from (
                        select 1
                        from jobs
                        where queue = $3
                          and tenant = $4
                          and state in ('ready', 'running')
                        limit $8
                    ) as waiting
                ) >= $8 then 'bulk' else 'fast' end,
                $4, $5, $6, now() + make_interval(secs => $7)
         returning lane",
    )
    .bind(id)
    .bind(job.name.as_str())
    .bind(queue)
    .bind(job.tenant)
    .bind(job.subject)
    .bind(&job.trace)
    .bind(job.delay.as_secs_f64())
    .bind(TENANT_FAST_JOBS_MAX)
    .fetch_one(conn)
    .await?;
    Ok(Enqueued {
        queue,
        lane: lane_of(&lane),
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
