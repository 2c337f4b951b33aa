//! Alarms: jobs that stand for a thing with work of its own, and stay as long as the thing does.
//!
//! ```text
//! idle ──ring──▶ ready ──lease──▶ running ──rest──▶ idle, or ready again at a time
//! ```
//!
//! Whoever commits new work for the thing rings its alarm afterwards. No ring is lost to a run that
//! is just ending: ringing a running alarm is noted in its row, and a rest that finds the note makes
//! the alarm ready instead of idle. A ring that is lost with its process is made up for by the sweep
//! of the domain that owns the work.

use std::time::Duration;

use sqlx::PgPool;

use super::enqueue::lane_of;
use super::lease::held;
use super::{Lease, LeaseLost};
use crate::ids::JobId;
use crate::queue::{Lane, Wake};

/// An alarm that a ring made due.
#[derive(Debug, Clone)]
pub struct RungAlarm {
    pub queue: String,
    pub lane: Lane,
    pub wake: Wake,
}

#[derive(sqlx::FromRow)]
struct RungRow {
    id: JobId,
    queue: String,
    lane: String,
    fence: i32,
    trace: String,
}

#[derive(sqlx::FromRow)]
struct RestedRow {
    #[sqlx(flatten)]
    alarm: RungRow,
    is_due: bool,
}

impl From<RungRow> for RungAlarm {
    fn from(row: RungRow) -> Self {
        Self {
            queue: row.queue,
            lane: lane_of(&row.lane),
            wake: Wake {
                job: row.id.0,
                fence: row.fence,
                trace: Some(row.trace),
            },
        }
    }
}

/// Rings alarms: idle ones and ready ones of later become due (not before they have rested), running
/// ones will look again. Answers those to be woken now.
pub async fn ring(pool: &PgPool, alarms: &[JobId]) -> Result<Vec<RungAlarm>, sqlx::Error> {
    let rows: Vec<RungRow> = sqlx::query_as(
        "with heard as (
             select id
             from jobs
             where id = any($1)
               and (state = 'idle'
                    or (state = 'running' and not rung)
                    or (state = 'ready' and run_at > greatest(now(), coalesce(rests_until, now()))))
             order by id
             for no key update
         ),
         rung as (
             update jobs
             set state = case state when 'idle' then 'ready' else state end,
                 rung = (state = 'running'),
                 run_at = case state when 'running' then run_at
                          else greatest(now(), coalesce(rests_until, now())) end
             from heard
             where jobs.id = heard.id
             returning jobs.id, queue, lane, fence, trace, jobs.state, run_at
         )
         select id, queue, lane, fence, trace
         from rung
         where state = 'ready'
           and run_at <= now()",
    )
    .bind(alarms)
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(RungAlarm::from).collect())
}

/// How an alarm goes to rest.
#[derive(Debug, Clone, Copy)]
pub struct Rest {
    /// When its next work is due; none is known if it is empty.
    pub due_in: Option<Duration>,
    /// No ring wakes it before this is over.
    pub undisturbed: Duration,
    /// Where it waits from now on.
    pub lane: Lane,
}

/// Ends the run of an alarm before it has done anything: it is due again after that, in its lane, and no
/// ring wakes it before.
pub async fn postpone(
    pool: &PgPool,
    lease: &Lease,
    pause: Duration,
) -> Result<Result<(), LeaseLost>, sqlx::Error> {
    let postponed = sqlx::query(
        "update jobs
         set state = 'ready',
             run_at = now() + make_interval(secs => $4),
             rests_until = now() + make_interval(secs => $4),
             rung = false,
             worker = null
         where id = $1
           and fence = $2
           and worker = $3
           and state = 'running'",
    )
    .bind(lease.job)
    .bind(lease.fence)
    .bind(lease.worker)
    .bind(pause.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(held(&postponed))
}

/// Ends the run of an alarm: until its next work is due, or until somebody rings. Answers the alarm if
/// it is due at once.
pub async fn rest(
    pool: &PgPool,
    lease: &Lease,
    rest: Rest,
) -> Result<Result<Option<RungAlarm>, LeaseLost>, sqlx::Error> {
    let rested: Option<RestedRow> = sqlx::query_as(
        "update jobs
         set state = case when rung or $4::float8 is not null then 'ready' else 'idle' end,
             rests_until = now() + make_interval(secs => $5),
             run_at = case when rung then now() + make_interval(secs => $5)
                      else now() + make_interval(secs => greatest($4, $5)) end,
             rung = false,
             lane = $6,
             worker = null,
             attempts = 0,
             snoozes = 0,
             crashes = 0,
             reason = null
         where id = $1
           and fence = $2
           and worker = $3
           and state = 'running'
         returning id, queue, lane, fence, trace, state = 'ready' and run_at <= now() as is_due",
    )
    .bind(lease.job)
    .bind(lease.fence)
    .bind(lease.worker)
    .bind(rest.due_in.map(|due| due.as_secs_f64()))
    .bind(rest.undisturbed.as_secs_f64())
    .bind(rest.lane.as_str())
    .fetch_optional(pool)
    .await?;
    Ok(rested
        .map(|row| row.is_due.then(|| row.alarm.into()))
        .ok_or(LeaseLost))
}
