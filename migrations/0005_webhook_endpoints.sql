-- Webhooks, second part: endpoints with their own rules, events that are kept, and one chain of
-- attempts per event and endpoint. It replaces the deliveries of 0004, whose rows it takes over.
--
--   event ──one row each──▶ delivery (event × endpoint) ──▶ attempt, attempt, ...
--
-- Each endpoint has one alarm: a job that stays for ever. Whoever holds its lease is the only one in
-- the world that sends to the endpoint, so its rate, its concurrency and its order are exact.
--
--   idle ──ring──▶ ready ──lease──▶ running ──rest──▶ idle, or ready again at a time

-- `rung`: somebody rang while the job ran, so it must look again before it is idle.
-- `rests_until`: ringing does not wake the job before this.
alter table jobs
    add column rung boolean not null default false,
    add column rests_until timestamptz,
    drop constraint jobs_state_known,
    add constraint jobs_state_known check (
        state in ('idle', 'ready', 'running', 'done', 'cancelled', 'quarantined')
    );

-- Identifiers that sort by time, made here (the programs make their own).
create function uuid_v7() returns uuid language sql volatile as $$
    select encode(
        set_bit(set_bit(
            overlay(
                uuid_send(gen_random_uuid())
                placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
                from 1 for 6
            ), 52, 1), 53, 1),
        'hex')::uuid
$$;

-- A receiver: registered by its owner, or made silently for the address that a request named.
create table webhook_endpoints (
    id              uuid        primary key,
    owner_id        uuid        not null references users,
    source          text        not null,
    url             text        not null,
    description     text        not null default '',
    api_key_id      uuid        not null references api_keys,
    event_types     text[]      not null default '{*}',
    payload         text        not null,
    ordering        text        not null default 'none',
    plan            text        not null default 'standard',
    plan_seconds    integer[],
    stop_on_client_error boolean not null default false,
    rate_per_second integer     not null default 50,
    concurrency     smallint    not null default 16,
    timeout_seconds smallint    not null default 20,
    header_names    text[]      not null default '{}',
    sealed_headers  bytea,
    state           text        not null default 'enabled',
    disabled_reason text,
    disabled_at     timestamptz,
    version         bigint      not null default 1,
    job_id          uuid        not null default uuid_v7(),
    created_at      timestamptz not null default now(),
    changed_at      timestamptz not null default now(),
    deleted_at      timestamptz,
    constraint webhook_endpoints_job_id_key unique (job_id),
    constraint webhook_endpoints_source_known check (source in ('registered', 'request')),
    constraint webhook_endpoints_payload_known check (payload in ('plain', 'full', 'thin')),
    constraint webhook_endpoints_ordering_known check (ordering in ('none', 'subject')),
    constraint webhook_endpoints_plan_known check (plan in ('standard', 'fast', 'custom')),
    constraint webhook_endpoints_plan_whole check ((plan = 'custom') = (plan_seconds is not null)),
    constraint webhook_endpoints_state_known check (state in ('enabled', 'disabled')),
    constraint webhook_endpoints_disabled_has_reason check (
        (state = 'disabled') = (disabled_reason is not null and disabled_at is not null)
    ),
    constraint webhook_endpoints_rate_range check (rate_per_second between 1 and 1000),
    constraint webhook_endpoints_concurrency_range check (concurrency between 1 and 64),
    constraint webhook_endpoints_timeout_range check (timeout_seconds between 5 and 30)
);
create index webhook_endpoints_owner_id on webhook_endpoints (owner_id, id) where deleted_at is null;
create index webhook_endpoints_api_key_id on webhook_endpoints (api_key_id);
create unique index webhook_endpoints_once_per_request on webhook_endpoints (owner_id, url, api_key_id)
    where source = 'request' and deleted_at is null;

create function add_webhook_alarm() returns trigger language plpgsql as $$
begin
    insert into jobs (id, name, queue, lane, tenant, subject, trace, state)
    values (new.job_id, 'deliver_webhook', 'webhook', 'fast', new.owner_id, new.id, 'alarm', 'idle');
    return null;
end
$$;
create trigger webhook_endpoints_have_an_alarm after insert on webhook_endpoints
    for each row execute function add_webhook_alarm();

-- What keys the standard signature; the newest signs first, older ones until they expire. Sealed
-- under the master key, bound to the row's id.
create table webhook_secrets (
    id          uuid        primary key,
    endpoint_id uuid        not null references webhook_endpoints,
    sealed      bytea       not null,
    created_at  timestamptz not null default now(),
    expires_at  timestamptz
);
create index webhook_secrets_endpoint_id on webhook_secrets (endpoint_id, created_at);

-- What the worker remembers of an endpoint between two drains; `memory` is read by the worker alone.
create table webhook_health (
    endpoint_id   uuid        primary key references webhook_endpoints,
    failing_since timestamptz,
    memory        jsonb       not null,
    updated_at    timestamptz not null default now()
) with (fillfactor = 50);

-- What happened, for one owner. `dedupe` makes a repetition of the same news the same event.
create table webhook_events (
    id          uuid        primary key,
    owner_id    uuid        not null references users,
    subject     uuid        not null,
    event_type  text        not null,
    dedupe      text        not null,
    sequence    bigint      generated always as identity,
    occurred_at timestamptz not null default clock_timestamp(),
    body_day    date        not null default (now() at time zone 'utc')::date,
    trace       text        not null,
    expunged_at timestamptz,
    constraint webhook_events_sequence_key unique (sequence),
    constraint webhook_events_once unique (owner_id, event_type, dedupe)
);
create index webhook_events_owner_id on webhook_events (owner_id, sequence);
create index webhook_events_occurred_at on webhook_events (occurred_at);

-- The exact bytes that are signed, by day, so that forgetting them is dropping a table.
create table webhook_bodies (
    event_id uuid  not null,
    day      date  not null,
    body     bytea not null,
    primary key (event_id, day)
) partition by range (day);
create table webhook_bodies_default partition of webhook_bodies default;

-- One chain of attempts. `attempts` numbers every request, `tries` counts those that the plan pays
-- for, `holds` those that cost nothing. `ended_as` is what a manual send of an ended delivery goes
-- back to when it fails.
create table webhook_deliveries_new (
    id          uuid        primary key,
    event_id    uuid        not null references webhook_events,
    endpoint_id uuid        not null references webhook_endpoints,
    owner_id    uuid        not null,
    event_type  text        not null,
    subject     uuid        not null,
    sequence    bigint      not null,
    state       text        not null default 'pending',
    ordered     boolean     not null default false,
    trigger     text        not null default 'plan',
    ended_as    text,
    attempts    integer     not null default 0,
    tries       integer     not null default 0,
    holds       integer     not null default 0,
    outcome     text,
    status_code smallint,
    recovery_id uuid,
    next_at     timestamptz not null default now(),
    accepted_at timestamptz not null default now(),
    created_at  timestamptz not null default now(),
    finished_at timestamptz,
    constraint webhook_deliveries_once_per_endpoint unique (event_id, endpoint_id),
    constraint webhook_deliveries_state_is_known check (
        state in ('pending', 'delivered', 'failed', 'held', 'discarded')
    ),
    constraint webhook_deliveries_trigger_known check (trigger in ('plan', 'manual', 'recovery', 'test')),
    constraint webhook_deliveries_ended_as_known check (ended_as in ('delivered', 'failed', 'discarded')),
    constraint webhook_deliveries_end_has_time check (
        (state in ('pending', 'held')) = (finished_at is null)
    )
) with (fillfactor = 80);
-- What a drain claims: an endpoint's due deliveries, oldest first.
create index webhook_deliveries_due on webhook_deliveries_new (endpoint_id, next_at, id) where state = 'pending';
-- What an ordered delivery waits for: earlier news of the same subject.
create index webhook_deliveries_order on webhook_deliveries_new (endpoint_id, subject, sequence)
    where ordered and state in ('pending', 'held');
create index webhook_deliveries_held on webhook_deliveries_new (endpoint_id, created_at) where state = 'held';
create index webhook_deliveries_owner on webhook_deliveries_new (owner_id, id);
create index webhook_deliveries_endpoint on webhook_deliveries_new (endpoint_id, id);
create index webhook_deliveries_finished on webhook_deliveries_new (finished_at) where finished_at is not null;

-- One request to the receiver; times in milliseconds, null for a phase that did not happen.
create table webhook_attempts_new (
    delivery_id   uuid        not null,
    attempt       integer     not null,
    at            timestamptz not null default now(),
    trigger       text        not null,
    outcome       text        not null,
    status_code   smallint,
    detail        text        not null default '',
    resolve_ms    real,
    connect_ms    real,
    first_byte_ms real,
    body_ms       real,
    duration_ms   real        not null,
    response      text        not null,
    primary key (delivery_id, attempt, at)
) partition by range (at);
create table webhook_attempts_default partition of webhook_attempts_new default;

-- Sending again what failed, was held or was never subscribed to: a job with progress.
create table webhook_recoveries (
    id          uuid        primary key,
    owner_id    uuid        not null references users,
    endpoint_id uuid        not null references webhook_endpoints,
    mode        text        not null,
    since       timestamptz not null,
    until       timestamptz not null,
    state       text        not null default 'running',
    total       bigint      not null default 0,
    queued      bigint      not null default 0,
    reached     bigint      not null default 0,
    trace       text        not null,
    version     bigint      not null default 1,
    created_at  timestamptz not null default now(),
    finished_at timestamptz,
    constraint webhook_recoveries_mode_known check (mode in ('failed', 'held', 'missing')),
    constraint webhook_recoveries_state_known check (state in ('running', 'done', 'cancelled')),
    constraint webhook_recoveries_end_has_time check ((state = 'running') = (finished_at is null))
);
create index webhook_recoveries_endpoint_id on webhook_recoveries (endpoint_id, id);
create index webhook_recoveries_owner_id on webhook_recoveries (owner_id, id);

-- What was promised under the old tables goes on under the new ones.
insert into webhook_endpoints (id, owner_id, source, url, api_key_id, event_types, payload)
select uuid_v7(), owner_id, 'request', url, api_key_id, '{}', 'plain'
from webhook_deliveries
group by owner_id, url, api_key_id;
insert into webhook_events (id, owner_id, subject, event_type, dedupe, occurred_at, body_day, trace)
select id, owner_id, subject, event_type, subject::text, created_at, (created_at at time zone 'utc')::date, trace
from webhook_deliveries
order by created_at;
insert into webhook_bodies (event_id, day, body)
select id, (created_at at time zone 'utc')::date, body
from webhook_deliveries;
insert into webhook_deliveries_new (id, event_id, endpoint_id, owner_id, event_type, subject, sequence, state,
                                    attempts, tries, created_at, accepted_at, finished_at)
select old.id, old.id, endpoint.id, old.owner_id, old.event_type, old.subject, event.sequence, old.state,
       old.attempts, old.attempts, old.created_at, old.created_at, old.finished_at
from webhook_deliveries as old
join webhook_events as event using (id)
join webhook_endpoints as endpoint
  on (endpoint.owner_id, endpoint.url, endpoint.api_key_id) = (old.owner_id, old.url, old.api_key_id);
insert into webhook_attempts_new (delivery_id, attempt, at, trigger, outcome, status_code, duration_ms, response)
select delivery_id, attempt, at, 'plan', outcome, status_code, duration_ms, response
from webhook_attempts;
delete from jobs
where name = 'deliver_webhook'
  and id not in (select job_id from webhook_endpoints);
drop table webhook_attempts, webhook_deliveries;
alter table webhook_deliveries_new rename to webhook_deliveries;
alter table webhook_attempts_new rename to webhook_attempts;
alter index webhook_deliveries_new_pkey rename to webhook_deliveries_pkey;
alter index webhook_attempts_new_pkey rename to webhook_attempts_pkey;

-- Whether a filter (`*`, `order.*`, or a name) lets an event type through.
create function webhook_filter_matches(filters text[], event_type text) returns boolean
    language sql immutable as $$
    select exists (
        select
        from unnest(filters) as filter
        where filter = '*'
           or filter = event_type
           or (filter like '%.*' and starts_with(event_type, left(filter, -1)))
    )
$$;

-- Whether an ordered delivery must wait for earlier news of its subject.
create function webhook_waits_its_turn(endpoint uuid, is_ordered boolean, about uuid, number bigint) returns boolean
    language sql stable as $$
    select is_ordered and exists (
        select
        from webhook_deliveries
        where endpoint_id = endpoint
          and ordered
          and state in ('pending', 'held')
          and subject = about
          and sequence < number
    )
$$;

-- Notes an event for its owner and promises it to whoever listens: the endpoints whose filters match
-- and, if the request named an address, the endpoint of that address. Answers the alarms to ring.
-- Said twice, it is noted once. An owner without any endpoint has nobody to tell: nothing is kept.
create function announce_webhook_event(
    event uuid, owner uuid, about uuid, kind text, once text, bytes bytea, trace_id text, address text, signer uuid
) returns setof uuid language plpgsql as $$
declare
    addressed uuid;
    number bigint;
begin
    if address is not null then
        insert into webhook_endpoints (id, owner_id, source, url, api_key_id, event_types, payload)
        values (uuid_v7(), owner, 'request', address, signer, '{}', 'plain')
        on conflict (owner_id, url, api_key_id) where source = 'request' and deleted_at is null do nothing
        returning id into addressed;
        if addressed is null then
            select id into addressed
            from webhook_endpoints
            where owner_id = owner and url = address and api_key_id = signer and source = 'request'
              and deleted_at is null;
        end if;
    elsif not exists (select from webhook_endpoints where owner_id = owner and deleted_at is null) then
        return;
    end if;
    insert into webhook_events as known (id, owner_id, subject, event_type, dedupe, trace)
    values (event, owner, about, kind, once, trace_id)
    on conflict on constraint webhook_events_once do nothing
    returning sequence into number;
    if number is not null then
        insert into webhook_bodies (event_id, day, body)
        select id, body_day, bytes
        from webhook_events
        where id = event;
    else
        select id, sequence into event, number
        from webhook_events
        where owner_id = owner and event_type = kind and dedupe = once;
    end if;
    return query
        with promised as (
            insert into webhook_deliveries (id, event_id, endpoint_id, owner_id, event_type, subject, sequence, state, ordered)
            select uuid_v7(), event, id, owner, kind, about, number,
                   case state when 'enabled' then 'pending' else 'held' end, ordering = 'subject'
            from webhook_endpoints
            where owner_id = owner
              and deleted_at is null
              and (id = addressed or (source = 'registered' and webhook_filter_matches(event_types, kind)))
            on conflict on constraint webhook_deliveries_once_per_endpoint do nothing
            returning endpoint_id, state
        )
        select job_id
        from promised
        join webhook_endpoints on webhook_endpoints.id = promised.endpoint_id
        where promised.state = 'pending';
end
$$;

-- Keeps a partition for each of the coming days, and drops those that are older than so many days.
-- The services own no table, so they call this.
create function keep_webhook_partitions(body_days integer, attempt_days integer) returns integer
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    today date := (now() at time zone 'utc')::date;
    day date;
    part record;
    dropped integer := 0;
begin
    for day in select generate_series(today, today + 7, interval '1 day')::date loop
        begin
            execute format(
                'create table if not exists webhook_bodies_%s partition of webhook_bodies for values from (%L) to (%L)',
                to_char(day, 'YYYYMMDD'), day, day + 1);
            execute format(
                'create table if not exists webhook_attempts_%s partition of webhook_attempts for values from (%L) to (%L)',
                to_char(day, 'YYYYMMDD'), day::timestamp at time zone 'utc', (day + 1)::timestamp at time zone 'utc');
        exception
            -- The default partition holds rows of that day already: it keeps that day.
            when check_violation then null;
        end;
    end loop;
    for part in
        select child.relname as name, parent.relname as family, to_date(right(child.relname, 8), 'YYYYMMDD') as day
        from pg_inherits
        join pg_class as child on child.oid = inhrelid
        join pg_class as parent on parent.oid = inhparent
        where parent.relname in ('webhook_bodies', 'webhook_attempts')
          and child.relname ~ '_[0-9]{8}$'
    loop
        if part.day < today - (case part.family when 'webhook_bodies' then body_days else attempt_days end) then
            execute format('drop table %I', part.name);
            dropped := dropped + 1;
        end if;
    end loop;
    delete from webhook_bodies_default where webhook_bodies_default.day < today - body_days;
    delete from webhook_attempts_default where at < now() - make_interval(days => attempt_days);
    return dropped;
end
$$;
select keep_webhook_partitions(30, 90);

-- The events that a recovery of an endpoint concerns, after the one with that sequence: with the
-- delivery that failed or was held, or without one if the endpoint was never promised it.
create function webhook_recovery_candidates(
    endpoint uuid, mode text, since timestamptz, until timestamptz, after bigint, row_limit bigint
) returns table (event_id uuid, delivery_id uuid, sequence bigint) language sql stable as $$
    (
        select event_id, id, sequence
        from webhook_deliveries
        where mode in ('failed', 'held')
          and endpoint_id = endpoint
          and state = mode
          and created_at >= since
          and created_at < until
          and sequence > after
        union all
        select event.id, null, event.sequence
        from webhook_endpoints as listener
        join webhook_events as event
          on event.owner_id = listener.owner_id
        where mode = 'missing'
          and listener.id = endpoint
          and event.sequence > after
          and event.occurred_at >= since
          and event.occurred_at < until
          and event.expunged_at is null
          and event.dedupe not like 'test:%'
          and webhook_filter_matches(listener.event_types, event.event_type)
          and not exists (
              select
              from webhook_deliveries
              where event_id = event.id
                and endpoint_id = endpoint
          )
    )
    order by 3
    limit row_limit
$$;

-- One step of a recovery: queues the next deliveries, spread so that they take that share of the
-- endpoint's rate, and moves the cursor past them. No row if there is no such recovery.
create function advance_webhook_recovery(recovery uuid, row_limit bigint, share double precision)
    returns table (queued bigint, state text, job_id uuid) language plpgsql as $$
#variable_conflict use_column
declare
    it webhook_recoveries;
    target webhook_endpoints;
    done bigint;
    last bigint;
begin
    select * into it from webhook_recoveries where id = recovery for update;
    if it.id is null then
        return;
    end if;
    select * into target from webhook_endpoints where id = it.endpoint_id;
    if it.state <> 'running' then
        return query select 0::bigint, it.state, target.job_id;
        return;
    end if;
    create temporary table step on commit drop as
        select event_id, delivery_id, sequence,
               greatest(now(), it.created_at + make_interval(
                   secs => (it.queued + row_number() over (order by sequence) - 1) / (target.rate_per_second * share)
               )) as due_at
        from webhook_recovery_candidates(it.endpoint_id, it.mode, it.since, it.until, it.reached, row_limit);
    select count(*), max(sequence) into done, last from step;
    update webhook_deliveries
    set state = 'pending', trigger = 'recovery', ended_as = null, tries = 0, holds = 0, next_at = step.due_at,
        accepted_at = step.due_at, finished_at = null, recovery_id = recovery
    from step
    where webhook_deliveries.id = step.delivery_id
      and webhook_deliveries.state = it.mode;
    insert into webhook_deliveries (id, event_id, endpoint_id, owner_id, event_type, subject, sequence, ordered,
                                    trigger, next_at, accepted_at, recovery_id)
    select uuid_v7(), event.id, target.id, target.owner_id, event.event_type, event.subject, event.sequence,
           target.ordering = 'subject', 'recovery', step.due_at, step.due_at, recovery
    from step
    join webhook_events as event on event.id = step.event_id
    where step.delivery_id is null
    on conflict on constraint webhook_deliveries_once_per_endpoint do nothing;
    drop table step;
    update webhook_recoveries
    set queued = queued + done,
        reached = coalesce(last, reached),
        state = case when done < row_limit then 'done' else 'running' end,
        finished_at = case when done < row_limit then now() end,
        version = version + 1
    where id = recovery
    returning webhook_recoveries.state into it.state;
    return query select done, it.state, target.job_id;
end
$$;
