-- The check that no seller's earnings fall below zero, for less: with sequential scans forbidden its second
-- look, over the unfolded changes, had a cost at which PostgreSQL compiles a query, 50 ms each time, and it
-- took that look at whoever's balance fell. Now it ends unless a seller's did.
create or replace function check_sellers() returns trigger language plpgsql
    set jit = off
    security definer set search_path = public, pg_temp as $$
declare
    debited bigint[];
begin
    select array_agg(account_id)
    into debited
    from fresh
    where amount_minor < 0
      and account_version is null;
    if debited is null then
        return null;
    end if;
    perform from accounts
    where id = any(debited)
      and kind = 'seller_earnings'
    order by id
    for no key update;
    if not found then
        return null;
    end if;
    if exists (
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
    return null;
end
$$;

-- What a change of purchases does to reputation: a settlement runs the half for sales alone.
create or replace function keep_reputation() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    packages_sold uuid[];
    buyers uuid[];
    are_refunded boolean;
begin
    select array_agg(new_rows.package_id) filter (where is_owned(new_rows.state)),
           array_agg(new_rows.buyer_id) filter (where is_owned(new_rows.state)),
           bool_or(is_owned(old_rows.state))
    into packages_sold, buyers, are_refunded
    from old_rows
    join new_rows using (id)
    where is_owned(old_rows.state) <> is_owned(new_rows.state)
      and new_rows.price_minor > 0;

    if packages_sold is not null then
        insert into package_deltas (package_id, buyers)
        select package_id, count(*)
        from unnest(packages_sold) as package_id
        group by package_id;
        -- Few buyers have said anything before they own the package.
        if exists (
            select
            from unnest(packages_sold, buyers) as sold (package_id, user_id)
            where exists (select from reviews where package_id = sold.package_id and buyer_id = sold.user_id and not is_counted)
               or exists (select from stars where package_id = sold.package_id and user_id = sold.user_id and not is_counted)
        ) then
            with sold as (
                select * from unnest(packages_sold, buyers) as sold (package_id, user_id)
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
        with refunded as (
            select id, new_rows.package_id, new_rows.buyer_id, new_rows.settled_at::date as sold_on
            from old_rows
            join new_rows using (id)
            where is_owned(old_rows.state)
              and not is_owned(new_rows.state)
              and new_rows.price_minor > 0
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
            insert into package_deltas (package_id, day, buyers, downloaders, recent)
            select package_id, sold_on, -1, 0, 0 from refunded
            union all
            select package_id, counted_on, 0, -1, -1 from fetched
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
