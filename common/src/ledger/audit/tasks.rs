//! Tasks between agents: what is held for them, and what was paid.

use super::Check;

pub(super) const HOLDS_OF_TASKS: Check = Check {
    name: "holds_of_tasks",
    claim: "an open task has its price on hold, a paid one has posted it, any other holds nothing",
    violations: "
        select format('task %s', agent_tasks.id) as example
        from agent_tasks
        left join holds using (id)
        left join accounts on accounts.id = holds.account_id
        where case
                  when agent_tasks.amount_minor = 0 then holds.id is not null
                  when ended_at is null then holds.state is distinct from 'pending'
                  when paid_minor > 0 then holds.state is distinct from 'posted'
                  else holds.state is null or holds.state not in ('voided', 'expired')
              end
           or (holds.id is not null and (
                   holds.amount_minor <> agent_tasks.amount_minor
                   or accounts.owner_id is distinct from agent_tasks.payer_id
                   or accounts.currency is distinct from agent_tasks.currency
              ))",
};

/// The legs are those of `Posting::task_settlement`.
pub(super) const SETTLEMENTS_OF_TASKS: Check = Check {
    name: "settlements_of_tasks",
    claim: "each paid task has one settlement, with exactly the legs that it should have, and no other has any",
    violations: "
        with expected as (
            select agent_tasks.id, settlement_id, leg.owner_id, leg.kind, currency, leg.amount_minor
            from agent_tasks
            cross join lateral (select (paid_minor * fee_basis_points + 5000) / 10000 as fee_minor) as taken
            cross join lateral (values
                (payer_id, 'buyer_credits', -paid_minor),
                (provider_id, 'seller_earnings', paid_minor - fee_minor),
                ('00000000-0000-0000-0000-000000000000', 'platform_fees', fee_minor)
            ) as leg (owner_id, kind, amount_minor)
            where paid_minor > 0
              and leg.amount_minor <> 0
        ), posted as (
            select transfers.subject as id, transfers.id as settlement_id, accounts.owner_id, accounts.kind,
                   transfers.currency, entries.amount_minor
            from transfers
            join entries on entries.transfer_id = transfers.id
            left join accounts on accounts.id = entries.account_id
            where transfers.kind = 'task_settlement'
        )
        select format('task %s', id) as example
        from (
            (table expected except all table posted)
            union all
            (table posted except all table expected)
        ) as differing
        group by id",
};
