-- Payments by card, as the provider tells them. Each is for a top-up of its payer's credits, or for
-- one purchase; what arrives becomes credits either way, and a purchase then holds them.
--
--   created ──▶ processing, requires_action, requires_payment_method, unknown ──▶ succeeded
--                                       (any of them, any order)            └───▶ failed, canceled
--
-- unknown: the provider was asked and did not say what it did. Failed and canceled mean that the
-- provider will not charge any more; should money arrive nevertheless, it is credited, so the one way
-- out of them is to succeeded. Nothing leaves succeeded.
--
-- The id, written `pay_<hex>`, is the idempotency key at the provider: one payment, one charge.
create table payments (
    id            uuid        primary key,
    user_id       uuid        not null references users,
    api_key_id    uuid        not null references api_keys,
    purpose       text        not null,
    purchase_id   uuid        references purchases,
    amount_minor  bigint      not null,
    currency      text        not null,
    -- The provider's name of the card, if the payer gave one; else the payer chooses at the provider.
    method_id     text,
    state         text        not null default 'created',
    provider_id   text,
    -- Lets the payer act at the provider. Nobody else sees it; forgotten when the payment is over.
    client_secret text,
    reason_code   text,
    decline_code  text,
    message       text,
    request_id    text        not null,
    webhook_url   text,
    version       bigint      not null default 1,
    -- When the provider is asked next, should neither it nor a job do anything before.
    looks         integer     not null default 0,
    next_look_at  timestamptz not null,
    -- The first time that anything was sent. From then on only the provider says what became of it.
    sent_at       timestamptz,
    expires_at    timestamptz not null,
    created_at    timestamptz not null default now(),
    finished_at   timestamptz,
    constraint payments_provider_id_once unique (provider_id),
    constraint payments_one_per_purchase unique (purchase_id),
    constraint payments_purpose_known check (purpose in ('top_up', 'purchase')),
    constraint payments_purchase_has_subject check ((purpose = 'purchase') = (purchase_id is not null)),
    constraint payments_amount_positive check (amount_minor > 0),
    constraint payments_currency_shape check (currency ~ '^[A-Z]{3}$'),
    constraint payments_state_known check (
        state in ('created', 'processing', 'requires_action', 'requires_payment_method', 'unknown', 'succeeded',
                  'failed', 'canceled')
    ),
    constraint payments_finished_has_time check (
        (state in ('succeeded', 'failed', 'canceled')) = (finished_at is not null)
    ),
    constraint payments_finished_has_no_secret check (finished_at is null or client_secret is null),
    constraint payments_failed_has_reason check ((state in ('failed', 'canceled')) = (reason_code is not null)),
    constraint payments_succeeded_at_provider check (state <> 'succeeded' or provider_id is not null)
) with (fillfactor = 80);
create index payments_user_id on payments (user_id, id);
create index payments_api_key_id on payments (api_key_id);
create index payments_state on payments (state, id);
create index payments_look on payments (next_look_at) where finished_at is null;

create function check_new_payment() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    if new.state <> 'created' or new.provider_id is not null or new.sent_at is not null then
        raise exception 'a payment begins as created'
            using errcode = 'check_violation', constraint = 'payments_state_order';
    end if;
    return new;
end
$$;
create trigger payments_are_checked before insert on payments
    for each row execute function check_new_payment();

-- A payment succeeds in the transaction that credits it, with its amount, to its payer.
create function check_payment_change() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    if (new.id, new.user_id, new.purpose, new.purchase_id, new.amount_minor, new.currency, new.method_id, new.created_at)
       is distinct from
       (old.id, old.user_id, old.purpose, old.purchase_id, old.amount_minor, old.currency, old.method_id, old.created_at)
       or (old.provider_id is not null and new.provider_id is distinct from old.provider_id)
       or (old.sent_at is not null and new.sent_at is distinct from old.sent_at) then
        raise exception 'who pays what, and with which payment at the provider, does not change'
            using errcode = 'check_violation', constraint = 'payments_keep_terms';
    end if;
    if new.state = old.state then
        return new;
    end if;
    if new.state = 'created' or old.state = 'succeeded'
       or (old.state in ('failed', 'canceled') and new.state <> 'succeeded') then
        raise exception 'a payment does not go from % to %', old.state, new.state
            using errcode = 'check_violation', constraint = 'payments_state_order';
    end if;
    if new.state = 'succeeded' and not exists (
        select
        from transfers
        join entries on entries.transfer_id = transfers.id
        join accounts on accounts.id = entries.account_id
        where transfers.kind = 'top_up'
          and transfers.subject = new.id
          and transfers.currency = new.currency
          and accounts.kind = 'buyer_credits'
          and accounts.owner_id = new.user_id
          and entries.amount_minor = new.amount_minor
    ) then
        raise exception 'a payment succeeds with its top-up'
            using errcode = 'check_violation', constraint = 'payments_credited';
    end if;
    return new;
end
$$;
create trigger payments_keep_order before update on payments
    for each row execute function check_payment_change();
create trigger payments_never_deleted before delete or truncate on payments
    for each statement execute function refuse_change();

-- The provider's notices about payments of ours, by its own ids: each counts once.
create table payment_notices (
    id          text        primary key,
    payment_id  uuid        not null references payments,
    kind        text        not null,
    received_at timestamptz not null default now()
);
create index payment_notices_payment_id on payment_notices (payment_id);
create index payment_notices_received_at on payment_notices (received_at);

revoke delete, truncate on payments from awareness_app;
revoke truncate on payment_notices from awareness_app;
revoke execute on all functions in schema public from public;
grant execute on all functions in schema public to awareness_app;
