-- Only what everybody may see shapes what everybody is shown: lists, counts, and the words that spelling
-- is corrected by. And a claim never outranks a measurement.

-- The one rule of what is on the market.
create function is_on_market(
    listing_status text, taken_down_at timestamptz, seller_blocked_at timestamptz
) returns boolean language sql immutable parallel safe
    return listing_status = 'active' and taken_down_at is null and seller_blocked_at is null;

-- A draft is not the latest version of anything before it is published.
update packages
set is_latest = packages.id = newest.id
from (
    select distinct on (line_id) line_id, packages.id
    from packages
    join listings on package_id = packages.id
    where status <> 'draft'
    order by line_id, packages.id desc
) as newest
where newest.line_id = packages.line_id
  and is_latest <> (packages.id = newest.id);
update packages
set is_latest = false
from listings
where package_id = packages.id
  and status = 'draft'
  and is_latest;
-- (Later versions have later ids.)
create function keep_latest() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    line uuid := (select line_id from packages where id = new.package_id);
begin
    if exists (
        select
        from packages
        join listings on package_id = packages.id
        where line_id = line
          and packages.id > new.package_id
          and status <> 'draft'
    ) then
        return null;
    end if;
    update packages
    set is_latest = id = new.package_id
    where line_id = line
      and is_latest <> (id = new.package_id);
    return null;
end
$$;
create trigger listings_latest after update of status on listings
    for each row when (old.status = 'draft' and new.status in ('active', 'paused'))
    execute function keep_latest();

-- Tiers are bands of the measured epsilon.
update packages set tier = null where epsilon_measured is null;
alter table packages
    add constraint packages_tier_is_measured check (tier is null or epsilon_measured is not null);

-- `epsilon_order` is what epsilons sort by: measured ones as they are, declared ones behind all of those.
-- (Neither is ever above a thousand.)
alter table shelf
    add column is_measured boolean not null default false,
    add column epsilon_order double precision not null default 0;
drop index shelf_epsilon, shelf_models, shelf_targets;
create index shelf_epsilon on shelf (epsilon_order, package_id) where is_shown;
create index shelf_models on shelf (source_key, target_key, epsilon_order) where is_shown;
create index shelf_targets on shelf (target_key, epsilon_order) where is_shown;

create function epsilon_order(measured double precision, declared double precision)
    returns double precision language sql immutable parallel safe
    return coalesce(measured, 1000000 + declared);

-- Which package on the market has which word: a word that is in none of them is no word. `shelf_words`
-- has each once, to be compared with; what is left of it there is swept.
create table shelf_word_packages (
    word       text collate "C",
    package_id uuid references packages,
    primary key (word, package_id)
);
create index shelf_word_packages_package_id on shelf_word_packages (package_id);

create function words_of(texts text) returns setof text language sql immutable parallel safe
begin atomic
    -- A number is never misspelt.
    select distinct word
    from regexp_split_to_table(squeezed(texts), '[^[:alnum:]]+') as word
    where length(word) between 3 and 40
      and word !~ '^[0-9]+$';
end;

create or replace function keep_words(package uuid) returns void language sql
    security definer set search_path = public, pg_temp as $$
    with said as (
        select word
        from packages
        join shelf on package_id = id,
            words_of(
                packages.name || ' ' || source_model || ' ' || target_model || ' ' || description || ' '
                    || coalesce(packages.category, '') || ' ' || array_to_string(packages.tags, ' ')
            ) as word
        where id = package
          and is_shown
    ), gone as (
        delete from shelf_word_packages
        where package_id = package
          and word not in (select word from said)
    ), kept as (
        insert into shelf_words (word)
        select word
        from said
        on conflict do nothing
    )
    insert into shelf_word_packages (word, package_id)
    select word, package
    from said
    on conflict do nothing
$$;

create or replace function shelve(package uuid) returns void language sql
    security definer set search_path = public, pg_temp as $$
    insert into shelf (
        package_id, is_shown, is_active, package_type, name, category, tags, source_key, target_key,
        source_dimension, target_dimension, seller_id, tier, evidence_rank, epsilon, is_measured, epsilon_order,
        price_minor, downloads, rating, popularity, published_at, search, name_search
    )
    select
        packages.id, is_on_market(status, taken_down_at, blocked_at) and is_latest,
        is_on_market(status, taken_down_at, blocked_at), package_type, packages.name, category, tags,
        model_key(source_model), model_key(target_model), source_dimension, target_dimension, seller_id, tier,
        evidence_rank(evidence_level), coalesce(epsilon_measured, epsilon_declared), epsilon_measured is not null,
        epsilon_order(epsilon_measured, epsilon_declared), price_minor, downloaders,
        rating_of(rating_sum, rating_count),
        popularity_of(downloaders, buyers, rating_of(rating_sum, rating_count), evidence_rank(evidence_level)),
        packages.created_at, shelf_search(packages.name, source_model, target_model, category, tags, description),
        shelf_name_search(packages.name)
    from packages
    join listings on package_id = packages.id
    join users on users.id = seller_id
    where packages.id = package
    on conflict (package_id) do update
    set is_shown = excluded.is_shown, is_active = excluded.is_active, name = excluded.name,
        category = excluded.category, tags = excluded.tags, tier = excluded.tier,
        evidence_rank = excluded.evidence_rank, epsilon = excluded.epsilon, is_measured = excluded.is_measured,
        epsilon_order = excluded.epsilon_order, price_minor = excluded.price_minor, downloads = excluded.downloads,
        rating = excluded.rating, popularity = excluded.popularity, search = excluded.search,
        name_search = excluded.name_search
$$;

-- The words follow the row: what leaves the market takes its words along.
create or replace function keep_shelf() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    package uuid := case when tg_table_name = 'listings' then (to_jsonb(new) ->> 'package_id')::uuid
        else (to_jsonb(new) ->> 'id')::uuid end;
begin
    perform shelve(package);
    perform keep_words(package);
    return null;
end
$$;
create or replace trigger packages_on_shelf after update of
    name, description, category, tags, is_latest, epsilon_measured, evidence_level, tier, taken_down_at on packages
    for each row execute function keep_shelf();

create function keep_seller_on_shelf() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    package uuid;
begin
    for package in select package_id from listings where seller_id = new.id order by package_id loop
        perform shelve(package);
        perform keep_words(package);
    end loop;
    return null;
end
$$;
create trigger users_on_shelf after update of blocked_at on users
    for each row when ((new.blocked_at is null) <> (old.blocked_at is null))
    execute function keep_seller_on_shelf();

truncate shelf_words;
select shelve(id) from packages;
select keep_words(id) from packages;

-- Words that left the market, so many at once; and words that came back while they were swept.
create function sweep_words(rows_max bigint) returns bigint language sql
    security definer set search_path = public, pg_temp as $$
    insert into shelf_words (word)
    select distinct word
    from shelf_word_packages
    where not exists (select from shelf_words where shelf_words.word = shelf_word_packages.word)
    limit rows_max
    on conflict do nothing;
    with gone as (
        delete from shelf_words
        where word in (
            select word
            from shelf_words
            where not exists (select from shelf_word_packages where shelf_word_packages.word = shelf_words.word)
            limit rows_max
        )
        returning word
    )
    select count(*) from gone
$$;

-- Moves so many counts into the rows of their packages. Whoever calls it has no right to those figures.
create function fold_counters(rows_max bigint) returns bigint language sql
    security definer set search_path = public, pg_temp as $$
    with taken as (
        delete from package_deltas
        where id in (
            select id
            from package_deltas
            order by id
            limit rows_max
            for update skip locked
        )
        returning package_id, day, sales, downloads, buyers, downloaders, recent, rating_count, rating_sum,
            star_count
    ), summed as (
        select package_id, sum(sales) as sales, sum(downloads) as downloads, sum(buyers) as buyers,
            sum(downloaders) as downloaders, sum(rating_count) as rating_count, sum(rating_sum) as rating_sum,
            sum(star_count) as star_count
        from taken
        group by package_id
    ), dated as (
        -- What trends is counted in accounts; see the migration on reputation.
        insert into package_days (package_id, day, sales, downloads)
        select package_id, day, sum(buyers), sum(recent)
        from taken
        group by package_id, day
        having sum(buyers) <> 0
            or sum(recent) <> 0
        on conflict (package_id, day) do update
        set sales = package_days.sales + excluded.sales,
            downloads = package_days.downloads + excluded.downloads
    ), added as (
        update packages
        set sales = packages.sales + summed.sales, downloads = packages.downloads + summed.downloads,
            buyers = packages.buyers + summed.buyers, downloaders = packages.downloaders + summed.downloaders,
            rating_count = packages.rating_count + summed.rating_count,
            rating_sum = packages.rating_sum + summed.rating_sum,
            star_count = packages.star_count + summed.star_count
        from summed
        where packages.id = summed.package_id
    )
    select count(*) from taken
$$;

revoke insert, update, delete, truncate on shelf_word_packages from awareness_app;
revoke execute on all functions in schema public from public;
grant execute on all functions in schema public to awareness_app;
