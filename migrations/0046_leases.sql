-- Leases: an account locks names of its own choice, each for one of its workers and for a time.
--
--   free ──acquire──▶ held ──release, or time──▶ free
--
-- A lease ends at `expires_at`, whether anybody looks then or not. Each grant draws a fence from one sequence while the
-- row is locked, so the fences of a resource rise for ever, also after its row was taken away. Whoever writes under a
-- lease holds its key (`require_lease`) until the commit, and a lease is taken over only with the whole row
-- (`for update`): a take-over waits for such writes, and a write that comes later finds another fence and is refused.
create sequence lease_fences;

create table leases (
    owner_id    uuid        not null references users,
    resource    text        not null,
    fence       bigint      not null,
    -- The owner's own name for who holds it.
    holder      text,
    -- SHA-256 of the token that the holder was given; none since it was given back.
    token_hash  bytea,
    acquired_at timestamptz not null,
    expires_at  timestamptz not null,
    primary key (owner_id, resource),
    constraint leases_fence_once unique (fence),
    constraint leases_token_once unique (token_hash),
    constraint leases_resource_shape check (resource ~ '^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$'),
    constraint leases_holder_length check (length(holder) between 1 and 100),
    constraint leases_token_is_hashed check (length(token_hash) = 32)
) with (fillfactor = 50);

-- Who waits for a resource, in the order of the tickets. A waiter that has not looked until `live_until` is dead, and is
-- passed over.
create table lease_waiters (
    ticket     bigint      generated always as identity primary key,
    owner_id   uuid        not null,
    resource   text        not null,
    holder     text,
    live_until timestamptz not null,
    constraint lease_waiters_lease foreign key (owner_id, resource) references leases on delete cascade
) with (fillfactor = 50);
create index lease_waiters_in_order on lease_waiters (owner_id, resource, ticket);

-- How many live waiters come before a ticket; all, if there is none.
create function count_lease_waiters(account uuid, name text, before_ticket bigint) returns bigint language sql
    set search_path = public, pg_temp as $$
    select count(*)
    from lease_waiters
    where owner_id = account
      and resource = name
      and live_until > clock_timestamp()
      and (before_ticket is null or ticket < before_ticket)
$$;

-- The row of a resource, made if there is none, and locked. Rows that have ended make room for new ones.
create function lock_lease(account uuid, name text, leases_max bigint) returns leases language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    locked leases;
    count_before bigint;
begin
    loop
        select * into locked from leases where owner_id = account and resource = name for no key update;
        exit when found;
        -- One new name after the other for one owner, so that the count holds.
        perform from users where id = account for no key update;
        select count(*) into count_before from leases where owner_id = account;
        if count_before >= leases_max then
            with ended as (
                select owner_id, resource
                from leases
                where owner_id = account
                  and expires_at <= clock_timestamp()
                  and count_lease_waiters(owner_id, resource, null) = 0
                for update skip locked
            )
            delete from leases
            using ended
            where leases.owner_id = ended.owner_id
              and leases.resource = ended.resource;
            select count(*) into count_before from leases where owner_id = account;
        end if;
        if count_before >= leases_max then
            raise exception 'the account has as many leases as allowed'
                using errcode = 'check_violation', constraint = 'leases_count';
        end if;
        insert into leases (owner_id, resource, fence, acquired_at, expires_at)
        values (account, name, nextval('lease_fences'), clock_timestamp(), clock_timestamp())
        on conflict (owner_id, resource) do nothing;
    end loop;
    return locked;
end
$$;

-- Grants a lease, if it is free and nobody who lives waits before. Otherwise the asker waits in line, if `waits_for` says
-- how long it is to be believed to live, and asks again with its ticket.
create function acquire_lease(
    account uuid, name text, asker text, hash bytea, ttl interval, waits_for interval, earlier_ticket bigint,
    leases_max bigint, waiters_max bigint
) returns table (
    is_granted boolean, granted_fence bigint, current_holder text, began_at timestamptz, ends_at timestamptz,
    remaining_ms bigint, waiter_ticket bigint, waiters_before bigint
) language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    lease leases;
    own_ticket bigint;
begin
    is_granted := false;
    update lease_waiters
    set live_until = clock_timestamp() + waits_for
    where ticket = earlier_ticket
    returning ticket into own_ticket;
    waiters_before := count_lease_waiters(account, name, own_ticket);
    select * into lease from leases where owner_id = account and resource = name;
    -- Most looks end here, without a lock: there is nothing to be granted, and no place in line to take.
    if (waiters_before = 0 and coalesce(lease.expires_at <= clock_timestamp(), true))
       or (own_ticket is null and waits_for is not null) then
        lease := lock_lease(account, name, leases_max);
        waiters_before := count_lease_waiters(account, name, own_ticket);
        is_granted := waiters_before = 0 and lease.expires_at <= clock_timestamp();
        if is_granted then
            -- With the whole row: writes under the lease before have its key, and commit first.
            perform from leases where owner_id = account and resource = name for update;
            delete from lease_waiters
            where owner_id = account
              and resource = name
              and (ticket = own_ticket or live_until <= clock_timestamp());
            update leases
            set fence = nextval('lease_fences'), holder = asker, token_hash = hash, acquired_at = clock_timestamp(),
                expires_at = clock_timestamp() + ttl
            where owner_id = account
              and resource = name
            returning * into lease;
        elsif own_ticket is null and waits_for is not null then
            if waiters_before >= waiters_max then
                raise exception 'as many as allowed wait for the lease'
                    using errcode = 'check_violation', constraint = 'lease_waiters_count';
            end if;
            insert into lease_waiters (owner_id, resource, holder, live_until)
            values (account, name, asker, clock_timestamp() + waits_for)
            returning ticket into own_ticket;
        end if;
    end if;
    if not is_granted then
        -- A place in line that a crash forgets is taken again; it need not wait for the disk.
        perform set_config('synchronous_commit', 'off', true);
    end if;
    granted_fence := lease.fence;
    -- Nobody holds what only waits to be claimed by the next in line.
    current_holder := case when lease.expires_at > clock_timestamp() then lease.holder end;
    began_at := lease.acquired_at;
    ends_at := lease.expires_at;
    remaining_ms := greatest(0, ceil(1000 * extract(epoch from lease.expires_at - clock_timestamp())));
    waiter_ticket := own_ticket;
    return next;
end
$$;

-- Gives a lease back to whoever waits the longest: that ticket, if somebody does. An operator needs no token, and raises
-- the fence at once. No row if the lease is not held, or by another token.
create function release_lease(account uuid, name text, hash bytea, is_forced boolean) returns table (
    last_fence bigint, next_ticket bigint
) language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    -- Writes under the lease commit first.
    perform
    from leases
    where owner_id = account
      and resource = name
      and token_hash is not null
      and (is_forced or token_hash = hash)
      and expires_at > clock_timestamp()
    for update;
    if not found then
        return;
    end if;
    update leases
    set token_hash = null, expires_at = clock_timestamp(),
        fence = case when is_forced then nextval('lease_fences') else fence end
    where owner_id = account
      and resource = name
    returning fence into last_fence;
    select min(ticket) into next_ticket
    from lease_waiters
    where owner_id = account
      and resource = name
      and live_until > clock_timestamp();
    return next;
end
$$;

-- Begins a write under a lease: until the transaction ends, nobody takes it over. Extending it and waiting for it need
-- less than its key, and go on.
create function require_lease(account uuid, name text, held_fence bigint) returns void language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    perform
    from leases
    where owner_id = account
      and resource = name
      and fence = held_fence
      and token_hash is not null
      and expires_at > clock_timestamp()
    for key share;
    if not found then
        raise exception 'the lease of % was lost', name
            using errcode = 'check_violation', constraint = 'leases_held';
    end if;
end
$$;

revoke execute on function
    count_lease_waiters(uuid, text, bigint),
    lock_lease(uuid, text, bigint),
    acquire_lease(uuid, text, text, bytea, interval, interval, bigint, bigint, bigint),
    release_lease(uuid, text, bytea, boolean),
    require_lease(uuid, text, bigint)
    from public;
grant execute on function
    count_lease_waiters(uuid, text, bigint),
    acquire_lease(uuid, text, text, bytea, interval, interval, bigint, bigint, bigint),
    release_lease(uuid, text, bytea, boolean),
    require_lease(uuid, text, bigint)
    to awareness_app;
grant select, delete on leases, lease_waiters to awareness_app;
grant update (expires_at) on leases to awareness_app;

-- To lock is a permission of its own. Keys that may do all that there was keep doing all.
alter table api_keys
    drop constraint api_keys_permissions_known,
    add constraint api_keys_permissions_known check (
        cardinality(permissions) > 0
        and permissions <@ array[
            'upload', 'purchase', 'download', 'account', 'webhooks', 'agents', 'events', 'leases'
        ]
    );
update api_keys
set permissions = array_append(permissions, 'leases')
where is_own
   or permissions @> array['upload', 'purchase', 'download', 'account', 'webhooks', 'agents'];
