//! What a stranger who got hold of the API's database login would try: the very address that the API is given,
//! without a word of ours before it.

use common::db::{self, PgConnection};
use sqlx::AssertSqlSafe;
use tests::World;

use super::market::Market;

/// PostgreSQL's `insufficient_privilege`.
const DENIED: &str = "42501";

/// Statements, each one transaction, that nobody but the owner of the schema may do.
const DENIED_TO_SERVICES: &[&str] = &[
    // To be somebody else.
    "set role postgres",
    "set role awareness",
    "set role awareness_migrator",
    "set session authorization awareness",
    "set session_replication_role = replica",
    "alter role awareness_app superuser",
    "alter role awareness_app createrole",
    "create role rogue superuser",
    "grant awareness_migrator to awareness_app",
    "grant pg_execute_server_program to awareness_app",
    // To give oneself rights, or keep oneself from being blocked.
    "update users set role = 'admin'",
    "insert into users (id, name, role) values (gen_random_uuid(), 'rogue', 'admin')",
    "update users set blocked_at = null",
    "update users set blocked_because = 'rogue'",
    "update users set email = 'rogue@example.com'",
    "update api_keys set permissions = '{account}'",
    "update api_keys set budget_day_minor = null",
    "update api_keys set user_id = (select id from users limit 1)",
    "delete from api_keys",
    // To move money, or when and for what it moved.
    "update purchases set settled_at = now() + interval '1 year'",
    "update purchases set settlement_id = 1",
    "update purchases set price_minor = 1",
    "insert into purchases (id, settled_at) values (gen_random_uuid(), now())",
    "update payouts set amount_minor = amount_minor * 2",
    "update payments set amount_minor = 1000000",
    "insert into payouts (id, seller_id, amount_minor, currency, request_id, state)
     select gen_random_uuid(), id, 1000, 'USD', 'r', 'paid' from users",
    "update accounts set balance_minor = 1000000",
    "insert into transfers (kind, subject, currency, trace) values ('top_up', gen_random_uuid(), 'USD', 'r')",
    "delete from holds",
    "update listings set seller_id = (select id from users limit 1)",
    "update listings set taken = 0",
    "update shelf set popularity = 1000000",
    "update packages set rating_sum = 5, rating_count = 1",
    "update packages set epsilon_measured = 0",
    "update packages set taken_down_at = null, taken_down_because = null",
    "delete from purchases",
    "select shelve(gen_random_uuid())",
    // To hide what was done.
    "delete from audit_log",
    "update audit_log set actor = 'nobody'",
    "delete from events",
    "update events set data = '{}'",
    "delete from downloads",
    "delete from _sqlx_migrations",
    "update _sqlx_migrations set success = false",
    "insert into _sqlx_migrations select * from _sqlx_migrations",
    // To change the schema and its guards.
    "truncate jobs",
    "drop table stars",
    "alter table purchases disable trigger all",
    "alter table accounts drop constraint accounts_no_overdraft",
    "drop trigger purchases_keep_order on purchases",
    "create trigger rogue before insert on purchases for each row execute function refuse_change()",
    "alter table users add column rogue text",
    "create index rogue on users (name)",
    "create or replace function listing_lock(package uuid) returns bigint language sql as 'select 0'",
    "create function rogue() returns integer language sql as 'select 1'",
    "create table rogue ()",
    "create view rogue as select 1",
    "create schema rogue",
    "create extension dblink",
    "create database rogue",
    "drop function settle_purchases(uuid[], integer[], uuid, double precision)",
    "alter function ledger_post(text, uuid, text, text, uuid[], text[], bigint[]) security invoker",
    "alter default privileges for role awareness_migrator grant all on tables to public",
    "do $$ begin lock table purchases in access exclusive mode; end $$",
    // To leave the database.
    "copy (select 1) to program 'true'",
    "copy stars from program 'true'",
    "copy (select 1) to '/tmp/rogue'",
    "select pg_read_file('postgresql.conf')",
    "select lo_import('/etc/passwd')",
    "alter system set log_statement = 'all'",
    "select pg_reload_conf()",
    "select * from pg_authid",
];

/// What a service may write, but not so: the constraint that refuses it.
const REFUSED: &[(&str, &str)] = &[
    (
        "insert into payouts (id, seller_id, amount_minor, currency, request_id)
         values (gen_random_uuid(), seller(), 1000, 'USD', 'r')",
        "payouts_posted",
    ),
    (
        "insert into payouts (id, seller_id, amount_minor, currency, request_id)
         values ('00000000-0000-0000-0000-0000000000f1', seller(), 1000, 'USD', 'r');
         select ledger_post('payout', '00000000-0000-0000-0000-0000000000f1', 'USD', 'r',
                            array[seller(), nobody()], array['seller_earnings', 'payouts'], array[-1, 1])",
        "payouts_posted",
    ),
    (
        "insert into payouts (id, seller_id, amount_minor, currency, request_id)
         values ('00000000-0000-0000-0000-0000000000f2', seller(), 100, 'USD', 'r');
         select ledger_post('payout', '00000000-0000-0000-0000-0000000000f2', 'USD', 'r',
                            array[seller(), nobody()], array['seller_earnings', 'payouts'], array[-100, 100]);
         update payouts set state = 'paid', reference = 'r', finished_at = now()",
        "payouts_posted",
    ),
    ("update purchases set state = 'refunded' where id = sale()", "purchases_posted"),
    (
        "insert into disputes (id, purchase_id, reason, description, request_id)
         values (gen_random_uuid(), sale(), 'other', 'no freeze', 'r');
         update purchases set state = 'disputed' where id = sale()",
        "purchases_posted",
    ),
    ("select set_user_role(1, seller(), 'admin')", "rights_change_in_an_act"),
    ("select set_user_blocked(1, seller(), null)", "rights_change_in_an_act"),
    (
        "insert into audit_log (actor, actor_id, action, target, address, request_id)
         values ('user', seller(), 'POST', seller()::text, '', 'r');
         select set_user_role((select max(id) from audit_log), seller(), 'admin')",
        "operators_spare_themselves",
    ),
];

async fn refusal(connection: &mut PgConnection, sql: &str) -> String {
    match sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await {
        Ok(_) => "accepted".to_owned(),
        Err(error) => match db::constraint_of(&error) {
            Some(constraint) => constraint.to_owned(),
            None => {
                let code = error.as_database_error().and_then(|error| error.code());
                code.map_or_else(|| error.to_string(), |code| code.into_owned())
            }
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_s_login_is_refused_what_is_not_its_business() {
    let market = Market::open().await;
    let mut service = market.service().await;
    // Whatever was set before, there is nothing to go back to.
    let again = "reset role; reset session authorization; grant all on users to awareness_app";
    for before in ["select", again] {
        assert_eq!(refusal(&mut service, before).await, "accepted");
        let mut faults = Vec::new();
        for sql in DENIED_TO_SERVICES {
            let found = refusal(&mut service, sql).await;
            // A role that is not there is no way out either.
            if found != DENIED && !(found == "22023" && sql.starts_with("set role")) {
                faults.push(format!("after {before}: {found}: {sql}"));
            }
        }
        for (sql, constraint) in REFUSED {
            let found = refusal(&mut service, sql).await;
            if found != *constraint {
                faults.push(format!(
                    "after {before}: {constraint} expected, {found}: {sql}"
                ));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_given_the_login_that_these_tests_use() {
    let world = World::only_api().await;
    let busy: Vec<(String, bool)> = sqlx::query_as(
        "select usename::text, rolsuper
         from pg_stat_activity
         join pg_roles on rolname = usename
         where datname = current_database()
           and pid <> pg_backend_pid()
           and application_name = ''
           and usename <> session_user",
    )
    .fetch_all(&world.pool)
    .await
    .unwrap();
    let login = url::Url::parse(world.database_url())
        .unwrap()
        .username()
        .to_owned();
    assert!(!busy.is_empty(), "the API has connections");
    for (name, is_superuser) in busy {
        assert_eq!((name, is_superuser), (login.clone(), false));
    }
}
