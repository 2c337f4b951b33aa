-- A task that one agent does for another, for credits. The price is held when it is asked for, and stays held until
-- the task has ended, so that what an agent has earned is never taken back.
--
--   pending ──▶ accepted ──▶ delivered ──▶ settled
--      │            │            │
--      └──▶ cancelled, expired   └──▶ disputed ──▶ resolved_refund, resolved_release, resolved_split
--
-- `due_at` is when the state ends by itself: a task that nobody accepts or delivers expires, one that nobody disputes
-- settles. A dispute waits for an operator.
create table agent_tasks (
    id               uuid        primary key,
    payer_agent      text        not null references agents,
    provider_agent   text        not null references agents,
    payer_id         uuid        not null references users,
    provider_id      uuid        not null references users,
    api_key_id       uuid        not null references api_keys,
    capability       text        not null,
    amount_minor     bigint      not null,
    currency         text        not null,
    fee_basis_points integer     not null,
    context          jsonb       not null,
    result           jsonb,
    state            text        not null default 'pending',
    -- What the provider was paid, of which the fee is taken.
    paid_minor       bigint,
    settlement_id    bigint      references transfers,
    note             text,
    -- What the payer thinks of it, in stars.
    rating           smallint,
    request_id       text        not null,
    version          bigint      not null default 1,
    created_at       timestamptz not null default now(),
    accepted_at      timestamptz,
    delivered_at     timestamptz,
    ended_at         timestamptz,
    due_at           timestamptz,
    constraint agent_tasks_between_two check (payer_id <> provider_id),
    constraint agent_tasks_amount_range check (amount_minor between 0 and 100000000),
    constraint agent_tasks_fee_range check (fee_basis_points between 0 and 10000),
    constraint agent_tasks_state_known check (
        state in ('pending', 'accepted', 'delivered', 'settled', 'cancelled', 'expired', 'disputed',
                  'resolved_refund', 'resolved_release', 'resolved_split')
    ),
    constraint agent_tasks_paid_if_settled check (
        (paid_minor is not null) = (state in ('settled', 'resolved_release', 'resolved_split'))
    ),
    constraint agent_tasks_paid_range check (
        case state
            when 'resolved_split' then paid_minor between 0 and amount_minor
            else coalesce(paid_minor, amount_minor) = amount_minor
        end
    ),
    constraint agent_tasks_rating_range check (rating between 1 and 5),
    constraint agent_tasks_rated_at_its_end check (rating is null or (delivered_at is not null and ended_at is not null)),
    constraint agent_tasks_paid_by_transfer check ((settlement_id is not null) = (coalesce(paid_minor, 0) > 0)),
    constraint agent_tasks_settlement_once unique (settlement_id),
    constraint agent_tasks_ended_has_time check (
        (ended_at is not null) = (state not in ('pending', 'accepted', 'delivered', 'disputed'))
    ),
    constraint agent_tasks_open_is_due check ((due_at is not null) = (state in ('pending', 'accepted', 'delivered'))),
    constraint agent_tasks_delivered_has_result check (
        state not in ('delivered', 'settled', 'disputed', 'resolved_refund', 'resolved_release', 'resolved_split')
        or (result is not null and delivered_at is not null)
    )
) with (fillfactor = 80);
create index agent_tasks_payer on agent_tasks (payer_id, created_at, id);
create index agent_tasks_provider on agent_tasks (provider_id, created_at, id);
create index agent_tasks_payer_agent on agent_tasks (payer_agent, created_at);
create index agent_tasks_provider_agent on agent_tasks (provider_agent, created_at);
create index agent_tasks_api_key_id on agent_tasks (api_key_id, created_at);
create index agent_tasks_disputed on agent_tasks (created_at, id) where state = 'disputed';

-- What the participants of a task put before an operator.
create table agent_task_evidence (
    id      bigint      generated always as identity primary key,
    task_id uuid        not null references agent_tasks,
    participant   text        not null,
    body    jsonb       not null,
    at      timestamptz not null default now(),
    constraint agent_task_evidence_participant_known check (participant in ('payer', 'provider'))
);
create index agent_task_evidence_task_id on agent_task_evidence (task_id, id);
create trigger agent_task_evidence_append_only before update or delete or truncate on agent_task_evidence
    for each statement execute function refuse_change();

-- The guards.

create function check_new_agent_task() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    if new.state <> 'pending' then
        raise exception 'a task begins as pending'
            using errcode = 'check_violation', constraint = 'agent_tasks_state_order';
    end if;
    if not exists (
        select
        from agents as payer
        cross join agents as provider
        where payer.agent_id = new.payer_agent
          and payer.owner_id = new.payer_id
          and payer.unregistered_at is null
          and provider.agent_id = new.provider_agent
          and provider.owner_id = new.provider_id
          and provider.unregistered_at is null
          and new.capability = any(provider.capabilities)
          and new.amount_minor = provider.cost_per_task_minor
          and new.currency = provider.currency
    ) then
        raise exception 'the agent never offered that'
            using errcode = 'check_violation', constraint = 'agent_tasks_as_offered';
    end if;
    perform require_unblocked(new.payer_id, new.provider_id);
    return new;
end
$$;
create trigger agent_tasks_are_checked before insert on agent_tasks
    for each row execute function check_new_agent_task();

create function check_agent_task_change() returns trigger language plpgsql as $$
begin
    if (new.id, new.payer_agent, new.provider_agent, new.payer_id, new.provider_id, new.api_key_id, new.capability,
        new.amount_minor, new.currency, new.fee_basis_points, new.context, new.created_at)
       is distinct from
       (old.id, old.payer_agent, old.provider_agent, old.payer_id, old.provider_id, old.api_key_id, old.capability,
        old.amount_minor, old.currency, old.fee_basis_points, old.context, old.created_at)
       or (old.result is not null and new.result is distinct from old.result)
       or (old.rating is not null and new.rating is distinct from old.rating) then
        raise exception 'what was asked for, by whom and for how much does not change'
            using errcode = 'check_violation', constraint = 'agent_tasks_keep_terms';
    end if;
    if new.state <> old.state and (old.state, new.state) not in (
        ('pending', 'accepted'), ('pending', 'cancelled'), ('pending', 'expired'),
        ('accepted', 'delivered'), ('accepted', 'cancelled'), ('accepted', 'expired'),
        ('delivered', 'settled'), ('delivered', 'disputed'),
        ('disputed', 'resolved_refund'), ('disputed', 'resolved_release'), ('disputed', 'resolved_split')
    ) then
        raise exception 'a task does not go from % to %', old.state, new.state
            using errcode = 'check_violation', constraint = 'agent_tasks_state_order';
    end if;
    return new;
end
$$;
create trigger agent_tasks_keep_order before update on agent_tasks
    for each row execute function check_agent_task_change();
create trigger agent_tasks_never_deleted before delete or truncate on agent_tasks
    for each statement execute function refuse_change();

-- The price is held exactly while the task is open, and then given back or paid.
create function check_agent_task_hold() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    task agent_tasks;
    held holds;
begin
    -- As it is at the end of the transaction.
    select * into task from agent_tasks where id = new.id;
    select holds.* into held
    from holds
    join accounts on accounts.id = account_id
    where holds.id = new.id
      and owner_id = task.payer_id
      and currency = task.currency;
    if task.amount_minor = 0 then
        return null;
    end if;
    if held.id is null
       or held.amount_minor <> task.amount_minor
       or not (case
           when task.ended_at is null then held.state = 'pending'
           when coalesce(task.paid_minor, 0) > 0 then held.state = 'posted'
           else held.state in ('voided', 'expired')
       end) then
        raise exception 'the price of a task is held while it is open, and then given back or paid'
            using errcode = 'check_violation', constraint = 'agent_tasks_held';
    end if;
    return null;
end
$$;
create constraint trigger agent_tasks_held after insert or update of state on agent_tasks
    deferrable initially deferred
    for each row execute function check_agent_task_hold();

-- How many tasks an agent has open: what it is chosen by.
alter table agents
    add column open_tasks integer not null default 0,
    add constraint agents_open_tasks_not_negative check (open_tasks >= 0);
create function count_open_tasks() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    was_open boolean := tg_op = 'UPDATE' and old.state in ('pending', 'accepted');
    is_open boolean := new.state in ('pending', 'accepted');
begin
    if was_open <> is_open then
        update agents
        set open_tasks = open_tasks + case when is_open then 1 else -1 end
        where agent_id = new.provider_agent;
    end if;
    return null;
end
$$;
create trigger agent_tasks_count_when_asked after insert on agent_tasks
    for each row execute function count_open_tasks();
create trigger agent_tasks_count_when_changed after update of state on agent_tasks
    for each row execute function count_open_tasks();

-- Ends a task with a payment out of what is held: so much of it is the provider's, less the fee, and the rest the
-- payer's again. False if the task does not wait for this end. (`paid` of zero gives all back.)
alter table transfers
    drop constraint transfers_kind_known,
    add constraint transfers_kind_known check (
        kind in ('top_up', 'adjustment', 'settlement', 'refund', 'dispute_freeze', 'dispute_release', 'payout',
                 'payout_paid', 'payout_returned', 'chargeback', 'chargeback_won', 'chargeback_lost', 'debt_paid',
                 'task_settlement')
    );
create function settle_agent_task(task uuid, final_state text, paid bigint, because text, request text)
    returns boolean language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    settled agent_tasks;
    released holds;
    fee bigint;
    posted bigint;
begin
    select * into settled from agent_tasks where id = task for no key update;
    if settled.id is null
       or not (case final_state
           when 'settled' then settled.state = 'delivered'
           else settled.state = 'disputed' and final_state in ('resolved_release', 'resolved_split')
       end) then
        return false;
    end if;
    perform require_unblocked(settled.payer_id, settled.provider_id);
    if paid > 0 then
        update holds
        set state = 'posted', resolved_at = now()
        where id = task
          and state = 'pending'
        returning * into released;
        if released.id is null then
            raise exception 'an open task has no pending hold';
        end if;
        update accounts set held_minor = held_minor - released.amount_minor where id = released.account_id;
        fee := (paid * settled.fee_basis_points + 5000) / 10000;
        posted := ledger_post(
            'task_settlement', task, settled.currency, request,
            array_remove(array[
                settled.payer_id,
                case when paid > fee then settled.provider_id end,
                case when fee > 0 then '00000000-0000-0000-0000-000000000000'::uuid end
            ], null),
            array_remove(array[
                'buyer_credits',
                case when paid > fee then 'seller_earnings' end,
                case when fee > 0 then 'platform_fees' end
            ], null),
            array_remove(array[-paid, nullif(paid - fee, 0), nullif(fee, 0)], null)
        );
    elsif settled.amount_minor > 0 then
        perform ledger_release(task, 'voided');
    end if;
    update agent_tasks
    set state = final_state, paid_minor = paid, settlement_id = posted, note = coalesce(because, note),
        ended_at = now(), due_at = null, version = version + 1
    where id = task;
    return true;
end
$$;

-- The table of transactions as the seed's readers know it.
create view marketplace_transactions as
select
    replace(id::text, '-', '')::varchar(32) as transaction_id,
    created_at at time zone 'UTC' as created_at,
    payer_agent::varchar(255) as payer_agent,
    provider_agent::varchar(255) as provider_agent,
    capability::varchar(255) as capability,
    (amount_minor / 100.0)::decimal(10, 2) as amount,
    currency::varchar(10) as currency,
    case
        when state in ('pending', 'accepted', 'delivered') then 'pending'
        when state in ('settled', 'resolved_release', 'resolved_split') then 'settled'
        when state = 'disputed' then 'disputed'
        else 'cancelled'
    end::varchar(20) as status,
    context,
    (
        select coalesce(jsonb_agg(evidence.body order by evidence.id), '[]')
        from agent_task_evidence as evidence
        where task_id = agent_tasks.id
    ) as evidence
from agent_tasks;

revoke execute on function
    check_new_agent_task(), check_agent_task_change(), check_agent_task_hold(), count_open_tasks(),
    settle_agent_task(uuid, text, bigint, text, text)
    from public;
grant execute on function settle_agent_task(uuid, text, bigint, text, text) to awareness_app;
grant select on agent_tasks, agent_task_evidence to awareness_app;
-- Who pays is what settle_agent_task writes, alone: `paid_minor`, `settlement_id`.
grant insert (id, payer_agent, provider_agent, payer_id, provider_id, api_key_id, capability, amount_minor, currency,
              fee_basis_points, context, request_id, due_at)
    on agent_tasks to awareness_app;
grant update (result, state, note, rating, version, accepted_at, delivered_at, ended_at, due_at) on agent_tasks to awareness_app;
grant insert (task_id, participant, body) on agent_task_evidence to awareness_app;
