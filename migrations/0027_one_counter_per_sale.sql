-- What a change of purchases does to a package's counters and its reputation. Sales count here as well, so that
-- a settlement writes one row of counters instead of two; a settlement runs the half for sales alone.
create or replace function keep_reputation() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    packages_sold uuid[];
    buyers uuid[];
    prices bigint[];
    are_refunded boolean;
begin
    select array_agg(new_rows.package_id) filter (where is_owned(new_rows.state)),
           array_agg(new_rows.buyer_id) filter (where is_owned(new_rows.state)),
           array_agg(new_rows.price_minor) filter (where is_owned(new_rows.state)),
           bool_or(is_owned(old_rows.state))
    into packages_sold, buyers, prices, are_refunded
    from old_rows
    join new_rows using (id)
    where is_owned(old_rows.state) <> is_owned(new_rows.state);

    if packages_sold is not null then
        insert into package_deltas (package_id, sales, buyers)
        select package_id, count(*), count(*) filter (where price_minor > 0)
        from unnest(packages_sold, prices) as sold (package_id, price_minor)
        group by package_id;
        -- Few buyers have said anything before they own the package.
        if exists (
            select
            from unnest(packages_sold, buyers, prices) as sold (package_id, user_id, price_minor)
            where price_minor > 0
              and (exists (select from reviews where package_id = sold.package_id and buyer_id = sold.user_id and not is_counted)
                   or exists (select from stars where package_id = sold.package_id and user_id = sold.user_id and not is_counted))
        ) then
            with sold as (
                select *
                from unnest(packages_sold, buyers, prices) as sold (package_id, user_id, price_minor)
                where price_minor > 0
            ), reviewed as (
                update reviews
                set is_counted = true
                from sold
                where (reviews.package_id, reviews.buyer_id) = (sold.package_id, sold.user_id)
                  and not is_counted
                returning reviews.package_id, stars
            ), starred as (
                update stars
                set is_counted = true
                from sold
                where (stars.package_id, stars.user_id) = (sold.package_id, sold.user_id)
                  and not is_counted
                returning stars.package_id
            ), gained as (
                select package_id, 1 as ratings, stars as rating, 0 as stars from reviewed
                union all
                select package_id, 0, 0, 1 from starred
            )
            insert into package_deltas (package_id, rating_count, rating_sum, star_count)
            select package_id, sum(ratings), sum(rating), sum(stars)
            from gained
            group by package_id;
        end if;
    end if;

    if are_refunded then
        with returned as (
            select id, new_rows.package_id, new_rows.buyer_id, new_rows.settled_at::date as sold_on,
                   new_rows.price_minor
            from old_rows
            join new_rows using (id)
            where is_owned(old_rows.state)
              and not is_owned(new_rows.state)
        ), refunded as (
            select *
            from returned
            where price_minor > 0
        ), reviewed as (
            update reviews
            set is_counted = false
            from refunded
            where (reviews.package_id, reviews.buyer_id) = (refunded.package_id, refunded.buyer_id)
              and is_counted
            returning reviews.package_id, stars
        ), starred as (
            update stars
            set is_counted = false
            from refunded
            where (stars.package_id, stars.user_id) = (refunded.package_id, refunded.buyer_id)
              and is_counted
            returning stars.package_id
        ), fetched as (
            delete from package_downloaders
            using refunded
            where purchase_id = refunded.id
            returning package_downloaders.package_id, counted_on
        ), counted as (
            insert into package_deltas (package_id, day, sales, buyers, downloaders, recent)
            select package_id, sold_on, -1, case when price_minor > 0 then -1 else 0 end, 0, 0 from returned
            union all
            select package_id, counted_on, 0, 0, -1, -1 from fetched
        ), lost as (
            select package_id, 1 as ratings, stars as rating, 0 as stars from reviewed
            union all
            select package_id, 0, 0, 1 from starred
        )
        update packages
        set rating_count = rating_count - less.ratings, rating_sum = rating_sum - less.rating,
            star_count = star_count - less.stars
        from (
            select package_id, sum(ratings) as ratings, sum(rating) as rating, sum(stars) as stars
            from lost
            group by package_id
        ) as less
        where packages.id = less.package_id;
    end if;
    return null;
end
$$;

-- As before, without its own row of counters.
create or replace function settle_purchases(
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

-- The application counts downloads; sales are counted where purchases change.
revoke insert (sales) on package_deltas from awareness_app;
