-- What a package costs, to whom and how often: one listing per package, changed by its seller.
--
--   active ◀──▶ paused,  either ──▶ removed
--
-- `version` counts the seller's changes (the ETag); each version's price is kept for ever, so a
-- purchase or a quote names a price that really was asked. `api_key_id` is the key that gave
-- `webhook_url`, and signs what is sent there. `taken` counts live purchases of a limited or
-- exclusive listing; the trigger on purchases keeps it, and the check refuses one sale too many.
-- An unlimited listing counts nothing here: its row would be hot.
create table listings (
    package_id   uuid        primary key references packages,
    seller_id    uuid        not null references users,
    api_key_id   uuid        not null references api_keys,
    price_minor  bigint      not null,
    currency     text        not null default 'USD',
    licence_mode text        not null default 'unlimited',
    supply       integer,
    taken        integer     not null default 0,
    status       text        not null default 'active',
    webhook_url  text,
    version      bigint      not null default 1,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now(),
    constraint listings_price_range check (price_minor between 0 and 100000000),
    constraint listings_currency_shape check (currency ~ '^[A-Z]{3}$'),
    constraint listings_licence_mode_known check (licence_mode in ('unlimited', 'limited', 'exclusive')),
    constraint listings_status_known check (status in ('active', 'paused', 'removed')),
    constraint listings_supply_fits_mode check (
        case licence_mode
            when 'unlimited' then supply is null and taken = 0
            when 'exclusive' then supply is not null and supply = 1
            else supply is not null and supply between 1 and 1000000
        end
    ),
    constraint listings_not_oversold check (taken between 0 and coalesce(supply, 0))
);
create index listings_seller_id on listings (seller_id, package_id);
create index listings_api_key_id on listings (api_key_id);

-- How an upload is to be sold once it is published.
alter table uploads
    add column licence_mode text not null default 'unlimited',
    add column supply integer,
    add constraint uploads_licence_mode_known check (licence_mode in ('unlimited', 'limited', 'exclusive')),
    add constraint uploads_supply_fits_mode check (
        case licence_mode
            when 'unlimited' then supply is null
            when 'exclusive' then supply is not null and supply = 1
            else supply is not null and supply between 1 and 1000000
        end
    );

create table listing_versions (
    package_id   uuid        not null references listings,
    version      bigint      not null,
    price_minor  bigint      not null,
    currency     text        not null,
    licence_mode text        not null,
    at           timestamptz not null default now(),
    primary key (package_id, version)
);
create trigger listing_versions_append_only before update or delete or truncate on listing_versions
    for each statement execute function refuse_change();

-- Each change of a seller is a new version, one higher, and kept. (pg_temp is named, and last, so that
-- nobody's temporary table stands in for ours.)
create function keep_listing_version() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    if tg_op = 'UPDATE' then
        if new.package_id <> old.package_id or new.seller_id <> old.seller_id then
            raise exception 'a listing keeps its package and its seller'
                using errcode = 'check_violation', constraint = 'listings_keep_identity';
        end if;
        if (new.version, new.price_minor, new.currency, new.licence_mode, new.supply, new.status,
            new.api_key_id, new.webhook_url)
           is not distinct from
           (old.version, old.price_minor, old.currency, old.licence_mode, old.supply, old.status,
            old.api_key_id, old.webhook_url) then
            return null;
        end if;
        if old.status = 'removed' then
            raise exception 'a removed listing stays as it is'
                using errcode = 'check_violation', constraint = 'listings_removed_for_good';
        end if;
        if new.licence_mode <> old.licence_mode and exists (
            select
            from purchases
            where package_id = new.package_id
              and state not in ('failed', 'refunded')
        ) then
            raise exception 'a listing that is sold keeps its licence mode'
                using errcode = 'check_violation', constraint = 'listings_sold_as_listed';
        end if;
        if new.version <> old.version + 1 then
            raise exception 'a change of a listing is its next version'
                using errcode = 'check_violation', constraint = 'listings_version_counts';
        end if;
    end if;
    insert into listing_versions (package_id, version, price_minor, currency, licence_mode)
    values (new.package_id, new.version, new.price_minor, new.currency, new.licence_mode);
    return null;
end
$$;
create trigger listings_keep_versions after insert or update on listings
    for each row execute function keep_listing_version();

insert into listings (package_id, seller_id, api_key_id, price_minor, currency, status, webhook_url, created_at)
select packages.id, packages.owner_id, uploads.api_key_id, packages.price_minor, packages.currency,
       packages.status, uploads.webhook_url, packages.created_at
from packages
join uploads on uploads.id = packages.upload_id;

alter table packages
    drop column price_minor,
    drop column currency,
    drop column status,
    add column sales bigint not null default 0;

-- Sales and downloads since the last fold: a popular package's row is not written for each of them.
create table package_deltas (
    id         bigint generated always as identity primary key,
    package_id uuid   not null,
    sales      bigint not null default 0,
    downloads  bigint not null default 0
);

-- The advisory lock of a listing: shared by its buyers, exclusive for its seller and where supply is
-- limited. It keeps them in line; what guards the sale are the constraints.
create function listing_lock(package uuid) returns bigint language sql immutable parallel safe
    return uuid_hash_extended(package, 1);

revoke insert, update, delete, truncate on listing_versions from awareness_app;
revoke update, delete, truncate on listings from awareness_app;
grant update (price_minor, currency, licence_mode, supply, status, api_key_id, webhook_url, version, updated_at)
    on listings to awareness_app;
revoke execute on all functions in schema public from public;
