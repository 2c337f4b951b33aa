-- Money. A double-entry ledger that only grows: transfers of two or more entries that sum to zero,
-- and holds that set a buyer's credits aside until a sale is settled. Amounts are minor units.
--
-- Whoever is connected, the schema refuses an unbalanced transfer, an overdraft, a balance that moves
-- without its entry or an entry without its balance, a second transfer for one purpose, and every
-- edit of history. The services act as the role awareness_app, which cannot write these tables at
-- all: it may only call the functions at the end. (They name pg_temp last: else a temporary table
-- of the caller would stand in front of ours.) `the_schema_refuses_what_wrong_code_would_do` tries
-- it as both.

-- The role of the services. A login role of its own may be made a member; the migrating role is one.
do $$
begin
    create role awareness_app nologin;
exception
    when duplicate_object or unique_violation then null;
end
$$;
do $$
begin
    execute format('grant awareness_app to %I', current_user);
exception
    when duplicate_object or unique_violation then null;
end
$$;
grant usage on schema public to awareness_app;
grant select, insert, update, delete on all tables in schema public to awareness_app;
alter default privileges in schema public grant select, insert, update, delete on tables to awareness_app;

-- One row per owner, purpose and currency; the platform itself is the nil owner.
--
-- * buyer_credits are guarded: each entry updates the row and carries the balance after it, and
--   balance - held never falls below zero.
-- * all others are appended to: their rows are hot, so an entry leaves a delta, and the deltas are
--   folded into the row twice a second. They may be negative: a seller's after a refund,
--   payments_clearing by as much as came in from outside.
create table accounts (
    id            bigint      generated always as identity primary key,
    owner_id      uuid        not null,
    kind          text        not null,
    currency      text        not null,
    balance_minor bigint      not null default 0,
    held_minor    bigint      not null default 0,
    version       bigint      not null default 0,
    created_at    timestamptz not null default now(),
    constraint accounts_one_per_purpose unique (owner_id, kind, currency),
    constraint accounts_kind_known check (
        kind in ('buyer_credits', 'seller_earnings', 'platform_fees', 'payments_clearing', 'payouts', 'refunds_reserve')
    ),
    constraint accounts_platform_is_nil check (
        (owner_id = '00000000-0000-0000-0000-000000000000')
        = (kind in ('platform_fees', 'payments_clearing', 'payouts', 'refunds_reserve'))
    ),
    constraint accounts_currency_shape check (currency ~ '^[A-Z]{3}$'),
    constraint accounts_balance_range check (balance_minor between -9000000000000000 and 9000000000000000),
    constraint accounts_held_positive check (held_minor >= 0),
    constraint accounts_hold_only_credits check (kind = 'buyer_credits' or held_minor = 0),
    constraint accounts_no_overdraft check (kind <> 'buyer_credits' or balance_minor - held_minor >= 0)
) with (fillfactor = 50);

-- One movement of money, for one purpose: `subject` is the purchase, payment, payout or dispute, and
-- each kind of transfer happens once for it. So no purchase is settled or refunded twice.
create table transfers (
    id        bigint      generated always as identity primary key,
    kind      text        not null,
    subject   uuid        not null,
    currency  text        not null,
    trace     text        not null,
    at        timestamptz not null default now(),
    xact      xid8        not null default pg_current_xact_id(),
    first_leg smallint    not null default 1,
    constraint transfers_once unique (kind, subject),
    constraint transfers_kind_known check (
        kind in ('top_up', 'adjustment', 'settlement', 'refund', 'dispute_freeze', 'dispute_release',
                 'payout', 'payout_paid', 'payout_returned')
    ),
    constraint transfers_first_leg_is_one check (first_leg = 1)
);

-- The legs of a transfer; positive is money that the account gains.
create table entries (
    transfer_id         bigint      not null,
    leg                 smallint    not null,
    account_id          bigint      not null,
    amount_minor        bigint      not null,
    account_version     bigint,
    balance_after_minor bigint,
    at                  timestamptz not null default now(),
    primary key (transfer_id, leg),
    constraint entries_move_something check (amount_minor <> 0),
    constraint entries_version_counts check (account_version > 0),
    constraint entries_version_with_balance check ((account_version is null) = (balance_after_minor is null))
);
create unique index entries_one_per_version on entries (account_id, account_version) where account_version is not null;
-- Statements, and balances as of a time without a look at the table.
create index entries_account on entries (account_id, transfer_id) include (at, amount_minor);
-- No transfer without legs. (No foreign key points at an account: it would write the hot row.)
alter table transfers
    add constraint transfers_have_legs foreign key (id, first_leg)
    references entries (transfer_id, leg) deferrable initially deferred;

-- What entries added to appended accounts since the last fold. Written by the trigger on entries
-- alone; whoever deletes a row thereby folds it into the balance.
create table account_deltas (
    id           bigint generated always as identity primary key,
    account_id   bigint not null,
    amount_minor bigint not null
);

-- Credits set aside. `id` is the purchase, whose deadline is the hold's.
--
--   pending ──▶ posted | voided | expired
create table holds (
    id           uuid        primary key,
    account_id   bigint      not null references accounts,
    amount_minor bigint      not null,
    state        text        not null default 'pending',
    created_at   timestamptz not null default now(),
    resolved_at  timestamptz,
    constraint holds_amount_positive check (amount_minor > 0),
    constraint holds_state_known check (state in ('pending', 'posted', 'voided', 'expired')),
    constraint holds_resolved_has_time check ((state = 'pending') = (resolved_at is null))
) with (fillfactor = 80);
-- The open ones of an account, and those that were open at a time.
create index holds_account on holds (account_id, resolved_at);

-- The guards.

-- Raises the constraint that its trigger names, or that the table is append-only.
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% refuses this %', tg_table_name, lower(tg_op)
        using errcode = 'check_violation', constraint = coalesce(tg_argv[0], tg_table_name || '_append_only');
end
$$;
create trigger transfers_append_only before update or delete or truncate on transfers
    for each statement execute function refuse_change();
create trigger entries_append_only before update or delete or truncate on entries
    for each statement execute function refuse_change();
create trigger accounts_never_deleted before delete or truncate on accounts
    for each statement execute function refuse_change();
create trigger holds_never_deleted before delete or truncate on holds
    for each statement execute function refuse_change();
create trigger accounts_begin_empty before insert on accounts
    for each row when (new.balance_minor <> 0 or new.held_minor <> 0 or new.version <> 0)
    execute function refuse_change('accounts_begin_empty');
-- Depth 0 is a statement of somebody; the triggers below write from depth 1.
create trigger accounts_move_by_deltas before update on accounts
    for each row when (
        pg_trigger_depth() = 0
        and new.kind <> 'buyer_credits'
        and (new.balance_minor <> old.balance_minor or new.version <> old.version)
    )
    execute function refuse_change('accounts_move_by_entries');
create trigger account_deltas_come_from_entries before insert or update or truncate on account_deltas
    for each statement when (pg_trigger_depth() = 0)
    execute function refuse_change('account_deltas_come_from_entries');

-- All legs of a transfer come in one statement of the transaction that wrote the transfer (it brings
-- leg 1, which comes once), each for an account of its own, balance, and fit their accounts. A guarded
-- account has moved before its entry is written. Those of appended accounts leave their deltas here and
-- nowhere else.
-- (The planner settings keep a plan made over empty tables from scanning full ones.)
create function check_entries() returns trigger language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
    security definer set search_path = public, pg_temp as $$
declare
    is_unbalanced boolean;
    is_in_parts boolean;
begin
    if exists (
        select
        from fresh
        left join transfers on transfers.id = fresh.transfer_id
        left join accounts on accounts.id = fresh.account_id
        where transfers.xact is distinct from pg_current_xact_id()
           or accounts.currency is distinct from transfers.currency
           or (accounts.kind = 'buyer_credits') is distinct from (fresh.account_version is not null)
           or accounts.version < fresh.account_version
           or fresh.at <> now()
           or transfers.at <> now()
    ) then
        raise exception 'an entry does not fit its transfer or its account'
            using errcode = 'check_violation', constraint = 'entries_fit';
    end if;
    select bool_or(is_wrong), bool_or(is_partial)
    into is_unbalanced, is_in_parts
    from (
        select sum(amount_minor) <> 0 or count(*) < 2 as is_wrong,
               min(leg) <> 1 or count(distinct account_id) <> count(*) as is_partial
        from fresh
        group by transfer_id
    ) as written;
    if is_unbalanced then
        raise exception 'a transfer does not balance'
            using errcode = 'check_violation', constraint = 'transfers_balance';
    end if;
    if is_in_parts then
        raise exception 'the legs of a transfer come at once, one for an account'
            using errcode = 'check_violation', constraint = 'entries_come_at_once';
    end if;
    insert into account_deltas (account_id, amount_minor)
    select account_id, sum(amount_minor)
    from fresh
    where account_version is null
    group by account_id;
    return null;
end
$$;
create trigger entries_are_checked after insert on entries
    referencing new table as fresh
    for each statement execute function check_entries();

-- A delta that goes is added to its account: rows in the order of their ids, as everywhere.
create function fold_deltas() returns trigger language plpgsql
    set enable_seqscan = off
    security definer set search_path = public, pg_temp as $$
begin
    perform from accounts
    where id in (select account_id from gone)
    order by id
    for no key update;
    update accounts
    set balance_minor = balance_minor + summed.amount_minor
    from (
        select account_id, sum(amount_minor) as amount_minor
        from gone
        group by account_id
    ) as summed
    where accounts.id = summed.account_id;
    return null;
end
$$;
create trigger account_deltas_are_folded after delete on account_deltas
    referencing old table as gone
    for each statement execute function fold_deltas();

-- A guarded balance moves by its entries alone, and `held` is the sum of the open holds. (These run for
-- each row of each sale: tables named in full cost nothing, a pinned search path a tenth of a millisecond.)
create function check_account() returns trigger language plpgsql as $$
declare
    is_told boolean := true;
begin
    if new.id <> old.id or new.owner_id <> old.owner_id or new.kind <> old.kind or new.currency <> old.currency then
        raise exception 'an account keeps its owner, kind and currency'
            using errcode = 'check_violation', constraint = 'accounts_keep_identity';
    end if;
    if new.kind <> 'buyer_credits' then
        return null;
    end if;
    if new.version = old.version + 1 then
        is_told := exists (
            select
            from public.entries
            where account_id = new.id
              and account_version = new.version
              and amount_minor = new.balance_minor - old.balance_minor
              and balance_after_minor = new.balance_minor
        );
    elsif new.version <> old.version or new.balance_minor <> old.balance_minor then
        select count(*) > 0
               and count(*) = new.version - old.version
               and sum(amount_minor) = new.balance_minor - old.balance_minor
               and bool_and(balance_after_minor = old.balance_minor + so_far)
        into is_told
        from (
            select amount_minor, balance_after_minor, sum(amount_minor) over (order by account_version) as so_far
            from public.entries
            where account_id = new.id
              and account_version > old.version
              and account_version <= new.version
        ) as step;
    end if;
    if not is_told then
        raise exception 'a balance moved without its entry'
            using errcode = 'check_violation', constraint = 'accounts_move_by_entries';
    end if;
    if (select held_minor from public.accounts where id = new.id)
       <> (select coalesce(sum(amount_minor), 0) from public.holds where account_id = new.id and resolved_at is null) then
        raise exception 'the amount held is not the sum of the open holds'
            using errcode = 'check_violation', constraint = 'accounts_held_is_sum_of_holds';
    end if;
    return null;
end
$$;
create constraint trigger accounts_are_checked after update on accounts
    deferrable initially deferred
    for each row execute function check_account();

create function check_hold() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' and new.state <> 'pending' then
        raise exception 'a hold begins as pending'
            using errcode = 'check_violation', constraint = 'holds_begin_pending';
    end if;
    if tg_op = 'UPDATE' and (
        old.state <> 'pending' or new.id <> old.id or new.account_id <> old.account_id
        or new.amount_minor <> old.amount_minor
    ) then
        raise exception 'a hold is resolved once and changes nothing else'
            using errcode = 'check_violation', constraint = 'holds_resolve_once';
    end if;
    if (select held_minor from public.accounts where id = new.account_id)
       <> (select coalesce(sum(amount_minor), 0) from public.holds where account_id = new.account_id and resolved_at is null) then
        raise exception 'the amount held is not the sum of the open holds'
            using errcode = 'check_violation', constraint = 'accounts_held_is_sum_of_holds';
    end if;
    return null;
end
$$;
create constraint trigger holds_are_checked after insert or update on holds
    deferrable initially deferred
    for each row execute function check_hold();

-- The functions: the only way in for the services.

-- The account of that owner and purpose, opened if there is none.
create function ledger_account(owner uuid, purpose text, money text) returns bigint language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    found_id bigint;
begin
    select id into found_id from accounts where owner_id = owner and kind = purpose and currency = money;
    if found_id is null then
        insert into accounts (owner_id, kind, currency)
        values (owner, purpose, money)
        on conflict on constraint accounts_one_per_purpose do nothing;
        select id into found_id from accounts where owner_id = owner and kind = purpose and currency = money;
    end if;
    return found_id;
end
$$;

-- Posts one transfer. Legs are parallel arrays; guarded accounts are locked in the order of their ids.
create function ledger_post(
    transfer_kind text, about uuid, money text, request text, owners uuid[], purposes text[], amounts bigint[]
) returns bigint language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    account_ids bigint[];
    posted_id bigint;
begin
    select array_agg(ledger_account(owner, purpose, money) order by ordinality)
    into account_ids
    from unnest(owners, purposes) with ordinality as leg (owner, purpose, ordinality);
    perform from accounts
    where id = any(account_ids)
      and kind = 'buyer_credits'
    order by id
    for no key update;
    insert into transfers (kind, subject, currency, trace)
    values (transfer_kind, about, money, request)
    returning id into posted_id;
    with leg as (
        select ordinality::smallint as number, account_id, amount
        from unnest(account_ids, amounts) with ordinality as leg (account_id, amount, ordinality)
    ), moved as (
        update accounts
        set balance_minor = balance_minor + leg.amount, version = version + 1
        from leg
        where accounts.id = leg.account_id
          and kind = 'buyer_credits'
        returning leg.number, accounts.version, accounts.balance_minor
    )
    insert into entries (transfer_id, leg, account_id, amount_minor, account_version, balance_after_minor)
    select posted_id, leg.number, leg.account_id, leg.amount, moved.version, moved.balance_minor
    from leg
    left join moved on moved.number = leg.number;
    return posted_id;
end
$$;

-- Sets credits aside; `accounts_no_overdraft` refuses what is not there.
create function ledger_hold(hold uuid, owner uuid, money text, amount bigint)
    returns void language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    held_account bigint := ledger_account(owner, 'buyer_credits', money);
begin
    update accounts set held_minor = held_minor + amount where id = held_account;
    insert into holds (id, account_id, amount_minor)
    values (hold, held_account, amount);
end
$$;

-- Gives credits back that were set aside. False if the hold was resolved before, or never was.
create function ledger_release(hold uuid, final_state text) returns boolean language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    released holds;
begin
    if final_state not in ('voided', 'expired') then
        raise exception 'a hold is released as voided or expired, and posted by its settlement';
    end if;
    update holds
    set state = final_state, resolved_at = now()
    where id = hold
      and state = 'pending'
    returning * into released;
    if released.id is null then
        return false;
    end if;
    update accounts
    set held_minor = held_minor - released.amount_minor
    where id = released.account_id;
    return true;
end
$$;

-- Folds deltas into the balances of appended accounts; returns how many there were.
create function ledger_fold(deltas_max integer) returns bigint language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    folded bigint;
begin
    delete from account_deltas
    where id in (select id from account_deltas order by id limit deltas_max for update skip locked);
    get diagnostics folded = row_count;
    return folded;
end
$$;

revoke insert, update, delete, truncate on accounts, transfers, entries, account_deltas, holds from awareness_app;
revoke execute on all functions in schema public from public;
grant execute on all functions in schema public to awareness_app;
alter default privileges revoke execute on functions from public;
alter default privileges in schema public grant execute on functions to awareness_app;
