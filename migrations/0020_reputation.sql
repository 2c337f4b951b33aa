-- Reputation is what paying accounts say and do: each counts once for a package, while it has paid for it
-- and was not refunded. Ratings, stars, popularity, the order by downloads and what is trending are made
-- of that. `sales` and `downloads` of a package stay the plain counts of events.

-- `buyers`: accounts that have paid for the package. `downloaders`: those of them that fetched it.
alter table packages
    add column buyers bigint not null default 0,
    add column downloaders bigint not null default 0;

-- Whether it has weight. Triggers say so, nobody else.
alter table reviews add column is_counted boolean not null default false;
alter table stars add column is_counted boolean not null default false;

-- `day` is the day that the count belongs to: what is taken back is taken from where it was added.
-- `recent` are downloaders that count on that day for what is trending.
alter table package_deltas
    add column day date not null default current_date,
    add column buyers bigint not null default 0,
    add column downloaders bigint not null default 0,
    add column recent bigint not null default 0,
    add column rating_count bigint not null default 0,
    add column rating_sum bigint not null default 0,
    add column star_count bigint not null default 0;

-- Who fetched what it paid for, and the day on which that last counted as trending: once in seven days.
create table package_downloaders (
    purchase_id uuid primary key references purchases,
    package_id  uuid not null,
    first_on    date not null default current_date,
    counted_on  date not null default current_date
);
create index package_downloaders_package_id on package_downloaders (package_id);

create function has_paid(buyer uuid, package uuid) returns boolean language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    bought text;
begin
    -- Locked, so that a settlement or a refund comes before or after.
    select state
    into bought
    from purchases
    where buyer_id = buyer
      and package_id = package
      and price_minor > 0
      and state not in ('failed', 'refunded')
    for share;
    return coalesce(bought in ('settled', 'disputed'), false);
end
$$;

create function weigh_review() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    new.is_counted := has_paid(new.buyer_id, new.package_id);
    return new;
end
$$;
create trigger reviews_weighed before insert or update of stars on reviews
    for each row execute function weigh_review();

create function weigh_star() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    new.is_counted := has_paid(new.user_id, new.package_id);
    return new;
end
$$;
create trigger stars_weighed before insert on stars
    for each row execute function weigh_star();

create or replace function count_review() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    before integer := case when tg_op <> 'INSERT' and old.is_counted then 1 else 0 end;
    after integer := case when tg_op <> 'DELETE' and new.is_counted then 1 else 0 end;
    stars_before integer := case when before = 1 then old.stars else 0 end;
    stars_after integer := case when after = 1 then new.stars else 0 end;
begin
    update packages
    set rating_count = rating_count + after - before, rating_sum = rating_sum + stars_after - stars_before
    where id = coalesce(new.package_id, old.package_id)
      and (before, stars_before) <> (after, stars_after);
    return null;
end
$$;

create or replace function count_star() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    star stars := coalesce(new, old);
begin
    update packages
    set star_count = star_count + (case when tg_op = 'DELETE' then -1 else 1 end)
    where id = star.package_id
      and star.is_counted;
    return null;
end
$$;

-- A sale gives weight to what its buyer said or says, a refund takes it away. What a sale adds is folded
-- later, because many settle at once; a refund is alone in its transaction, and seen at once.
create function is_owned(purchase_state text) returns boolean language sql immutable parallel safe
    return purchase_state in ('settled', 'disputed');

create function keep_reputation() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    if not exists (
        select
        from old_rows
        join new_rows using (id)
        where is_owned(old_rows.state) <> is_owned(new_rows.state)
    ) then
        return null;
    end if;
    with sold as (
        select new_rows.package_id, new_rows.buyer_id
        from old_rows
        join new_rows using (id)
        where not is_owned(old_rows.state)
          and is_owned(new_rows.state)
          and new_rows.price_minor > 0
    ), reviewed as (
        update reviews
        set is_counted = true
        from sold
        where (reviews.package_id, reviews.buyer_id) = (sold.package_id, sold.buyer_id)
          and not is_counted
        returning reviews.package_id, stars
    ), starred as (
        update stars
        set is_counted = true
        from sold
        where (stars.package_id, stars.user_id) = (sold.package_id, sold.buyer_id)
          and not is_counted
        returning stars.package_id
    ), gained as (
        select package_id, 1 as buyers, 0 as ratings, 0 as rating, 0 as stars from sold
        union all
        select package_id, 0, 1, stars, 0 from reviewed
        union all
        select package_id, 0, 0, 0, 1 from starred
    )
    insert into package_deltas (package_id, buyers, rating_count, rating_sum, star_count)
    select package_id, sum(buyers), sum(ratings), sum(rating), sum(stars)
    from gained
    group by package_id;

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
    return null;
end
$$;
create trigger purchases_reputation after update on purchases
    referencing old table as old_rows new table as new_rows
    for each statement execute function keep_reputation();

-- Figures that rank: `downloads` of the shelf are accounts.
create or replace function keep_figures() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    new_rating double precision := rating_of(new.rating_sum, new.rating_count);
begin
    update shelf
    set downloads = new.downloaders, rating = new_rating,
        popularity = popularity_of(new.downloaders, new.buyers, new_rating, evidence_rank)
    where package_id = new.id;
    return null;
end
$$;
create or replace trigger packages_figures_on_shelf
    after update of downloaders, buyers, rating_count, rating_sum on packages
    for each row execute function keep_figures();

-- All of it once, from what has happened so far.
insert into package_downloaders (purchase_id, package_id, first_on, counted_on)
select purchase_id, downloads.package_id, min(at)::date, max(at)::date
from downloads
join purchases on purchases.id = purchase_id
where is_owned(state)
  and price_minor > 0
group by purchase_id, downloads.package_id;
update reviews set is_counted = true where has_paid(buyer_id, package_id);
update stars set is_counted = true where has_paid(user_id, package_id);
update packages
set rating_count = (select count(*) from reviews where package_id = packages.id and is_counted),
    rating_sum = (select coalesce(sum(stars), 0) from reviews where package_id = packages.id and is_counted),
    star_count = (select count(*) from stars where package_id = packages.id and is_counted),
    buyers = (select count(*) from purchases where package_id = packages.id and is_owned(state) and price_minor > 0),
    downloaders = (select count(*) from package_downloaders where package_id = packages.id);
truncate package_days;
insert into package_days (package_id, day, sales, downloads)
select package_id, day, sum(sales), sum(downloads)
from (
    select package_id, settled_at::date as day, 1 as sales, 0 as downloads
    from purchases
    where is_owned(state)
      and price_minor > 0
    union all
    select package_id, counted_on, 0, 1
    from package_downloaders
) as counted
group by package_id, day;

revoke delete, truncate on package_downloaders from awareness_app;
revoke execute on all functions in schema public from public;
grant execute on all functions in schema public to awareness_app;
