-- What one party without means could take from others: supply that nobody pays for, goods that are
-- handed back and sold on, and earnings that a refund takes back after they were paid out.

-- Supply is taken by who pays. A purchase that waits for its payment takes none until the card provider
-- has accepted the payment method (`reserved_until`, minutes later), and none any more once that time
-- is over. Whatever is paid takes supply, so nothing is sold twice.
--
-- `reserved_until` stays when the reservation is over: an account does not reserve the same listing
-- again and again. `payer_key_id` is the key that paid, if another than the one that asked: its budget
-- counts the purchase. `return_reason` is why a buyer handed back what was downloaded.
alter table purchases
    add column takes_supply boolean not null default true,
    add column reserved_until timestamptz,
    add column payer_key_id uuid references api_keys,
    add column return_reason text;
update purchases
set reserved_until = expires_at
where state in ('awaiting_payment', 'payment_unknown');
alter table purchases
    add constraint purchases_paid_takes_supply check (
        takes_supply or state in ('awaiting_payment', 'payment_unknown', 'failed')
    ),
    add constraint purchases_reservation_ends check (
        not takes_supply or state not in ('awaiting_payment', 'payment_unknown') or reserved_until is not null
    ),
    add constraint purchases_return_reason_known check (
        return_reason in ('not_as_described', 'does_not_work', 'bought_by_mistake', 'other')
    ),
    add constraint purchases_returned_is_refunded check (return_reason is null or state = 'refunded');
drop index purchases_exclusive_once;
create unique index purchases_exclusive_once on purchases (package_id)
    where licence_mode = 'exclusive' and takes_supply and state not in ('failed', 'refunded');
-- Reservations, and what a budget counts.
create index purchases_reserved on purchases (package_id, reserved_until)
    where takes_supply and state in ('awaiting_payment', 'payment_unknown');
drop index purchases_api_key_id;
create index purchases_api_key_id on purchases (api_key_id, created_at);
create index purchases_payer_key_id on purchases (payer_key_id, created_at) where payer_key_id is not null;
create index purchases_returned on purchases (buyer_id, finished_at) where return_reason is not null;

-- Purchases that take supply of a limited or exclusive listing are counted in its row.
create or replace function count_taken() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    took boolean := tg_op = 'UPDATE' and old.takes_supply and old.state not in ('failed', 'refunded');
    takes boolean := new.takes_supply and new.state not in ('failed', 'refunded');
begin
    if took <> takes then
        update listings
        set taken = taken + case when takes then 1 else -1 end
        where package_id = new.package_id;
    end if;
    return null;
end
$$;
drop trigger purchases_count_when_ended on purchases;
create trigger purchases_count_when_changed after update of state, takes_supply on purchases
    for each row when (new.licence_mode <> 'unlimited') execute function count_taken();

-- Supply is taken under the licence that the listing still sells.
create function check_supply_taken() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    if not exists (
        select
        from listings
        where package_id = new.package_id
          and licence_mode = new.licence_mode
    ) then
        raise exception 'the listing is sold under another licence now'
            using errcode = 'check_violation', constraint = 'purchases_as_listed';
    end if;
    return new;
end
$$;
create trigger purchases_take_what_is_listed before update of takes_supply on purchases
    for each row when (new.takes_supply and not old.takes_supply) execute function check_supply_taken();

-- A listing keeps its licence mode while somebody has, or is paying for, a licence. Who only asked does
-- not bind its seller.
create or replace function keep_listing_version() returns trigger language plpgsql
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
              and takes_supply
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

-- A payment that is called off is cancelled at the provider; another may take its place. Should money
-- arrive for it nevertheless, it is credited to its payer, and its purchase is no concern of it any more.
alter table payments
    add column called_off_at timestamptz,
    drop constraint payments_one_per_purchase;
create unique index payments_one_per_purchase on payments (purchase_id) where called_off_at is null;
create index payments_purchase_id on payments (purchase_id);
create trigger payments_called_off_once before update of called_off_at on payments
    for each row when (old.called_off_at is not null and new.called_off_at is distinct from old.called_off_at)
    execute function refuse_change('payments_called_off_once');

-- The first account that published these bytes as a package: nobody else sells them.
create table originals (
    package_key text        primary key,
    owner_id    uuid        not null references users,
    at          timestamptz not null default now()
);
create index originals_owner_id on originals (owner_id);
create trigger originals_append_only before update or delete or truncate on originals
    for each statement execute function refuse_change();
insert into originals (package_key, owner_id, at)
select distinct on (package_key) package_key, owner_id, created_at
from packages
order by package_key, created_at, id;

create function check_original() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    insert into originals (package_key, owner_id)
    values (new.package_key, new.owner_id)
    on conflict do nothing;
    if not exists (select from originals where package_key = new.package_key and owner_id = new.owner_id) then
        raise exception 'another seller published these bytes first'
            using errcode = 'check_violation', constraint = 'packages_of_first_seller';
    end if;
    return new;
end
$$;
create trigger packages_are_originals before insert on packages
    for each row execute function check_original();

-- A seller's earnings never fall below zero: what is taken from them is looked at in the statement that
-- takes it, one transaction of a seller at a time. (Sales only add, and take no lock.)
create function check_sellers() returns trigger language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
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
create trigger entries_leave_sellers_above_zero after insert on entries
    referencing new table as fresh
    for each statement execute function check_sellers();

revoke insert, update, delete, truncate on originals from awareness_app;
revoke execute on all functions in schema public from public;
grant execute on all functions in schema public to awareness_app;
