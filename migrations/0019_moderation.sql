-- What operators may do to people, and what the books demand of whoever writes them.
--
-- An act of an operator is in the audit log before it happens. What gives or takes rights goes through
-- a function here that asks for the open act, so neither a role nor a block changes without one.

-- Who acted in which capacity, why, and what was moved to whom: written while the act is open, once.
alter table audit_log
    add column actor_role text,
    add column reason text,
    add column amount_minor bigint,
    add column currency text,
    add column recipient_id uuid references users,
    add constraint audit_log_actor_role_known check (actor_role in ('operator', 'admin')),
    add constraint audit_log_reason_length check (length(reason) <= 1000),
    add constraint audit_log_amount_has_currency check ((amount_minor is null) = (currency is null));
create index audit_log_recipient_id on audit_log (recipient_id);

create or replace function check_audit_change() returns trigger language plpgsql as $$
begin
    if old.status is not null
       or (new.id, new.actor, new.actor_id, new.actor_role, new.action, new.target, new.address, new.request_id, new.at)
          is distinct from
          (old.id, old.actor, old.actor_id, old.actor_role, old.action, old.target, old.address, old.request_id, old.at)
       or (old.reason is not null and new.reason is distinct from old.reason)
       or (old.amount_minor is not null and new.amount_minor is distinct from old.amount_minor)
       or (old.currency is not null and new.currency is distinct from old.currency)
       or (old.recipient_id is not null and new.recipient_id is distinct from old.recipient_id) then
        raise exception 'what operators did stays as it is'
            using errcode = 'check_violation', constraint = 'audit_log_kept';
    end if;
    return new;
end
$$;

-- Raises unless that act is open, is about what is named, and is not the person's own.
create function require_act(act bigint, named text, person uuid) returns void language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    it audit_log;
begin
    select * into it from audit_log where id = act;
    if it.id is null or it.status is not null or position(named in it.target) = 0 then
        raise exception 'rights change in an open act of an operator'
            using errcode = 'check_violation', constraint = 'rights_change_in_an_act';
    end if;
    if it.actor_id = person then
        raise exception 'operators do not do this to themselves'
            using errcode = 'check_violation', constraint = 'operators_spare_themselves';
    end if;
end
$$;

-- Makes a user an operator, or an operator a user. False if there is no such user.
create function set_user_role(act bigint, person uuid, new_role text) returns boolean language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    perform require_act(act, person::text, person);
    update users set role = new_role where id = person;
    return found;
end
$$;

-- Why a user is blocked. (Those who were blocked before this column have no reason.)
alter table users
    add column blocked_because text,
    add constraint users_blocked_has_reason check (blocked_because is null or blocked_at is not null),
    add constraint users_blocked_because_length check (length(blocked_because) between 1 and 1000);

-- What an operator takes off the market, and whether with the grants of those who bought it.
alter table packages
    add column taken_down_at timestamptz,
    add column taken_down_because text,
    add column taken_down_with_grants boolean not null default false,
    add constraint packages_taken_down_has_reason check (
        (taken_down_at is null) = (taken_down_because is null)
        and (taken_down_at is not null or not taken_down_with_grants)
    ),
    add constraint packages_taken_down_because_length check (length(taken_down_because) between 1 and 1000);

-- How a listing stands for others than those who set it: what is taken down is not there, and what a blocked
-- seller offers is not for sale. Nothing else is written by a block or a take-down, so what undoes it
-- restores everything exactly.
create function shown_status(listing listings) returns text language sql stable
    return (
        select case
                   when packages.taken_down_at is not null then 'taken_down'
                   when listing.status = 'active' and users.blocked_at is not null then 'paused'
                   else listing.status
               end
        from packages
        join users on users.id = listing.seller_id
        where packages.id = listing.package_id
    );

-- The advisory lock of a user: shared by whoever moves money of theirs, exclusive for whoever blocks them. It
-- is the last lock of all: nothing is locked by those who wait for it that its holder could want.
create function user_lock(person uuid) returns bigint language sql immutable parallel safe
    return uuid_hash_extended(person, 2);

-- Blocks a user, or lets one in again (no reason). False if there is no such user. What moves money of the
-- user has ended or waits, and then sees the block.
create function set_user_blocked(act bigint, person uuid, because text) returns boolean language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    perform require_act(act, person::text, person);
    perform pg_advisory_xact_lock(user_lock(person));
    update users
    set blocked_at = case when because is not null then coalesce(blocked_at, now()) end,
        blocked_because = because
    where id = person;
    if not found then
        return false;
    end if;
    return true;
end
$$;

-- Takes a package down, or restores it (no reason). False if it was so before. The caller has the listing's
-- lock.
create function set_package_taken_down(act bigint, package uuid, because text, with_grants boolean)
    returns boolean language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    public_name text := (select public_id from packages where id = package);
begin
    perform require_act(act, public_name, null);
    update packages
    set taken_down_at = case when because is not null then now() end,
        taken_down_because = because,
        taken_down_with_grants = because is not null and with_grants
    where id = package
      and (taken_down_because, taken_down_with_grants) is distinct from (because, because is not null and with_grants);
    if not found then
        return false;
    end if;
    return true;
end
$$;

-- The guards where money moves. A purchase is made and settled between people who are not blocked, and of a
-- package that is not taken down; a payout is asked for and paid while its seller is not blocked.
create function require_unblocked(variadic people uuid[]) returns void language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    perform pg_advisory_xact_lock_shared(user_lock(person))
    from (select distinct person from unnest(people) as person order by 1) as sorted;
    if exists (select from users where id = any(people) and blocked_at is not null) then
        raise exception 'nothing is bought from, sold by or paid to whom an operator blocked'
            using errcode = 'check_violation', constraint = 'parties_not_blocked';
    end if;
end
$$;
create function check_purchase_open() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    perform require_unblocked(new.buyer_id, new.seller_id);
    if exists (select from packages where id = new.package_id and taken_down_at is not null) then
        raise exception 'what is taken down is not sold'
            using errcode = 'check_violation', constraint = 'packages_not_taken_down';
    end if;
    return new;
end
$$;
create trigger purchases_open_when_made before insert on purchases
    for each row execute function check_purchase_open();
create trigger purchases_open_when_settled before update of state on purchases
    for each row when (old.state = 'pending' and new.state = 'settled') execute function check_purchase_open();
create function check_payout_open() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    perform require_unblocked(new.seller_id);
    return new;
end
$$;
create trigger payouts_open before insert or update of state on payouts
    for each row when (new.state in ('requested', 'paid')) execute function check_payout_open();

-- A payout stands only with the transfer that moved its money, in each of its states.
create function check_payout_posted() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    if not exists (
        select
        from transfers
        join entries on entries.transfer_id = transfers.id
        join accounts on accounts.id = entries.account_id
        where transfers.subject = new.id
          and transfers.currency = new.currency
          and (transfers.kind, accounts.kind, accounts.owner_id, entries.amount_minor) = (
              case new.state when 'requested' then 'payout' when 'paid' then 'payout_paid' else 'payout_returned' end,
              case new.state when 'paid' then 'payouts' else 'seller_earnings' end,
              case new.state when 'paid' then '00000000-0000-0000-0000-000000000000' else new.seller_id end,
              case new.state when 'returned' then new.amount_minor else -new.amount_minor end
          )
    ) then
        raise exception 'a payout is posted in the transaction that writes it'
            using errcode = 'check_violation', constraint = 'payouts_posted';
    end if;
    return null;
end
$$;
create constraint trigger payouts_posted after insert or update of state on payouts
    deferrable initially deferred
    for each row execute function check_payout_posted();

-- So does what becomes of a purchase after its settlement: a refund, a dispute, and the end of one.
create function check_purchase_posted() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    wanted text := case new.state when 'refunded' then 'refund' when 'disputed' then 'dispute_freeze' else 'dispute_release' end;
begin
    if not exists (
        select
        from transfers
        where kind = wanted
          and currency = new.currency
          and (
              subject = new.id
              or (wanted <> 'refund' and subject in (select id from disputes where purchase_id = new.id))
          )
    ) then
        raise exception 'a purchase is % with its transfer', new.state
            using errcode = 'check_violation', constraint = 'purchases_posted';
    end if;
    return null;
end
$$;
-- (A dispute freezes the seller's share, which can be zero; a refund returns the price.)
create constraint trigger purchases_posted after update of state on purchases
    deferrable initially deferred
    for each row when (
        new.state <> old.state
        and ((new.state = 'refunded' and new.price_minor > 0)
             or (new.net_minor > 0 and (new.state = 'disputed' or old.state = 'disputed' and new.state = 'settled')))
    )
    execute function check_purchase_posted();
