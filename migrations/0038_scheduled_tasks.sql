-- Periodic work: what the scheduler that leads says of each task, so that the next leader goes on where it ended and
-- operators see all of it, and how often an operator asked for a run beside the schedule.
create table scheduled_tasks (
    name text primary key,
    schedule text not null,
    timeout_seconds double precision not null check (timeout_seconds > 0),
    -- In the order in which they are shown.
    place integer not null,
    started_at timestamptz,
    -- Null while a run is under way.
    finished_at timestamptz,
    succeeded_at timestamptz,
    duration_seconds double precision check (duration_seconds >= 0),
    error text,
    failures_in_a_row integer not null default 0 check (failures_in_a_row >= 0),
    next_run_at timestamptz not null,
    requests bigint not null default 0,
    -- The requests that came before the last run that ended.
    requests_served bigint not null default 0 check (requests_served <= requests)
);
grant select, delete on scheduled_tasks to awareness_app;
grant insert (name, schedule, timeout_seconds, next_run_at, place) on scheduled_tasks to awareness_app;
grant update (schedule, timeout_seconds, place, started_at, finished_at, succeeded_at, duration_seconds, error,
              failures_in_a_row, next_run_at, requests, requests_served)
    on scheduled_tasks to awareness_app;
