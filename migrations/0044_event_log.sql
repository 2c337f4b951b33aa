-- The event log. An event is the next version of its stream: of a purchase, an upload, a task, or of what a client
-- keeps in a stream of its own. What an event says is a merge patch (RFC 7396): the state of a stream is the fold of its
-- events.
--
--   insert into events ──▶ event_pending ──number_events──▶ event_order ──▶ readers of the whole log
--                                                       └─▶ event_feed  ──▶ readers of what one user may see
--
-- Transactions commit in another order than they insert, so whoever remembers the last id that was seen misses events
-- that commit later under a smaller one. Therefore events have no position until they are committed: number_events
-- gives the next positions to what it can see, one round after the other. A reader that remembers a position misses
-- nothing, sees no gap, and sees each stream in its order.
create table event_streams (
    id         uuid        primary key,
    -- `purchase-4711`: what it is about, and which.
    name       text        not null,
    -- Who appends to it; none for the streams of the market.
    owner_id   uuid        references users,
    -- Who may see its events.
    audience   uuid[]      not null,
    -- Versions up to this one were pruned; a snapshot holds what they said.
    floor      bigint      not null default 0,
    created_at timestamptz not null default now(),
    constraint event_streams_name_form check (name ~ '^[a-z][a-z0-9_]*-[A-Za-z0-9_.:-]+$' and length(name) <= 200),
    constraint event_streams_owner_sees check (owner_id is null or audience = array[owner_id]),
    constraint event_streams_name_key unique nulls not distinct (owner_id, name)
);

alter table events rename column subject to stream;
alter table events rename column kind to event_type;
alter table events
    add column version  bigint,
    add column schema   smallint not null default 1,
    -- Who may see it, if not whoever may see the stream.
    add column audience uuid[],
    -- The job that wrote it; none if a request did so itself.
    add column causation uuid;
update events
set version = numbered.version
from (
    select id, row_number() over (partition by stream order by id) as version
    from events
) as numbered
where numbered.id = events.id;
alter table events
    alter column version set not null,
    add constraint events_version_positive check (version > 0),
    add constraint events_data_is_object check (jsonb_typeof(data) = 'object'),
    add constraint events_version_once unique (stream, version);
drop index events_subject;

create table event_pending (
    event_id bigint primary key
);
create table event_order (
    position bigint primary key,
    event_id bigint not null,
    constraint event_order_once unique (event_id)
);
create table event_feed (
    user_id  uuid   not null,
    position bigint not null,
    primary key (user_id, position)
);
create index event_feed_position on event_feed (position);

-- The end of the log. Another epoch begins when positions may have been given again: after a restore of a backup.
create table event_head (
    is_only    boolean primary key default true,
    epoch      integer not null default floor(random() * 2147483647)::integer,
    last       bigint  not null default 0,
    -- What users may see is kept from here on.
    feed_floor bigint  not null default 0,
    constraint event_head_is_only check (is_only)
);
insert into event_head default values;

create function note_pending_events() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    insert into event_pending (event_id)
    select id
    from fresh;
    return null;
end
$$;
create trigger events_are_numbered after insert on events
    referencing new table as fresh
    for each statement execute function note_pending_events();
insert into event_pending (event_id)
select id
from events;

-- Gives the next positions to events that have been committed, at most so many: how many there were, and the end of the
-- log. One round at a time; the head is locked by a statement of its own, because the one that numbers must see what
-- was committed while it waited.
create function number_events(events_max integer, out numbered bigint, out last_position bigint) language plpgsql
    set plan_cache_mode = force_generic_plan
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
    security definer set search_path = public, pg_temp as $$
begin
    select last into last_position from event_head for update;
    with due as (
        delete from event_pending
        where event_id in (select event_id from event_pending order by event_id limit events_max)
        returning event_id
    ), ordered as (
        insert into event_order (position, event_id)
        select last_position + row_number() over (order by event_id), event_id
        from due
        returning position, event_id
    ), fed as (
        insert into event_feed (user_id, position)
        select distinct viewer, position
        from ordered
        join events on events.id = event_id
        left join event_streams on event_streams.id = stream
        cross join unnest(coalesce(events.audience, event_streams.audience)) as viewer
    )
    select count(*) into numbered from ordered;
    if numbered > 0 then
        last_position := last_position + numbered;
        update event_head set last = last_position;
    end if;
end
$$;

-- Forgets what users may see of events of before that time, in steps: the next reader is sent to the new floor.
create function prune_event_feed(before timestamptz, events_max integer) returns bigint language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    new_floor bigint;
    pruned bigint;
begin
    select max(position) filter (where at < before)
    into new_floor
    from (
        select position, coalesce(at, '-infinity') as at
        from event_order
        left join events on events.id = event_id
        where position > (select feed_floor from event_head)
        order by position
        limit events_max
    ) as oldest;
    if new_floor is null then
        return 0;
    end if;
    update event_head set feed_floor = new_floor;
    delete from event_feed where position <= new_floor;
    get diagnostics pruned = row_count;
    return pruned;
end
$$;

-- The state of a stream at one of its versions: a place from which to replay the rest.
create table event_snapshots (
    stream  uuid        not null,
    version bigint      not null,
    -- Of the fold that made it: another one does not begin from it.
    schema  smallint    not null,
    state   jsonb       not null,
    at      timestamptz not null default now(),
    primary key (stream, version)
);

-- Forgets events of clients' streams of before that time which a snapshot holds. The last one stays: it carries the
-- version.
create function prune_stream_events(before timestamptz, events_max integer) returns bigint language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    pruned bigint;
begin
    with old as (
        select events.id, events.stream, events.version
        from event_streams
        join lateral (
            select max(version) as version
            from event_snapshots
            where stream = event_streams.id
        ) as held on true
        join events
          on events.stream = event_streams.id
         and events.version > floor
         and events.version <= held.version
         and events.version < (select max(version) from events as newer where newer.stream = event_streams.id)
        where owner_id is not null
          and events.at < before
        order by events.stream, events.version
        limit events_max
    ), gone as (
        delete from events
        where id in (select id from old)
    ), unordered as (
        delete from event_order
        where event_id in (select id from old)
    ), raised as (
        update event_streams
        set floor = highest
        from (
            select stream, max(version) as highest
            from old
            group by stream
        ) as lines
        where event_streams.id = lines.stream
    )
    select count(*) into pruned from old;
    return pruned;
end
$$;

-- How far those who work on events have come: each with the position of the last one that it has dealt with.
create table event_consumers (
    name       text        primary key,
    position   bigint      not null default 0,
    updated_at timestamptz not null default now()
);

-- The figures of an agent are made old by a consumer of the events of its tasks.
drop trigger agent_tasks_are_scored on agent_tasks;
drop function note_task_outcome();

revoke execute on function
    note_pending_events(), number_events(integer), prune_event_feed(timestamptz, integer),
    prune_stream_events(timestamptz, integer)
    from public;
grant execute on function
    number_events(integer), prune_event_feed(timestamptz, integer), prune_stream_events(timestamptz, integer)
    to awareness_app;
revoke insert on events from awareness_app;
grant insert (stream, version, event_type, schema, trace, data, audience, causation) on events to awareness_app;
grant select on event_streams, event_pending, event_order, event_feed, event_head, event_snapshots, event_consumers
    to awareness_app;
grant insert (id, name, owner_id, audience) on event_streams to awareness_app;
grant insert (stream, version, schema, state) on event_snapshots to awareness_app;
grant delete on event_snapshots to awareness_app;
grant insert (name) on event_consumers to awareness_app;
grant update (position, updated_at) on event_consumers to awareness_app;


-- A settlement writes its event as the next version of the purchase, for both sides.
do $$
declare
    definition text := pg_get_functiondef('settle_purchases(uuid[], integer[], uuid, double precision)'::regprocedure);
    before text := $before$returning purchases.id, request_id, settlement_id
    )
    insert into events (subject, kind, trace, data)
    select id, 'purchase.completed', request_id, jsonb_build_object('settlement', settlement_id)
    from sold;$before$;
    after text := $after$returning purchases.id, buyer_id, seller_id, request_id, settlement_id
    )
    insert into events (stream, version, event_type, trace, data, audience, causation)
    select sold.id, 1 + coalesce((select max(version) from events where stream = sold.id), 0), 'purchase.completed',
           request_id, jsonb_build_object('state', 'settled', 'settlement', settlement_id), array[buyer_id, seller_id],
           done.id
    from sold
    join unnest(done_jobs, done_subjects) as done (id, subject) on done.subject = sold.id;$after$;
begin
    if position(before in definition) = 0 then
        raise exception 'settle_purchases does not write its event as expected';
    end if;
    execute replace(definition, before, after);
end
$$;

-- What the rows say, in the words of their events: each fact here is also in the fold of the stream's events.
create view event_states as
select uploads.id as stream,
       jsonb_build_object(
           'state', case
               when uploads.status not in ('pending', 'processing') then uploads.status
               when publishing_at is null then 'accepted'
               else 'validated'
           end,
           'packageId', packages.public_id,
           'code', error_code
       ) as state
from uploads
left join packages on packages.id = package_id
union all
select purchases.id,
       jsonb_build_object(
           'state', state, 'packageId', packages.public_id, 'priceMinor', purchases.price_minor,
           'currency', purchases.currency, 'licenseMode', purchases.license_mode, 'settlement', settlement_id,
           'code', reason_code
       )
from purchases
join packages on packages.id = package_id
union all
select id,
       jsonb_build_object(
           'state', state, 'payerAgentId', payer_agent, 'providerAgentId', provider_agent, 'capability', capability,
           'amountMinor', amount_minor, 'currency', currency, 'paidMinor', paid_minor, 'rating', rating
       )
from agent_tasks
union all
select id, jsonb_build_object('state', state, 'reason', reason, 'finding', finding)
from disputes;
grant select on event_states to awareness_app;
