-- An attempt to buy a package, and once it is settled the buyer's right to download it (the grant).
--
--   awaiting_payment ──▶ pending ──▶ settled ◀──▶ disputed
--     │        ▲           │            └────┬─────────┘
--     ▼        │           ▼                 ▼
--   payment_unknown      failed           refunded
--
-- pending: the price is held and the settlement's job is queued. awaiting_payment: a card is to pay
-- first; payment_unknown: the card provider did not say whether it did. Live purchases (all but
-- failed and refunded) count against the supply, and there is one per buyer and package.
create table purchases (
    id               uuid        primary key,
    package_id       uuid        not null,
    buyer_id         uuid        not null references users,
    seller_id        uuid        not null,
    api_key_id       uuid        not null references api_keys,
    listing_version  bigint      not null,
    licence_mode     text        not null,
    price_minor      bigint      not null,
    fee_minor        bigint      not null,
    net_minor        bigint      not null,
    currency         text        not null,
    payment_method   text        not null,
    quote_id         uuid,
    request_id       text        not null,
    webhook_url      text,
    state            text        not null,
    reason_code      text,
    reason           text,
    settlement_id    bigint      references transfers,
    grant_expires_at timestamptz,
    expires_at       timestamptz not null,
    version          bigint      not null default 1,
    created_at       timestamptz not null default now(),
    settled_at       timestamptz,
    finished_at      timestamptz,
    constraint purchases_parts_sum_to_price check (
        fee_minor >= 0 and net_minor >= 0 and fee_minor + net_minor = price_minor
    ),
    constraint purchases_not_from_oneself check (buyer_id <> seller_id),
    constraint purchases_payment_method_known check (payment_method in ('credits', 'stripe')),
    constraint purchases_state_known check (
        state in ('awaiting_payment', 'payment_unknown', 'pending', 'settled', 'disputed', 'failed', 'refunded')
    ),
    constraint purchases_failed_has_reason check ((state = 'failed') = (reason_code is not null)),
    constraint purchases_settled_has_grant check (
        (state in ('settled', 'disputed', 'refunded'))
        = (settled_at is not null and grant_expires_at is not null)
    ),
    constraint purchases_settled_has_transfer check (
        (settlement_id is not null) = (state in ('settled', 'disputed', 'refunded') and price_minor > 0)
    ),
    constraint purchases_settlement_once unique (settlement_id),
    constraint purchases_quote_once unique (quote_id)
) with (fillfactor = 80);
create unique index purchases_one_per_buyer on purchases (buyer_id, package_id)
    where state not in ('failed', 'refunded');
create unique index purchases_exclusive_once on purchases (package_id)
    where licence_mode = 'exclusive' and state not in ('failed', 'refunded');
-- The number that the first contract calls a purchase by: the last 52 bits of its id, which are random.
create function purchase_number(purchase uuid) returns bigint language sql immutable parallel safe
    return ('x' || right(replace(purchase::text, '-', ''), 13))::bit(52)::bigint;
create unique index purchases_number on purchases (purchase_number(id));
create index purchases_buyer_id on purchases (buyer_id, created_at);
create index purchases_seller_id on purchases (seller_id, settled_at);
create index purchases_package_id on purchases (package_id);
create index purchases_api_key_id on purchases (api_key_id);
create index purchases_open on purchases (expires_at)
    where state in ('awaiting_payment', 'payment_unknown', 'pending');

-- The listing is active and asked that price, for that seller, in that mode. (No foreign key: a popular listing's
-- row would be written for each purchase. What is read here never changes.)
create function check_new_purchase() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    if not exists (
        select
        from listing_versions
        join listings using (package_id)
        where listing_versions.package_id = new.package_id
          and listing_versions.version = new.listing_version
          and listing_versions.price_minor = new.price_minor
          and listing_versions.currency = new.currency
          and listings.seller_id = new.seller_id
          and listings.licence_mode = new.licence_mode
          and listings.status = 'active'
    ) then
        raise exception 'the listing never asked that'
            using errcode = 'check_violation', constraint = 'purchases_as_listed';
    end if;
    if new.state not in ('awaiting_payment', 'pending') then
        raise exception 'a purchase begins as awaiting_payment or pending'
            using errcode = 'check_violation', constraint = 'purchases_state_order';
    end if;
    return new;
end
$$;
create trigger purchases_are_checked before insert on purchases
    for each row execute function check_new_purchase();

create function check_purchase_change() returns trigger language plpgsql as $$
begin
    if (new.id, new.package_id, new.buyer_id, new.seller_id, new.listing_version, new.licence_mode,
        new.price_minor, new.fee_minor, new.net_minor, new.currency, new.created_at)
       is distinct from
       (old.id, old.package_id, old.buyer_id, old.seller_id, old.listing_version, old.licence_mode,
        old.price_minor, old.fee_minor, old.net_minor, old.currency, old.created_at)
       or (old.settlement_id is not null and new.settlement_id is distinct from old.settlement_id) then
        raise exception 'what was bought, by whom and for how much does not change'
            using errcode = 'check_violation', constraint = 'purchases_keep_terms';
    end if;
    if new.state <> old.state and (old.state, new.state) not in (
        ('awaiting_payment', 'payment_unknown'), ('awaiting_payment', 'pending'), ('awaiting_payment', 'failed'),
        ('payment_unknown', 'awaiting_payment'), ('payment_unknown', 'pending'), ('payment_unknown', 'failed'),
        ('pending', 'settled'), ('pending', 'failed'),
        ('settled', 'disputed'), ('settled', 'refunded'),
        ('disputed', 'settled'), ('disputed', 'refunded')
    ) then
        raise exception 'a purchase does not go from % to %', old.state, new.state
            using errcode = 'check_violation', constraint = 'purchases_state_order';
    end if;
    return new;
end
$$;
create trigger purchases_keep_order before update on purchases
    for each row execute function check_purchase_change();
create trigger purchases_never_deleted before delete or truncate on purchases
    for each statement execute function refuse_change();

-- Live purchases of a limited or exclusive listing are counted in its row.
create function count_taken() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    was_live boolean := tg_op = 'UPDATE' and old.state not in ('failed', 'refunded');
    is_live boolean := new.state not in ('failed', 'refunded');
begin
    if was_live <> is_live then
        update listings
        set taken = taken + case when is_live then 1 else -1 end
        where package_id = new.package_id;
    end if;
    return null;
end
$$;
create trigger purchases_count_when_inserted after insert on purchases
    for each row when (new.licence_mode <> 'unlimited') execute function count_taken();
create trigger purchases_count_when_ended after update of state on purchases
    for each row when (new.licence_mode <> 'unlimited') execute function count_taken();

-- Settles the purchases of up to a batch of leased jobs in one transaction: the jobs end, holds are
-- captured, price is split into the seller's share and the fee, grants begin, events, counters and
-- the jobs that announce the sale are written. Per job it says what happened:
--
--   settled      now, by this call
--   unchanged    the purchase is not pending (settled before, or failed)
-- and no row for a job whose lease was lost. Anything unexpected raises, and nothing happens.
--
-- (`is not distinct from` keeps the planner from reading all that this worker runs.)
--
-- Order of locks, as everywhere: listings (advisory), jobs, purchases, holds, accounts.
create function settle_purchases(
    job_ids uuid[], fences integer[], by_worker uuid, grant_seconds double precision
) returns table (job_id uuid, purchase_id uuid, outcome text, announcement_id uuid, announcement_trace text)
    language plpgsql
    set plan_cache_mode = force_generic_plan
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
    security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    subjects uuid[];
    done_jobs uuid[];
    done_subjects uuid[];
    due uuid[];
    paid uuid[];
    captured bigint;
    transfer_ids bigint[];
    transfer_subjects uuid[];
begin
    select array_agg(subject) into subjects from jobs where id = any(job_ids);
    perform pg_advisory_xact_lock_shared(lock)
    from (
        select distinct listing_lock(package_id) as lock
        from purchases
        where id = any(subjects)
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

    update purchases
    set state = 'settled',
        settlement_id = posted.id,
        settled_at = now(),
        grant_expires_at = now() + make_interval(secs => grant_seconds),
        finished_at = now(),
        version = version + 1
    from unnest(due) as sold (id)
    left join unnest(transfer_ids, transfer_subjects) as posted (id, subject) on posted.subject = sold.id
    where purchases.id = sold.id;
    insert into events (subject, kind, trace, data)
    select id, 'purchase.completed', request_id, jsonb_build_object('settlement', settlement_id)
    from purchases
    where id = any(due);
    insert into package_deltas (package_id, sales)
    select package_id, count(*)
    from purchases
    where id = any(due)
    group by package_id;
    return query
        with announced as (
            insert into jobs (id, name, queue, lane, tenant, subject, trace)
            select gen_random_uuid(), 'announce_purchase', 'webhook', 'fast', buyer_id, purchases.id, request_id
            from purchases
            join listings using (package_id)
            where purchases.id = any(due)
              and (purchases.webhook_url is not null
                   or (listings.webhook_url is not null and purchases.licence_mode <> 'unlimited')
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

revoke delete, truncate on purchases from awareness_app;
revoke execute on all functions in schema public from public;
grant execute on all functions in schema public to awareness_app;
