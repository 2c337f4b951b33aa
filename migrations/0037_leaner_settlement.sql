-- A settlement for less: what its triggers look at, they look at once for the statement instead of once for
-- the row, and in fewer statements. What they refuse is as before.

-- A purchase settles between people who are not blocked, and of a package that is not taken down.
create function check_sales_open() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    people uuid[];
    packages_sold uuid[];
begin
    select array_agg(new_rows.buyer_id) || array_agg(new_rows.seller_id), array_agg(new_rows.package_id)
    into people, packages_sold
    from old_rows
    join new_rows using (id)
    where old_rows.state = 'pending'
      and new_rows.state = 'settled';
    if packages_sold is null then
        return null;
    end if;
    perform require_unblocked(variadic people);
    if exists (select from packages where id = any(packages_sold) and taken_down_at is not null) then
        raise exception 'what is taken down is not sold'
            using errcode = 'check_violation', constraint = 'packages_not_taken_down';
    end if;
    return null;
end
$$;
revoke execute on function check_sales_open() from public;
drop trigger purchases_open_when_settled on purchases;
create trigger purchases_open_when_settled after update on purchases
    referencing old table as old_rows new table as new_rows
    for each statement execute function check_sales_open();

-- What is taken from sellers' earnings leaves none below zero, one transaction of a seller at a time. (Sales
-- only add, and take no lock.)
create function require_earnings(debited bigint[]) returns void language plpgsql
    set jit = off
    security definer set search_path = public, pg_temp as $$
begin
    perform from accounts
    where id = any(debited)
      and kind = 'seller_earnings'
    order by id
    for no key update;
    if found and exists (
        select
        from accounts
        where id = any(debited)
          and kind = 'seller_earnings'
          and balance_minor + coalesce((
                  select sum(amount_minor)
                  from account_deltas
                  where account_id = accounts.id
              ), 0) < 0
    ) then
        raise exception 'a seller''s earnings do not cover this'
            using errcode = 'check_violation', constraint = 'accounts_seller_below_zero';
    end if;
end
$$;
revoke execute on function require_earnings(bigint[]) from public;
drop trigger entries_leave_sellers_above_zero on entries;
drop function check_sellers();

-- The legs of each transfer that a statement writes come at once (of a transfer of this transaction, with leg 1,
-- which comes once), each for an account of its own, balance, and fit their accounts. A guarded account has moved
-- before its entry is written. Those of appended accounts leave their deltas here and nowhere else.
-- (The planner settings keep a plan made over empty tables from scanning full ones.)
create or replace function check_entries() returns trigger language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
    security definer set search_path = public, pg_temp as $$
declare
    misfits boolean;
    is_unbalanced boolean;
    is_in_parts boolean;
    debited bigint[];
begin
    select bool_or(has_misfit), bool_or(is_wrong), bool_or(is_partial)
    into misfits, is_unbalanced, is_in_parts
    from (
        select bool_or(
                   transfers.xact is distinct from pg_current_xact_id()
                   or accounts.currency is distinct from transfers.currency
                   or (accounts.kind = 'buyer_credits') is distinct from (fresh.account_version is not null)
                   or accounts.version < fresh.account_version
                   or fresh.at <> now()
                   or transfers.at <> now()
               ) as has_misfit,
               sum(amount_minor) <> 0 or count(*) < 2 as is_wrong,
               min(leg) <> 1 or count(distinct account_id) <> count(*) as is_partial
        from fresh
        left join transfers on transfers.id = fresh.transfer_id
        left join accounts on accounts.id = fresh.account_id
        group by transfer_id
    ) as written;
    if misfits then
        raise exception 'an entry does not fit its transfer or its account'
            using errcode = 'check_violation', constraint = 'entries_fit';
    end if;
    if is_unbalanced then
        raise exception 'a transfer does not balance'
            using errcode = 'check_violation', constraint = 'transfers_balance';
    end if;
    if is_in_parts then
        raise exception 'the legs of a transfer come at once, one for an account'
            using errcode = 'check_violation', constraint = 'entries_come_at_once';
    end if;
    with delta as (
        insert into account_deltas (account_id, amount_minor)
        select account_id, sum(amount_minor)
        from fresh
        where account_version is null
        group by account_id
        returning account_id, amount_minor
    )
    select array_agg(account_id) filter (where amount_minor < 0) into debited from delta;
    if debited is not null then
        perform require_earnings(debited);
    end if;
    return null;
end
$$;

-- As before, in two statements less: the locks are found with the purchases, the events are written with them.
create or replace function settle_purchases(
    job_ids uuid[], fences integer[], by_worker uuid, grant_seconds double precision
) returns table (job_id uuid, purchase_id uuid, outcome text, announcement_id uuid, announcement_trace text)
    language plpgsql
    set plan_cache_mode = force_generic_plan
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
    security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    done_jobs uuid[];
    done_subjects uuid[];
    due uuid[];
    paid uuid[];
    captured bigint;
    transfer_ids bigint[];
    transfer_subjects uuid[];
begin
    perform pg_advisory_xact_lock_shared(lock)
    from (
        select distinct listing_lock(package_id) as lock
        from jobs
        join purchases on purchases.id = jobs.subject
        where jobs.id = any(job_ids)
        order by 1
    ) as locks;

    with finished as (
        update jobs
        set state = 'done', worker = null, finished_at = now()
        from unnest(job_ids, fences) as lease (id, fence)
        where jobs.id = lease.id
          and jobs.fence = lease.fence
          and jobs.worker is not distinct from by_worker
          and jobs.state = 'running'
          and jobs.name = 'settle_purchase'
        returning jobs.id, jobs.subject
    )
    select array_agg(id), array_agg(subject) into done_jobs, done_subjects from finished;

    select array_agg(id), array_agg(id) filter (where price_minor > 0)
    into due, paid
    from (
        select id, price_minor
        from purchases
        where id = any(done_subjects)
          and state = 'pending'
        order by id
        for no key update
    ) as locked;

    if cardinality(paid) > 0 then
        update holds
        set state = 'posted', resolved_at = now()
        where id = any(paid)
          and state = 'pending';
        get diagnostics captured = row_count;
        if captured <> cardinality(paid) then
            raise exception 'a pending purchase has no pending hold';
        end if;
        perform from accounts
        where id in (select account_id from holds where id = any(paid))
        order by id
        for no key update;
        with posted as (
            insert into transfers (kind, subject, currency, trace)
            select 'settlement', id, currency, request_id
            from purchases
            where id = any(paid)
            order by id
            returning id, subject
        )
        select array_agg(id), array_agg(subject) into transfer_ids, transfer_subjects from posted;
        with sale as (
            select posted.id as transfer_id, holds.account_id as buyer_account, price_minor, fee_minor, net_minor,
                   seller.id as seller_account, platform.id as fee_account,
                   row_number() over buyer as nth, sum(price_minor) over buyer as spent
            from unnest(transfer_ids, transfer_subjects) as posted (id, subject)
            join purchases on purchases.id = posted.subject
            join holds on holds.id = posted.subject
            join accounts as seller
              on seller.owner_id = seller_id
             and seller.kind = 'seller_earnings'
             and seller.currency = purchases.currency
            join accounts as platform
              on platform.owner_id = '00000000-0000-0000-0000-000000000000'
             and platform.kind = 'platform_fees'
             and platform.currency = purchases.currency
            window buyer as (partition by holds.account_id order by purchases.id)
        ), debit as (
            update accounts
            set balance_minor = balance_minor - total, held_minor = held_minor - total, version = version + sales
            from (
                select buyer_account, sum(price_minor) as total, count(*) as sales
                from sale
                group by buyer_account
            ) as spending
            where accounts.id = buyer_account
            returning accounts.id, balance_minor + total as balance_before, version - sales as version_before
        )
        insert into entries (transfer_id, leg, account_id, amount_minor, account_version, balance_after_minor)
        select transfer_id, 1, buyer_account, -price_minor, version_before + nth, balance_before - spent
        from sale
        join debit on debit.id = buyer_account
        union all
        select transfer_id, 2, seller_account, net_minor, null, null
        from sale
        where net_minor > 0
        union all
        select transfer_id, 3, fee_account, fee_minor, null, null
        from sale
        where fee_minor > 0;
    end if;

    with sold as (
        update purchases
        set state = 'settled',
            settlement_id = posted.id,
            settled_at = now(),
            grant_expires_at = now() + make_interval(secs => grant_seconds),
            finished_at = now(),
            version = version + 1
        from unnest(due) as pending (id)
        left join unnest(transfer_ids, transfer_subjects) as posted (id, subject) on posted.subject = pending.id
        where purchases.id = pending.id
        returning purchases.id, request_id, settlement_id
    )
    insert into events (subject, kind, trace, data)
    select id, 'purchase.completed', request_id, jsonb_build_object('settlement', settlement_id)
    from sold;
    return query
        with announced as (
            insert into jobs (id, name, queue, lane, tenant, subject, trace)
            select gen_random_uuid(), 'announce_purchase', 'webhook', 'fast', buyer_id, purchases.id, request_id
            from purchases
            join listings using (package_id)
            where purchases.id = any(due)
              and (purchases.webhook_url is not null
                   or (listings.webhook_url is not null and purchases.license_mode <> 'unlimited')
                   or exists (
                       select
                       from webhook_endpoints
                       where owner_id in (buyer_id, purchases.seller_id)
                         and source = 'registered'
                         and deleted_at is null
                   ))
            returning id, subject, trace
        )
        select done.id, done.subject,
               case when done.subject = any(due) then 'settled' else 'unchanged' end,
               announced.id, announced.trace
        from unnest(done_jobs, done_subjects) as done (id, subject)
        left join announced on announced.subject = done.subject;
end
$$;
