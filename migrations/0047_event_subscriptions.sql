-- Durable subscriptions to the event log, for consumers that cannot be called: the position is kept here, and several
-- consumers may share it. What one of them is given is its own until a deadline.
--
--   event_feed ──▶ subscription_events ──fetch──▶ consumer ──acknowledge──▶ deleted
--                        ▲    │   └── due again ◀──┘ (deadline passed, or released)
--                  replay│    ▼ after the last attempt
--                        parked
create table event_subscriptions (
    id          uuid        primary key,
    owner_id    uuid        not null references users,
    name        text        not null,
    -- Which types, and which streams or ids in their names; empty for all.
    types       text[]      not null,
    ids         text[]      not null,
    -- The log was looked at up to here: what passed is in the window, or was acknowledged.
    position    bigint      not null,
    -- How long a consumer has to acknowledge what it was given.
    ack_seconds integer     not null,
    created_at  timestamptz not null default now(),
    constraint event_subscriptions_name_form check (name ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    constraint event_subscriptions_ack_seconds_range check (ack_seconds between 1 and 3600),
    constraint event_subscriptions_name_key unique (owner_id, name)
);

-- The window: events that are to be handed out, are handed out, or are parked. Whoever changes it holds the row of its
-- subscription.
create table subscription_events (
    subscription_id uuid    not null references event_subscriptions on delete cascade,
    position        bigint  not null,
    stream          uuid    not null,
    -- How often it was handed out since it came, or was replayed.
    attempt         integer not null default 0,
    -- The last time it was handed out has a number of its own, for ever: an acknowledgement with another one is late.
    fence           bigint,
    due_at          timestamptz,
    parked_at       timestamptz,
    primary key (subscription_id, position),
    constraint subscription_events_attempt_counted check (attempt >= 0),
    constraint subscription_events_fence_if_handed_out check ((fence is not null) = (attempt > 0)),
    constraint subscription_events_due_if_handed_out check ((due_at is not null) = (attempt > 0)),
    constraint subscription_events_parked_after_attempts check (parked_at is null or attempt > 0)
) with (fillfactor = 70);
create index subscription_events_open on subscription_events (subscription_id, position) where parked_at is null;
create index subscription_events_parked on subscription_events (subscription_id, position) where parked_at is not null;
create sequence event_fences;

-- Hands out the next events of a subscription, in the order of their positions. A stream is with one consumer at a time,
-- so that its events are dealt with in their order: while one of them is handed out, the others wait.
--
-- No row if there is no such subscription. `earliest` is where the log begins, if the subscription has fallen behind that
-- and holds nothing more to hand out. `has_more` if the log was not looked at up to its end.
create function fetch_subscription_events(
    owner uuid, subscription_name text, events_max integer, window_max integer, attempts_max integer, parked_max integer
) returns table (
    subscription_id uuid, positions bigint[], attempts integer[], new_fence bigint, log_epoch integer, earliest bigint,
    has_more boolean, next_due_seconds double precision
) language plpgsql
    set plan_cache_mode = force_generic_plan
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
    security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    subscription event_subscriptions;
    moment timestamptz;
    room integer;
    looked_up_to bigint;
begin
    select * into subscription
    from event_subscriptions
    where owner_id = owner
      and name = subscription_name
    for update;
    if not found then
        return;
    end if;
    moment := clock_timestamp();
    fetch_subscription_events.subscription_id := subscription.id;
    has_more := false;
    select epoch into log_epoch from event_head;

    update subscription_events
    set parked_at = moment
    where subscription_id = subscription.id
      and position in (
          select position
          from subscription_events
          where subscription_id = subscription.id
            and parked_at is null
            and attempt >= attempts_max
            and due_at <= moment
          order by position
          limit greatest(0, parked_max - (
              select count(*)
              from subscription_events
              where subscription_id = subscription.id
                and parked_at is not null
          ))
      );

    select window_max - count(*) into room
    from subscription_events
    where subscription_id = subscription.id
      and parked_at is null;
    if room > 0 then
        -- One statement, and so one view of the feed, its floor and its end.
        with passed as (
            select position, stream
            from (
                select event_feed.position, stream, event_type, event_streams.name
                from event_feed
                left join event_order on event_order.position = event_feed.position
                left join events on events.id = event_id
                left join event_streams on event_streams.id = stream
                where user_id = owner
                  and event_feed.position > subscription.position
                  and subscription.position >= (select feed_floor from event_head)
                order by event_feed.position
                limit window_max
            ) as seen
            where stream is not null
              and (subscription.types = '{}' or webhook_filter_matches(subscription.types, event_type))
              and (
                  subscription.ids = '{}'
                  or name = any (subscription.ids)
                  or substr(name, strpos(name, '-') + 1) = any (subscription.ids)
              )
            order by position
            limit room
        ), taken as (
            insert into subscription_events (subscription_id, position, stream)
            select subscription.id, position, stream
            from passed
            on conflict do nothing
        )
        select case
                   when passing.count = room then passing.newest
                   when seen.count = window_max then seen.newest
                   else last
               end,
               passing.count = room or seen.count = window_max
        into looked_up_to, has_more
        from event_head
        cross join (
            select count(*), max(position) as newest
            from passed
        ) as passing
        cross join (
            select count(*), max(position) as newest
            from (
                select position
                from event_feed
                where user_id = owner
                  and position > subscription.position
                order by position
                limit window_max
            ) as next
        ) as seen
        where feed_floor <= subscription.position;
        if found then
            update event_subscriptions
            set position = looked_up_to
            where id = subscription.id
              and position < looked_up_to;
        else
            has_more := false;
            if room = window_max then
                select feed_floor into earliest from event_head;
            end if;
        end if;
    end if;

    new_fence := nextval('event_fences');
    with chosen as (
        select position
        from subscription_events
        where subscription_id = subscription.id
          and parked_at is null
          and (due_at is null or due_at <= moment)
          and stream not in (
              select stream
              from subscription_events
              where subscription_id = subscription.id
                and parked_at is null
                and due_at > moment
          )
        order by position
        limit events_max
    ), handed_out as (
        update subscription_events
        set attempt = attempt + 1,
            fence = new_fence,
            due_at = moment + make_interval(secs => subscription.ack_seconds)
        from chosen
        where subscription_id = subscription.id
          and subscription_events.position = chosen.position
        returning subscription_events.position, attempt
    )
    select coalesce(array_agg(position order by position), '{}'), coalesce(array_agg(attempt order by position), '{}')
    into positions, attempts
    from handed_out;

    select extract(epoch from min(due_at) - moment) into next_due_seconds
    from subscription_events
    where subscription_id = subscription.id
      and parked_at is null
      and due_at > moment;
    return next;
end
$$;

-- The oldest event that each subscription has not acknowledged; none if it is at the end of the log. What its filter will
-- pass over counts until the subscription has looked at it.
create view event_subscription_lags as
select id as subscription_id,
       coalesce(
           (
               select min(position)
               from subscription_events
               where subscription_id = id
                 and parked_at is null
           ),
           (
               select min(event_feed.position)
               from event_feed
               where user_id = owner_id
                 and event_feed.position > event_subscriptions.position
           )
       ) as oldest
from event_subscriptions;

revoke execute on function
    fetch_subscription_events(uuid, text, integer, integer, integer, integer)
    from public;
grant execute on function
    fetch_subscription_events(uuid, text, integer, integer, integer, integer)
    to awareness_app;
grant select, delete on event_subscriptions, subscription_events to awareness_app;
grant insert (id, owner_id, name, types, ids, position, ack_seconds) on event_subscriptions to awareness_app;
grant update (position) on event_subscriptions to awareness_app;
grant update (attempt, fence, due_at, parked_at) on subscription_events to awareness_app;
grant select on event_subscription_lags to awareness_app;
