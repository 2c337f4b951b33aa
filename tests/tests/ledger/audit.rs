//! The audit says that sound books are sound, and of broken ones what is broken.

use std::collections::BTreeSet;

use common::ids::UserId;
use common::ledger::audit::{Audit, CHECKS, audit, audit_in_tx};
use common::ledger::{Posting, Split};
use common::telemetry::metrics;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tests::{World, eventually};
use uuid::Uuid;

use super::market::{BUYER, Market, SALE, SELLER};

/// The names of the checks that found something.
fn broken(audit: &Audit) -> BTreeSet<&'static str> {
    let found = audit.findings.iter();
    found
        .filter(|finding| finding.violations > 0)
        .map(|finding| finding.check)
        .collect()
}

/// What somebody did behind the schema's back, and the checks that see it.
const SABOTAGE: &[(&str, &[&str])] = &[
    (
        "update entries set amount_minor = amount_minor + 1 where account_id = fees() and transfer_id = 2",
        &["transfers_balance", "appended_balances", "settlements_of_sales"],
    ),
    (
        "delete from entries where transfer_id = (select min(id) from transfers)",
        &["transfers_balance", "guarded_balances", "guarded_versions", "appended_balances"],
    ),
    (
        "update accounts set balance_minor = balance_minor + 1 where id = earnings()",
        &["appended_balances", "world_sums_to_zero"],
    ),
    (
        "delete from account_deltas where account_id = fees()",
        &["appended_balances", "world_sums_to_zero"],
    ),
    (
        "update accounts set balance_minor = balance_minor + 1 where id = credits()",
        &["guarded_balances", "world_sums_to_zero"],
    ),
    (
        "update entries set balance_after_minor = 1 where account_id = credits() and account_version = 2",
        &["guarded_balances"],
    ),
    (
        "update accounts set version = version + 1 where id = credits()",
        &["guarded_versions"],
    ),
    (
        "update entries set account_version = account_version + 1 where account_id = credits() and account_version = 4",
        &["guarded_versions"],
    ),
    (
        "update accounts set held_minor = held_minor + 1 where id = credits()",
        &["held_is_open_holds"],
    ),
    (
        "alter table accounts drop constraint accounts_no_overdraft;
         insert into holds (id, account_id, amount_minor) values (gen_random_uuid(), credits(), 90000);
         update accounts set held_minor = held_minor + 90000 where id = credits()",
        &["no_overdraft", "holds_of_purchases"],
    ),
    (
        "set local session_replication_role = origin;
         select ledger_post('adjustment', gen_random_uuid(), 'USD', 'r', array[seller(), nobody()],
                            array['seller_earnings', 'payments_clearing'], array[-1, 1])",
        &["sellers_above_zero"],
    ),
    (
        "update transfers set kind = 'adjustment' where kind = 'settlement' and subject = sale()",
        &["settlements_of_sales"],
    ),
    (
        "update purchases set fee_minor = 100, net_minor = 900 where id = sale()",
        &["settlements_of_sales", "sellers_above_zero"],
    ),
    (
        "update purchases set settlement_id = (select settlement_id from purchases where id = returned()) + 1000
         where id = sale()",
        &["settlements_of_sales"],
    ),
    (
        "set local session_replication_role = origin;
         select ledger_post('settlement', failed(), 'USD', 'r', array[seller(), nobody()],
                            array['seller_earnings', 'platform_fees'], array[1, -1])",
        &["settlements_without_sale"],
    ),
    (
        "set local session_replication_role = origin;
         select ledger_post('refund', sale(), 'USD', 'r', array[seller(), nobody()],
                            array['seller_earnings', 'platform_fees'], array[1, -1])",
        &["refunds"],
    ),
    (
        "update transfers set kind = 'adjustment' where kind = 'refund'",
        &["refunds"],
    ),
    (
        "insert into payments (id, user_id, api_key_id, purpose, amount_minor, currency, state, provider_id,
                               request_id, next_look_at, expires_at, finished_at)
         values (gen_random_uuid(), buyer(), api_key(), 'top_up', 5000, 'USD', 'succeeded', 'pi_1', 'r', now(), now(),
                 now())",
        &["card_payments"],
    ),
    (
        "insert into payments (id, user_id, api_key_id, purpose, amount_minor, currency, state, provider_id,
                               request_id, next_look_at, expires_at, finished_at)
         select subject, buyer(), api_key(), 'top_up', 4999, 'USD', 'succeeded', 'pi_1', 'r', now(), now(), now()
         from transfers
         where kind = 'top_up'",
        &["card_payments"],
    ),
    (
        "insert into payments (id, user_id, api_key_id, purpose, amount_minor, currency, state, request_id,
                               next_look_at, expires_at)
         select subject, buyer(), api_key(), 'top_up', 5000, 'USD', 'unknown', 'r', now(), now()
         from transfers
         where kind = 'top_up'",
        &["card_payments"],
    ),
    (
        "update holds set state = 'voided', resolved_at = now() where id = waiting();
         update accounts set held_minor = 0 where id = credits()",
        &["holds_of_purchases"],
    ),
    (
        "drop index purchases_exclusive_once, purchases_one_per_buyer;
         alter table listings drop constraint listings_not_oversold;
         update purchases
         set state = 'awaiting_payment', reason_code = null, buyer_id = rival(), reserved_until = now()
         where id = failed();
         update listings set taken = 2 where package_id = rare_package()",
        &["exclusive_sales", "taken_is_live_purchases", "holds_of_purchases"],
    ),
    (
        "update listings set taken = 0 where package_id = rare_package()",
        &["taken_is_live_purchases"],
    ),
    (
        "update packages set sales = sales + 1 where id = open_package()",
        &["package_sales"],
    ),
    (
        "set local session_replication_role = origin;
         select ledger_post('dispute_freeze', gen_random_uuid(), 'USD', 'r', array[seller(), nobody()],
                            array['seller_earnings', 'refunds_reserve'], array[-1, 1])",
        &["disputes", "sellers_above_zero"],
    ),
    (
        "set local session_replication_role = origin;
         select ledger_post('payout', gen_random_uuid(), 'USD', 'r', array[seller(), nobody()],
                            array['seller_earnings', 'payouts'], array[-1, 1])",
        &["payouts", "sellers_above_zero"],
    ),
    (
        "set local session_replication_role = origin;
         select ledger_post('chargeback', gen_random_uuid(), 'USD', 'r', array[buyer(), nobody()],
                            array['buyer_debt', 'chargebacks_reserve'], array[-1, 1])",
        &["chargebacks", "debts"],
    ),
    (
        "insert into agent_tasks (id, payer_agent, provider_agent, payer_id, provider_id, api_key_id, capability,
                                  amount_minor, currency, fee_basis_points, context, request_id, due_at)
         values (gen_random_uuid(), 'payer', 'provider', buyer(), seller(), api_key(), 'vision', 100, 'USD', 1500, '{}',
                 'r', now())",
        &["holds_of_tasks"],
    ),
    (
        "set local session_replication_role = origin;
         select ledger_post('task_settlement', gen_random_uuid(), 'USD', 'r', array[buyer(), nobody()],
                            array['buyer_credits', 'platform_fees'], array[-1, 1])",
        &["settlements_of_tasks"],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn sound_books_pass_every_check() {
    let market = Market::open().await;
    let audit = audit(&market.pool).await.unwrap();
    assert_eq!(broken(&audit), BTreeSet::new(), "{:#?}", audit.findings);
    assert_eq!(audit.findings.len(), CHECKS.len());
    let figures = audit.figures;
    assert_eq!((figures.transfers, figures.entries), (4, 11));
    assert_eq!((figures.purchases, figures.open_holds), (4, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_breaks_the_books_is_named_by_the_checks_that_it_breaks() {
    let seen: BTreeSet<&str> = SABOTAGE
        .iter()
        .flat_map(|(_, checks)| *checks)
        .copied()
        .collect();
    let all: BTreeSet<&str> = CHECKS.iter().map(|check| check.name).collect();
    assert_eq!(seen, all, "each check has its sabotage");
    let market = Market::open().await;
    let mut owner = market.owner().await;
    for (sql, expected) in SABOTAGE {
        let mut tx = owner.begin().await.unwrap();
        // No trigger fires and no foreign key is checked.
        let behind = format!("set local session_replication_role = replica; {sql}");
        sqlx::raw_sql(AssertSqlSafe(behind))
            .execute(&mut *tx)
            .await
            .unwrap();
        let audit = audit_in_tx(&mut tx).await.unwrap();
        let expected: BTreeSet<&str> = expected.iter().copied().collect();
        assert_eq!(broken(&audit), expected, "{sql}\n{:#?}", audit.findings);
        let mut found = audit.findings.iter().filter(|found| found.violations > 0);
        assert!(found.all(|found| found.example.is_some()));
        assert!(!audit.is_sound());
        tx.rollback().await.unwrap();
    }
}

/// The audit compares sales with SQL; this holds that SQL's example, `settle_purchases`, to the rule.
#[tokio::test(flavor = "multi_thread")]
async fn the_schema_settles_with_the_legs_of_the_posting_rule() {
    let market = Market::open().await;
    let legs: Vec<(Uuid, String, i64)> = sqlx::query_as(
        "select owner_id, accounts.kind, amount_minor
         from transfers
         join entries on entries.transfer_id = transfers.id
         join accounts on accounts.id = entries.account_id
         where transfers.kind = 'settlement'
           and transfers.subject = $1
         order by leg",
    )
    .bind(SALE)
    .fetch_all(&market.pool)
    .await
    .unwrap();
    let split = Split::of(1000, 1500);
    let rule = Posting::settlement(SALE, UserId(BUYER), UserId(SELLER), split);
    let expected: Vec<(Uuid, String, i64)> = rule
        .legs
        .iter()
        .map(|leg| (leg.owner, leg.account.to_string(), leg.amount_minor))
        .collect();
    assert_eq!(legs, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leading_scheduler_folds_and_reports_what_its_audit_found() {
    let mut world = World::only_api().await;
    let user = world.seller_id().await;
    let credits = serde_json::json!({ "userId": user, "amount": "5.00", "reason": "a gift" });
    let given = world.operator.post("/admin/credits", &credits).await;
    assert_eq!(given.status, 201, "{}", given.text);
    assert_eq!(world.count("select count(*) from account_deltas").await, 1);
    let mut owner = PgConnection::connect_with(&world.pool.connect_options())
        .await
        .unwrap();
    sqlx::raw_sql(
        "set session_replication_role = replica;
         update accounts set version = version + 1 where kind = 'buyer_credits'",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    world.start_scheduler().await;
    eventually("the deltas to be folded", || async {
        let unfolded = world.count("select count(*) from account_deltas").await;
        (unfolded == 0).then_some(())
    })
    .await;
    eventually("an audit that saw the break", || async {
        let broken = metrics()
            .ledger_violations
            .with_label_values(&["guarded_versions"]);
        (broken.get() == 1).then_some(())
    })
    .await;
    let sound = metrics()
        .ledger_violations
        .with_label_values(&["guarded_balances"]);
    assert_eq!(sound.get(), 0);
    assert!(metrics().ledger_audit_seconds.get_sample_count() > 0);
}
