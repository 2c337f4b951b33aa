-- The pipeline. A job row is the outbox row and the state of record of one unit of work: written in
-- the transaction that made the work necessary, and never in Redis alone. Redis carries wake-up
-- calls (job id and fence); losing them all delays work and loses none.
--
--   ready ──lease──▶ running ──▶ done
--     ▲                │ ├─────▶ cancelled     (a reason that the client sees)
--     └── retry, snooze┘ └─────▶ quarantined   (kept failing; an operator retries or drops it)
--
-- `fence` counts leases. Every write of a handler is conditional on (fence, worker), so a worker
-- that lost its lease can finish nothing.
create table jobs (
    id          uuid        primary key,
    name        text        not null,
    queue       text        not null,
    lane        text        not null,
    tenant      uuid,
    subject     uuid        not null,
    trace       text        not null,
    state       text        not null default 'ready',
    fence       integer     not null default 0,
    attempts    integer     not null default 0,
    snoozes     integer     not null default 0,
    crashes     integer     not null default 0,
    worker      uuid,
    reason      text,
    cancel_requested boolean not null default false,
    run_at      timestamptz not null default now(),
    created_at  timestamptz not null default now(),
    started_at  timestamptz,
    finished_at timestamptz,
    constraint jobs_state_known check (state in ('ready', 'running', 'done', 'cancelled', 'quarantined')),
    constraint jobs_lane_known check (lane in ('fast', 'bulk')),
    constraint jobs_running_has_worker check ((state = 'running') = (worker is not null)),
    constraint jobs_finished_has_time check (
        (state in ('done', 'cancelled', 'quarantined')) = (finished_at is not null)
    )
) with (fillfactor = 80);
-- What the scheduler's sweep pushes, oldest first.
create index jobs_due on jobs (run_at, id) where state = 'ready';
-- What a dead worker held.
create index jobs_running on jobs (worker) where state = 'running';
-- How much a tenant has waiting in a queue: beyond its share, work takes the bulk lane.
create index jobs_tenant on jobs (queue, tenant) where state in ('ready', 'running');
create index jobs_subject on jobs (subject);
-- Retention and the operators' lists of what ended.
create index jobs_finished on jobs (state, finished_at) where finished_at is not null;

-- Each failed attempt of a job, for its history. A success leaves no row.
create table job_faults (
    id      bigint      generated always as identity primary key,
    job_id  uuid        not null references jobs on delete cascade,
    fence   integer     not null,
    outcome text        not null,
    reason  text        not null,
    worker  uuid,
    at      timestamptz not null default now(),
    constraint job_faults_outcome_known check (
        outcome in ('retry', 'snooze', 'cancel', 'panic', 'timeout', 'crash', 'quarantine', 'operator')
    )
);
create index job_faults_job_id on job_faults (job_id, id);

-- Live worker processes. A lease holds as long as its worker's `alive_until` lies ahead.
create table workers (
    id          uuid        primary key,
    name        text        not null,
    queues      text[]      not null,
    started_at  timestamptz not null default now(),
    alive_until timestamptz not null
);
create index workers_alive_until on workers (alive_until);

-- An operator's hand on a queue. No row means running.
create table queue_controls (
    queue      text        primary key,
    paused     boolean     not null,
    reason     text        not null,
    changed_at timestamptz not null default now()
);

-- Payloads found in Redis that do not decode, kept alone with their bytes and the reason.
create table quarantined_payloads (
    id      bigint      generated always as identity primary key,
    queue   text        not null,
    task_id text        not null,
    bytes   bytea       not null,
    reason  text        not null,
    seen_at timestamptz not null default now(),
    constraint quarantined_payloads_once unique (queue, task_id)
);
