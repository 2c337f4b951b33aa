//! The invariants, as queries that find what breaks them.

use super::Check;
use super::after_sale::{CHARGEBACKS, DEBTS, DISPUTES, PAYOUTS};
use super::tasks::{HOLDS_OF_TASKS, SETTLEMENTS_OF_TASKS};

/// Every invariant that an audit looks at.
pub const CHECKS: &[Check] = &[
    TRANSFERS_BALANCE,
    WORLD_SUMS_TO_ZERO,
    GUARDED_BALANCES,
    GUARDED_VERSIONS,
    APPENDED_BALANCES,
    HELD_IS_OPEN_HOLDS,
    NO_OVERDRAFT,
    SELLERS_ABOVE_ZERO,
    SETTLEMENTS_OF_SALES,
    SETTLEMENTS_WITHOUT_SALE,
    HOLDS_OF_PURCHASES,
    REFUNDS,
    CARD_PAYMENTS,
    EXCLUSIVE_SALES,
    TAKEN_IS_LIVE_PURCHASES,
    PACKAGE_SALES,
    DISPUTES,
    PAYOUTS,
    CHARGEBACKS,
    DEBTS,
    HOLDS_OF_TASKS,
    SETTLEMENTS_OF_TASKS,
];

const TRANSFERS_BALANCE: Check = Check {
    name: "transfers_balance",
    claim: "each transfer has two or more legs in its own currency that sum to zero",
    violations: "
        select format('transfer %s of %s', coalesce(max(transfers.kind), '?'), coalesce(max(transfers.subject::text), '?'))
               as example
        from transfers
        full join entries on entries.transfer_id = transfers.id
        left join accounts on accounts.id = entries.account_id
        group by coalesce(transfers.id, entries.transfer_id)
        having coalesce(sum(entries.amount_minor), 0) <> 0
            or count(entries.leg) < 2
            or bool_or(accounts.currency is distinct from transfers.currency)",
};

const WORLD_SUMS_TO_ZERO: Check = Check {
    name: "world_sums_to_zero",
    claim: "all balances of a currency, deltas included, sum to zero",
    violations: "
        select format('%s is off by %s', currency, sum(amount_minor)) as example
        from (
            select currency, balance_minor as amount_minor
            from accounts
            union all
            select coalesce(accounts.currency, 'no currency'), account_deltas.amount_minor
            from account_deltas
            left join accounts on accounts.id = account_deltas.account_id
        ) as part
        group by currency
        having sum(amount_minor) <> 0",
};

const GUARDED_BALANCES: Check = Check {
    name: "guarded_balances",
    claim: "a guarded balance is the sum of its entries, and so was each balance after an entry",
    violations: "
        select format('account %s of %s', accounts.id, owner_id) as example
        from accounts
        left join (
            select account_id, sum(amount_minor) as moved, bool_and(balance_after_minor = so_far) as is_true
            from (
                select account_id, amount_minor, balance_after_minor,
                       sum(amount_minor) over (partition by account_id order by account_version) as so_far
                from entries
                where account_version is not null
            ) as step
            group by account_id
        ) as history on history.account_id = accounts.id
        where kind = 'buyer_credits'
          and (balance_minor <> coalesce(moved, 0) or not coalesce(is_true, true))",
};

const GUARDED_VERSIONS: Check = Check {
    name: "guarded_versions",
    claim: "the entries of a guarded account are its versions 1 to n without a gap; no other has any",
    violations: "
        select format('account %s of %s', accounts.id, owner_id) as example
        from accounts
        left join (
            select account_id, count(*) as steps, min(account_version) as first, max(account_version) as last
            from entries
            where account_version is not null
            group by account_id
        ) as history on history.account_id = accounts.id
        where case kind
                  when 'buyer_credits' then
                      version <> coalesce(steps, 0) or version <> coalesce(last, 0) or coalesce(first, 1) <> 1
                  else version <> 0 or steps is not null
              end",
};

const APPENDED_BALANCES: Check = Check {
    name: "appended_balances",
    claim: "an appended balance and its deltas are the sum of its entries",
    violations: "
        select format('account %s of %s', accounts.id, owner_id) as example
        from accounts
        left join (
            select account_id, sum(amount_minor) as moved
            from entries
            group by account_id
        ) as history on history.account_id = accounts.id
        left join (
            select account_id, sum(amount_minor) as waiting
            from account_deltas
            group by account_id
        ) as unfolded on unfolded.account_id = accounts.id
        where kind <> 'buyer_credits'
          and balance_minor + coalesce(waiting, 0) <> coalesce(moved, 0)",
};

const HELD_IS_OPEN_HOLDS: Check = Check {
    name: "held_is_open_holds",
    claim: "what an account holds back is the sum of its open holds",
    violations: "
        select format('account %s of %s', accounts.id, owner_id) as example
        from accounts
        left join (
            select account_id, sum(amount_minor) as held
            from holds
            where resolved_at is null
            group by account_id
        ) as open on open.account_id = accounts.id
        where held_minor <> coalesce(held, 0)",
};

const NO_OVERDRAFT: Check = Check {
    name: "no_overdraft",
    claim: "no buyer has spent or set aside more than there was",
    violations: "
        select format('account %s of %s', id, owner_id) as example
        from accounts
        where kind = 'buyer_credits'
          and balance_minor - held_minor < 0",
};

const SELLERS_ABOVE_ZERO: Check = Check {
    name: "sellers_above_zero",
    claim: "no seller has less than nothing, and none less than can still be taken back from sales of 30 days",
    violations: "
        select format('account %s of %s', accounts.id, owner_id) as example
        from accounts
        left join (
            select account_id, sum(amount_minor) as waiting
            from account_deltas
            group by account_id
        ) as unfolded on unfolded.account_id = accounts.id
        left join (
            select seller_id, currency, sum(net_minor) as maturing
            from purchases
            where state = 'settled'
              and settled_at > now() - interval '30 days'
            group by seller_id, currency
        ) as open on open.seller_id = owner_id and open.currency = accounts.currency
        where kind = 'seller_earnings'
          and balance_minor + coalesce(waiting, 0) < coalesce(maturing, 0)",
};

/// The legs are those of `Posting::settlement`.
const SETTLEMENTS_OF_SALES: Check = Check {
    name: "settlements_of_sales",
    claim: "each sale with a price has one settlement, with exactly the legs that it should have",
    violations: "
        with expected as (
            select purchases.id, settlement_id, leg.owner_id, leg.kind, currency, leg.amount_minor
            from purchases
            cross join lateral (values
                (buyer_id, 'buyer_credits', -price_minor),
                (seller_id, 'seller_earnings', net_minor),
                ('00000000-0000-0000-0000-000000000000', 'platform_fees', fee_minor)
            ) as leg (owner_id, kind, amount_minor)
            where state in ('settled', 'disputed', 'refunded')
              and price_minor > 0
              and leg.amount_minor <> 0
        ), posted as (
            select transfers.subject as id, transfers.id as settlement_id, accounts.owner_id, accounts.kind,
                   transfers.currency, entries.amount_minor
            from transfers
            join purchases on purchases.id = transfers.subject
            join entries on entries.transfer_id = transfers.id
            left join accounts on accounts.id = entries.account_id
            where transfers.kind = 'settlement'
              and purchases.state in ('settled', 'disputed', 'refunded')
        )
        select format('purchase %s', id) as example
        from (
            (table expected except all table posted)
            union all
            (table posted except all table expected)
        ) as differing
        group by id",
};

const SETTLEMENTS_WITHOUT_SALE: Check = Check {
    name: "settlements_without_sale",
    claim: "nothing but a sale was settled or refunded",
    violations: "
        select format('%s of %s', transfers.kind, transfers.subject) as example
        from transfers
        left join purchases on purchases.id = transfers.subject
        where transfers.kind in ('settlement', 'refund')
          and (purchases.state is null or purchases.state not in ('settled', 'disputed', 'refunded'))",
};

const HOLDS_OF_PURCHASES: Check = Check {
    name: "holds_of_purchases",
    claim: "a pending purchase has its price on hold, a sale has posted it, any other holds nothing",
    violations: "
        select format('purchase %s', coalesce(purchases.id, holds.id)) as example
        from purchases
        full join (select * from holds where id not in (select id from agent_tasks)) as holds on holds.id = purchases.id
        left join accounts on accounts.id = holds.account_id
        where case
                  when purchases.id is null then true
                  when purchases.price_minor = 0 then holds.id is not null
                  when purchases.state = 'pending' then holds.state is distinct from 'pending'
                  when purchases.state in ('settled', 'disputed', 'refunded') then holds.state is distinct from 'posted'
                  else holds.state in ('pending', 'posted')
              end
           or (holds.id is not null and (
                   holds.amount_minor <> purchases.price_minor
                   or accounts.owner_id is distinct from purchases.buyer_id
                   or accounts.currency is distinct from purchases.currency
              ))",
};

/// The legs are those of `Posting::refund`: of the share, the platform bears what the seller has drawn.
const REFUNDS: Check = Check {
    name: "refunds",
    claim: "each refunded sale with a price has one refund of all of it, and no other sale has any",
    violations: "
        with posted as (
            select transfers.subject as id, count(distinct transfers.id) as refunds,
                   bool_and(transfers.currency = purchases.currency) as is_in_currency,
                   sum(amount_minor) filter (
                       where accounts.kind = 'buyer_credits' and accounts.owner_id = buyer_id
                   ) as given,
                   coalesce(-sum(amount_minor) filter (where accounts.kind = 'platform_fees'), 0) as of_platform,
                   coalesce(-sum(amount_minor) filter (
                       where accounts.kind = 'refunds_reserve'
                          or (accounts.kind = 'seller_earnings' and accounts.owner_id = seller_id)
                   ), 0) as of_share
            from transfers
            join purchases on purchases.id = transfers.subject
            join entries on entries.transfer_id = transfers.id
            left join accounts on accounts.id = entries.account_id
            where transfers.kind = 'refund'
            group by transfers.subject
        )
        select format('purchase %s', purchases.id) as example
        from purchases
        left join posted using (id)
        where case
                  when state <> 'refunded' or price_minor = 0 then refunds is not null
                  else refunds is distinct from 1
                       or not is_in_currency
                       or given is distinct from price_minor
                       or of_share + of_platform <> price_minor
                       or of_share not between 0 and net_minor
              end",
};

const CARD_PAYMENTS: Check = Check {
    name: "card_payments",
    claim: "each card payment that succeeded has one top-up of its amount to its payer, and no other has one",
    violations: "
        select format('payment %s', payments.id) as example
        from payments
        left join (
            select subject, transfers.currency, owner_id, amount_minor
            from transfers
            join entries on entries.transfer_id = transfers.id
            join accounts on accounts.id = entries.account_id
            where transfers.kind = 'top_up'
              and accounts.kind = 'buyer_credits'
        ) as credited on credited.subject = payments.id
        group by payments.id
        having count(credited.subject) <> case when payments.state = 'succeeded' then 1 else 0 end
            or bool_or((credited.currency, credited.owner_id, credited.amount_minor)
                       <> (payments.currency, payments.user_id, payments.amount_minor))",
};

const EXCLUSIVE_SALES: Check = Check {
    name: "exclusive_sales",
    claim: "an exclusive listing has at most one live sale",
    violations: "
        select format('package %s', package_id) as example
        from purchases
        join listings using (package_id)
        where listings.license_mode = 'exclusive'
          and takes_supply
          and state not in ('failed', 'refunded')
        group by package_id
        having count(*) > 1",
};

const TAKEN_IS_LIVE_PURCHASES: Check = Check {
    name: "taken_is_live_purchases",
    claim: "what a listing counts as taken are the purchases that take its supply, and it is not oversold",
    violations: "
        select format('package %s', package_id) as example
        from listings
        left join (
            select package_id, count(*) as live
            from purchases
            where license_mode <> 'unlimited'
              and takes_supply
              and state not in ('failed', 'refunded')
            group by package_id
        ) as counted using (package_id)
        where taken <> coalesce(live, 0)
           or (license_mode <> 'unlimited' and taken > supply)",
};

const PACKAGE_SALES: Check = Check {
    name: "package_sales",
    claim: "a package counts each sale that was not refunded once",
    violations: "
        select format('package %s', packages.id) as example
        from packages
        left join (
            select package_id, count(*) as settled
            from purchases
            where state in ('settled', 'disputed')
            group by package_id
        ) as sold on sold.package_id = packages.id
        left join (
            select package_id, sum(sales) as waiting
            from package_deltas
            group by package_id
        ) as unfolded on unfolded.package_id = packages.id
        where packages.sales + coalesce(waiting, 0) <> coalesce(settled, 0)",
};
