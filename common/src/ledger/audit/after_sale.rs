//! The invariants of what happens to money after it has come in: disputes, payouts, chargebacks.

use super::Check;

/// What the reserve got and gave for each dispute; a refund out of it is among `REFUNDS`.
pub(super) const DISPUTES: Check = Check {
    name: "disputes",
    claim: "each dispute froze its sale's share once, and gave it back if the seller was right",
    violations: "
        with expected as (
            select disputes.id, step.kind, step.amount_minor, currency
            from disputes
            join purchases on purchases.id = purchase_id
            cross join lateral (values
                ('dispute_freeze', net_minor),
                ('dispute_release', case when disputes.state = 'resolved_release' then -net_minor else 0 end)
            ) as step (kind, amount_minor)
            where step.amount_minor <> 0
        ), posted as (
            select transfers.subject, transfers.kind, entries.amount_minor, transfers.currency
            from transfers
            join entries on entries.transfer_id = transfers.id
            join accounts on accounts.id = entries.account_id
            where transfers.kind in ('dispute_freeze', 'dispute_release')
              and accounts.kind = 'refunds_reserve'
        )
        select format('dispute %s', id) as example
        from (
            (table expected except all table posted)
            union all
            (table posted except all table expected)
        ) as differing
        group by id",
};

pub(super) const PAYOUTS: Check = Check {
    name: "payouts",
    claim: "each payout took its amount once, and sent it out or gave it back as its state says",
    violations: "
        with expected as (
            select id, step.kind, step.amount_minor, currency
            from payouts
            cross join lateral (values
                ('payout', amount_minor),
                ('payout_paid', case when state = 'paid' then -amount_minor else 0 end),
                ('payout_returned', case when state = 'returned' then -amount_minor else 0 end)
            ) as step (kind, amount_minor)
            where step.amount_minor <> 0
        ), posted as (
            select transfers.subject, transfers.kind, entries.amount_minor, transfers.currency
            from transfers
            join entries on entries.transfer_id = transfers.id
            join accounts on accounts.id = entries.account_id
            where transfers.kind in ('payout', 'payout_paid', 'payout_returned')
              and accounts.kind = 'payouts'
        )
        select format('payout %s', id) as example
        from (
            (table expected except all table posted)
            union all
            (table posted except all table expected)
        ) as differing
        group by id",
};

pub(super) const CHARGEBACKS: Check = Check {
    name: "chargebacks",
    claim: "each chargeback set its amount aside once, and sent it out or gave it back as its state says",
    violations: "
        with expected as (
            select chargebacks.id, step.kind, step.amount_minor, currency
            from chargebacks
            cross join lateral (values
                ('chargeback', case when state in ('open', 'lost') then amount_minor else 0 end),
                ('chargeback_lost', case when state = 'lost' then -amount_minor else 0 end)
            ) as step (kind, amount_minor)
            where step.amount_minor <> 0
        ), posted as (
            select transfers.subject, transfers.kind, entries.amount_minor, transfers.currency
            from transfers
            join entries on entries.transfer_id = transfers.id
            join accounts on accounts.id = entries.account_id
            where transfers.kind in ('chargeback', 'chargeback_lost')
              and accounts.kind = 'chargebacks_reserve'
              -- One that was won has given back what it took, if it took anything.
              and not exists (
                  select
                  from transfers as won
                  join chargebacks on chargebacks.id = won.subject
                  where won.kind = 'chargeback_won'
                    and won.subject = transfers.subject
                    and chargebacks.state = 'won'
              )
        )
        select format('chargeback %s', id) as example
        from (
            (table expected except all table posted)
            union all
            (table posted except all table expected)
        ) as differing
        group by id",
};

pub(super) const DEBTS: Check = Check {
    name: "debts",
    claim: "what a buyer owes is what the chargebacks say, and nobody owes less than nothing",
    violations: "
        select format('user %s owes', coalesce(accounts.owner_id, owing.user_id)) as example
        from (
            select owner_id, currency, balance_minor + coalesce(
                (select sum(amount_minor) from account_deltas where account_id = accounts.id), 0
            ) as balance_minor
            from accounts
            where kind = 'buyer_debt'
        ) as accounts
        full join (
            select user_id, currency, sum(owed_minor) as owed_minor
            from chargebacks
            group by user_id, currency
        ) as owing on owing.user_id = accounts.owner_id and owing.currency = accounts.currency
        where coalesce(owed_minor, 0) <> -coalesce(balance_minor, 0)
           or balance_minor > 0",
};
