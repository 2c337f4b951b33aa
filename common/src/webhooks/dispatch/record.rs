//! The statement that records attempts and moves their deliveries on.
//!
//! A row counts if nobody has leased the endpoint's alarm since, or the one who has is this very
//! process: its new drain waits for what an earlier one still has to write. The number of attempts is
//! the delivery's own fence: an attempt is recorded once.

use sqlx::PgConnection;

use super::finishes::Finish;
use crate::ids::DeliveryId;

const RECORD: &str = "with done as (
    select *
    from unnest(
        $1::uuid[], $2::uuid[], $3::integer[], $4::uuid[], $5::integer[], $6::text[], $7::text[],
        $8::integer[], $9::integer[], $10::float8[], $11::text[], $12::smallint[], $13::text[],
        $14::real[], $15::real[], $16::real[], $17::real[], $18::real[], $19::text[], $20::text[], $21::text[]
    ) as done (
        delivery_id, job_id, fence, worker, attempts, trigger, state, tries, holds, next_in_seconds,
        outcome, status_code, detail, resolve_ms, connect_ms, first_byte_ms, body_ms, duration_ms, response,
        next_trigger, ended_as
    )
),
mine as (
    select delivery.id
    from done
    join jobs
      on jobs.id = done.job_id
     and (jobs.fence = done.fence or jobs.worker = done.worker)
    join webhook_deliveries as delivery
      on delivery.id = done.delivery_id
     and delivery.attempts = done.attempts
     and delivery.state in ('pending', 'held')
    order by delivery.id
    for no key update of delivery
),
moved as (
    update webhook_deliveries as delivery
    set state = case when done.state = 'pending' then delivery.state else done.state end,
        attempts = done.attempts + 1,
        tries = done.tries,
        holds = done.holds,
        next_at = now() + make_interval(secs => done.next_in_seconds),
        trigger = done.next_trigger,
        ended_as = done.ended_as,
        outcome = done.outcome,
        status_code = done.status_code,
        finished_at = case when done.state = 'pending' then null else now() end
    from done
    join mine on mine.id = done.delivery_id
    where delivery.id = mine.id
    returning delivery.id
)
insert into webhook_attempts (delivery_id, attempt, trigger, outcome, status_code, detail,
                              resolve_ms, connect_ms, first_byte_ms, body_ms, duration_ms, response)
select done.delivery_id, attempts + 1, trigger, outcome, status_code, detail,
       resolve_ms, connect_ms, first_byte_ms, body_ms, duration_ms, response
from done
join moved on moved.id = done.delivery_id
returning delivery_id";

/// Records attempts. Answers the deliveries that moved.
pub(super) async fn record_in_tx(
    conn: &mut PgConnection,
    rows: &[&Finish],
) -> Result<Vec<DeliveryId>, sqlx::Error> {
    sqlx::query_scalar(RECORD)
        .bind(column(rows, |row| row.delivery))
        .bind(column(rows, |row| row.job))
        .bind(column(rows, |row| row.fence))
        .bind(column(rows, |row| row.worker))
        .bind(column(rows, |row| row.attempts))
        .bind(column(rows, |row| row.trigger))
        .bind(column(rows, |row| row.state))
        .bind(column(rows, |row| row.tries))
        .bind(column(rows, |row| row.holds))
        .bind(column(rows, |row| row.next_in.as_secs_f64()))
        .bind(column(rows, |row| row.outcome))
        .bind(column(rows, |row| row.status_code))
        .bind(column(rows, |row| row.detail.clone()))
        .bind(column(rows, |row| row.timings_ms[0]))
        .bind(column(rows, |row| row.timings_ms[1]))
        .bind(column(rows, |row| row.timings_ms[2]))
        .bind(column(rows, |row| row.timings_ms[3]))
        .bind(column(rows, |row| row.duration_ms))
        .bind(column(rows, |row| row.response.clone()))
        .bind(column(rows, |row| row.next_trigger))
        .bind(column(rows, |row| row.ended_as))
        .fetch_all(conn)
        .await
}

fn column<T>(rows: &[&Finish], value: impl Fn(&Finish) -> T) -> Vec<T> {
    rows.iter().map(|row| value(row)).collect()
}
