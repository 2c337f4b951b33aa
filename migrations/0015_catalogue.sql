-- What buyers look for: categories, tags, versions, reviews, and the shelf that browsing and search
-- read. pg_trgm finds the word that a misspelt one was meant to be.
create extension if not exists pg_trgm;

-- How an upload is to stand in the catalogue. A later version of a package names the first one, its
-- line; while such an upload lives, nobody else publishes that version.
alter table uploads
    add column category text,
    add column tags text[] not null default '{}',
    add column semver text not null default '1.0.0',
    add column line_id uuid references packages,
    add column is_draft boolean not null default false;
create unique index uploads_one_per_version on uploads (line_id, semver)
    where line_id is not null and status not in ('failed', 'expired');

alter table packages
    add column category text,
    add column tags text[] not null default '{}',
    add column semver text not null default '1.0.0',
    add column line_id uuid,
    add column is_latest boolean not null default true,
    add column source_dimension integer,
    add column target_dimension integer,
    add column rating_count bigint not null default 0,
    add column rating_sum bigint not null default 0,
    add column star_count bigint not null default 0,
    add column details_version bigint not null default 1;
update packages set line_id = id;
alter table packages
    alter column line_id set not null,
    add constraint packages_one_per_version unique (line_id, semver);

-- A package may be published as a draft, which its seller alone sees; nothing becomes one again.
alter table listings
    drop constraint listings_status_known,
    add constraint listings_status_known check (status in ('draft', 'active', 'paused', 'removed'));
create function check_draft() returns trigger language plpgsql as $$
begin
    if new.status = 'draft' and old.status <> 'draft' then
        raise exception 'what was shown is no draft'
            using errcode = 'check_violation', constraint = 'listings_drafts_begin';
    end if;
    return new;
end
$$;
create trigger listings_drafts before update of status on listings
    for each row execute function check_draft();

-- One review of a buyer about a package that it bought; the seller may answer it.
create table reviews (
    id         uuid        primary key,
    package_id uuid        not null references packages,
    buyer_id   uuid        not null references users,
    stars      smallint    not null,
    body       text,
    reply      text,
    replied_at timestamptz,
    version    bigint      not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint reviews_one_per_buyer unique (package_id, buyer_id),
    constraint reviews_stars_range check (stars between 1 and 5),
    constraint reviews_body_length check (length(body) <= 2000),
    constraint reviews_reply_length check (length(reply) <= 2000)
);
create index reviews_buyer_id on reviews (buyer_id);
create index reviews_list on reviews (package_id, id desc);

-- Who marked a package to come back to it.
create table stars (
    package_id uuid        not null references packages,
    user_id    uuid        not null references users,
    created_at timestamptz not null default now(),
    primary key (package_id, user_id)
);
create index stars_user_id on stars (user_id, created_at);

create function count_review() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    more integer := (tg_op <> 'DELETE')::integer - (tg_op <> 'INSERT')::integer;
    sum integer := (case when tg_op = 'DELETE' then 0 else new.stars end)
        - (case when tg_op = 'INSERT' then 0 else old.stars end);
begin
    update packages
    set rating_count = rating_count + more, rating_sum = rating_sum + sum
    where id = coalesce(new.package_id, old.package_id);
    return null;
end
$$;
create trigger reviews_counted after insert or update of stars or delete on reviews
    for each row execute function count_review();

create function count_star() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    update packages
    set star_count = star_count + (case when tg_op = 'DELETE' then -1 else 1 end)
    where id = coalesce(new.package_id, old.package_id);
    return null;
end
$$;
create trigger stars_counted after insert or delete on stars
    for each row execute function count_star();

-- Sales and downloads by day, for what is trending.
create table package_days (
    package_id uuid   not null references packages,
    day        date   not null,
    sales      bigint not null default 0,
    downloads  bigint not null default 0,
    primary key (package_id, day)
);
create index package_days_day on package_days (day);

-- A model's name as it is compared: `GPT-4`, `gpt 4` and `openai/gpt-4` are one.
create function model_key(name text) returns text language sql immutable parallel safe
    return regexp_replace(lower(regexp_replace(name, '^.*/', '')), '[^a-z0-9]', '', 'g');

-- Words whose punctuation is taken out: `GPT-3.5-Turbo` is gpt35turbo.
create function squeezed(texts text) returns text language sql immutable parallel safe
    return regexp_replace(lower(texts), '([[:alnum:]])[-._/]+(?=[[:alnum:]])', '\1', 'g');

-- What a name is found by.
create function shelf_name_search(name text) returns tsvector language sql immutable parallel safe
    return to_tsvector('english', name) || to_tsvector('simple', squeezed(name));

-- What a package is found by: its name before its models, those and its tags before what it says.
create function shelf_search(
    name text, source_model text, target_model text, category text, tags text[], description text
) returns tsvector language sql immutable parallel safe
    return setweight(shelf_name_search(name), 'A')
        || setweight(to_tsvector('simple', model_key(source_model) || ' ' || model_key(target_model)), 'B')
        || setweight(to_tsvector('simple', source_model || ' ' || target_model), 'B')
        || setweight(to_tsvector('english', coalesce(category, '') || ' ' || array_to_string(tags, ' ')), 'B')
        || setweight(to_tsvector('english', description), 'C')
        || setweight(to_tsvector('simple', squeezed(description)), 'D');

-- One narrow row per package with all that browsing filters, sorts and searches by, kept by triggers.
-- `is_shown`: for sale, and the latest version of its line. `popularity` is what relevance is blended
-- with: downloads (logarithmic), the rating pulled towards 3.5 as if eight had said so, evidence.
create table shelf (
    package_id       uuid             primary key references packages,
    is_shown         boolean          not null,
    is_active        boolean          not null,
    package_type     text             not null,
    name             text             not null,
    category         text,
    tags             text[]           not null,
    source_key       text             not null,
    target_key       text             not null,
    source_dimension integer,
    target_dimension integer,
    seller_id        uuid             not null,
    tier             text,
    evidence_rank    smallint         not null,
    epsilon          double precision not null,
    price_minor      bigint           not null,
    downloads        bigint           not null,
    rating           double precision not null,
    popularity       double precision not null,
    published_at     timestamptz      not null,
    search           tsvector         not null,
    name_search      tsvector         not null
) with (fillfactor = 80);
create index shelf_search_index on shelf using gin (search) where is_shown;
create index shelf_name_search_index on shelf using gin (name_search) where is_shown;
create index shelf_popularity on shelf (popularity desc, package_id desc) where is_shown;
create index shelf_newest on shelf (published_at desc, package_id desc) where is_shown;
create index shelf_downloads on shelf (downloads desc, package_id desc) where is_shown;
create index shelf_rating on shelf (rating desc, package_id desc) where is_shown;
create index shelf_price on shelf (price_minor, package_id) where is_shown;
create index shelf_epsilon on shelf (epsilon, package_id) where is_shown;
create index shelf_models on shelf (source_key, target_key, epsilon) where is_shown;
create index shelf_targets on shelf (target_key, epsilon) where is_shown;
create index shelf_tags on shelf using gin (tags) where is_shown;
create index shelf_seller on shelf (seller_id, published_at desc) where is_shown;

-- Every word that is on the shelf, for misspelt ones.
create table shelf_words (
    word text collate "C" primary key
);
create index shelf_words_similar on shelf_words using gin (word gin_trgm_ops);

create function evidence_rank(level text) returns smallint language sql immutable parallel safe
    return coalesce(array_position(array['declared', 'self-attested', 'challenged', 'verified'], level), 1)::smallint;

create function rating_of(stars bigint, reviews bigint) returns double precision language sql immutable parallel safe
    return (stars + 28.0) / (reviews + 8.0);

create function popularity_of(
    downloads bigint, sales bigint, rating double precision, evidence smallint
) returns double precision language sql immutable parallel safe
    return ln(1 + greatest(downloads + 3 * sales, 0)) + (rating - 3.5) + 0.3 * evidence;

create function shelve(package uuid) returns void language sql
    security definer set search_path = public, pg_temp as $$
    insert into shelf (
        package_id, is_shown, is_active, package_type, name, category, tags, source_key, target_key,
        source_dimension, target_dimension, seller_id, tier, evidence_rank, epsilon, price_minor, downloads, rating,
        popularity, published_at, search, name_search
    )
    select
        packages.id, status = 'active' and is_latest, status = 'active', package_type, name, category, tags,
        model_key(source_model), model_key(target_model), source_dimension, target_dimension, seller_id, tier,
        evidence_rank(evidence_level), coalesce(epsilon_measured, epsilon_declared), price_minor, downloads,
        rating_of(rating_sum, rating_count),
        popularity_of(downloads, sales, rating_of(rating_sum, rating_count), evidence_rank(evidence_level)),
        packages.created_at, shelf_search(name, source_model, target_model, category, tags, description),
        shelf_name_search(name)
    from packages
    join listings on package_id = packages.id
    where packages.id = package
    on conflict (package_id) do update
    set is_shown = excluded.is_shown, is_active = excluded.is_active, name = excluded.name,
        category = excluded.category, tags = excluded.tags, tier = excluded.tier,
        evidence_rank = excluded.evidence_rank, epsilon = excluded.epsilon, price_minor = excluded.price_minor,
        downloads = excluded.downloads, rating = excluded.rating, popularity = excluded.popularity,
        search = excluded.search, name_search = excluded.name_search
$$;

create function keep_words(package uuid) returns void language sql
    security definer set search_path = public, pg_temp as $$
    insert into shelf_words (word)
    select distinct word
    from packages,
        regexp_split_to_table(
            squeezed(name || ' ' || source_model || ' ' || target_model || ' ' || description || ' '
                || coalesce(category, '') || ' ' || array_to_string(tags, ' ')),
            '[^[:alnum:]]+'
        ) as word
    where id = package
      and length(word) between 3 and 40
    on conflict do nothing
$$;

create function keep_shelf() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    if tg_table_name = 'listings' then
        perform shelve(new.package_id);
        if tg_op = 'INSERT' then
            perform keep_words(new.package_id);
        end if;
    else
        perform shelve(new.id);
        perform keep_words(new.id);
    end if;
    return null;
end
$$;

-- Figures move often, and no word with them.
create function keep_figures() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    new_rating double precision := rating_of(new.rating_sum, new.rating_count);
begin
    update shelf
    set downloads = new.downloads, rating = new_rating,
        popularity = popularity_of(new.downloads, new.sales, new_rating, evidence_rank)
    where package_id = new.id;
    return null;
end
$$;
create trigger listings_on_shelf after insert or update of price_minor, status on listings
    for each row execute function keep_shelf();
create trigger packages_on_shelf after update of
    name, description, category, tags, is_latest, epsilon_measured, evidence_level, tier on packages
    for each row execute function keep_shelf();
create trigger packages_figures_on_shelf after update of downloads, sales, rating_count, rating_sum on packages
    for each row execute function keep_figures();

select shelve(id), keep_words(id) from packages;

revoke insert, update, delete, truncate on shelf, shelf_words from awareness_app;
revoke execute on all functions in schema public from public;
grant execute on all functions in schema public to awareness_app;
