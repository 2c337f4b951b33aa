-- Payouts: a seller asks for earnings, an operator pays them outside and says so here.
--
--   requested ──▶ paid | returned
--
-- Asking moves the amount from the seller's earnings to `payouts`; paid sends it out of the house,
-- returned gives it back. Each is one transfer about the payout, so neither happens twice.
create table payouts (
    id           uuid        primary key,
    seller_id    uuid        not null references users,
    amount_minor bigint      not null,
    currency     text        not null,
    request_id   text        not null,
    state        text        not null default 'requested',
    reference    text,
    reason       text,
    version      bigint      not null default 1,
    requested_at timestamptz not null default now(),
    finished_at  timestamptz,
    constraint payouts_amount_positive check (amount_minor > 0),
    constraint payouts_currency_shape check (currency ~ '^[A-Z]{3}$'),
    constraint payouts_state_known check (state in ('requested', 'paid', 'returned')),
    constraint payouts_paid_has_reference check ((state = 'paid') = (reference is not null)),
    constraint payouts_returned_has_reason check ((state = 'returned') = (reason is not null)),
    constraint payouts_finished_has_time check ((state = 'requested') = (finished_at is null))
) with (fillfactor = 80);
create index payouts_seller_id on payouts (seller_id, id);
-- What waits for an operator.
create index payouts_requested on payouts (id) where state = 'requested';

create function check_payout_change() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    if tg_op = 'INSERT' then
        if new.state <> 'requested' then
            raise exception 'a payout begins as requested'
                using errcode = 'check_violation', constraint = 'payouts_state_order';
        end if;
        return new;
    end if;
    if (new.id, new.seller_id, new.amount_minor, new.currency, new.requested_at)
       is distinct from (old.id, old.seller_id, old.amount_minor, old.currency, old.requested_at) then
        raise exception 'who is paid, and how much, does not change'
            using errcode = 'check_violation', constraint = 'payouts_keep_terms';
    end if;
    if old.state <> 'requested' then
        raise exception 'a payout does not go from % to %', old.state, new.state
            using errcode = 'check_violation', constraint = 'payouts_state_order';
    end if;
    return new;
end
$$;
create trigger payouts_keep_order before insert or update on payouts
    for each row execute function check_payout_change();
create trigger payouts_never_deleted before delete or truncate on payouts
    for each statement execute function refuse_change();

-- Lets one payout of a seller at a time look at the earnings: until the end of the transaction no
-- other gets past here, and no fold moves the balance.
create function lock_earnings(seller uuid, money text) returns void language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    earnings bigint := ledger_account(seller, 'seller_earnings', money);
begin
    perform from accounts where id = earnings for no key update;
end
$$;

revoke update, delete, truncate on payouts from awareness_app;
grant update (state, reference, reason, version, finished_at) on payouts to awareness_app;
revoke execute on all functions in schema public from public;
grant execute on all functions in schema public to awareness_app;
