-- Money that goes back to a card at the provider: a dispute of the cardholder (a chargeback), or a refund that an
-- operator made there. The credits that it had become are set aside first, as far as there are any; the rest is
-- owed, and paid by what comes next. A sale that was paid with them stands: the platform bears what nobody pays.
--
--   inquiry ──▶ open ──▶ won | lost        (an inquiry moves no money)
create table chargebacks (
    id               uuid        primary key,
    payment_id       uuid        not null references payments,
    user_id          uuid        not null references users,
    -- What it is called at the provider.
    provider_id      text        not null,
    kind             text        not null,
    reason           text        not null,
    amount_minor     bigint      not null,
    currency         text        not null,
    state            text        not null default 'inquiry',
    -- What is still owed of it.
    owed_minor       bigint      not null default 0,
    evidence_due_at  timestamptz,
    -- What an operator says to it, and when the provider got that.
    evidence         text,
    evidence_sent_at timestamptz,
    version          bigint      not null default 1,
    created_at       timestamptz not null default now(),
    closed_at        timestamptz,
    constraint chargebacks_once unique (provider_id),
    constraint chargebacks_kind_known check (kind in ('dispute', 'refund')),
    constraint chargebacks_state_known check (state in ('inquiry', 'open', 'won', 'lost')),
    constraint chargebacks_amount_positive check (amount_minor > 0),
    constraint chargebacks_owe_no_more check (owed_minor between 0 and amount_minor),
    constraint chargebacks_closed_has_time check ((state in ('won', 'lost')) = (closed_at is not null))
);
create index chargebacks_payment_id on chargebacks (payment_id);
create index chargebacks_owed on chargebacks (user_id) where owed_minor > 0;
create index chargebacks_list on chargebacks (state, id desc);

alter table accounts
    drop constraint accounts_kind_known,
    add constraint accounts_kind_known check (
        kind in ('buyer_credits', 'buyer_debt', 'seller_earnings', 'platform_fees', 'payments_clearing', 'payouts',
                 'refunds_reserve', 'chargebacks_reserve')
    ),
    drop constraint accounts_platform_is_nil,
    add constraint accounts_platform_is_nil check (
        (owner_id = '00000000-0000-0000-0000-000000000000')
        = (kind in ('platform_fees', 'payments_clearing', 'payouts', 'refunds_reserve', 'chargebacks_reserve'))
    );
alter table transfers
    drop constraint transfers_kind_known,
    add constraint transfers_kind_known check (
        kind in ('top_up', 'adjustment', 'settlement', 'refund', 'dispute_freeze', 'dispute_release', 'payout',
                 'payout_paid', 'payout_returned', 'chargeback', 'chargeback_won', 'chargeback_lost', 'debt_paid')
    );

-- What a buyer can spend, which nobody else spends before this transaction ends.
create function lock_credits(owner uuid, money text) returns bigint language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    available bigint;
begin
    select balance_minor - held_minor
    into available
    from accounts
    where owner_id = owner
      and kind = 'buyer_credits'
      and currency = money
    for no key update;
    return coalesce(available, 0);
end
$$;
revoke execute on function lock_credits(uuid, text) from public;
grant execute on function lock_credits(uuid, text) to awareness_app;

grant select on chargebacks to awareness_app;
grant insert (id, payment_id, user_id, provider_id, kind, reason, amount_minor, currency) on chargebacks to awareness_app;
grant update (state, owed_minor, evidence_due_at, evidence, evidence_sent_at, version, closed_at) on chargebacks to
    awareness_app;
