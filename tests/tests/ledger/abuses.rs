//! What wrong code would do (`abuses.sql`), tried with all the rights of the schema's owner and with
//! those of the services; and the same things done rightly.

use common::db::{self, PgConnection};

use super::market::Market;

const ABUSES: &str = include_str!("abuses.sql");
/// PostgreSQL's `insufficient_privilege`.
const DENIED: &str = "42501";

/// One case of the file.
#[derive(Debug, Clone, Copy)]
struct Abuse {
    claim: &'static str,
    /// The constraint that refuses it.
    constraint: &'static str,
    /// Whether the services may not even try.
    is_denied: bool,
    sql: &'static str,
}

fn abuses() -> Vec<Abuse> {
    let cases = ABUSES.split("\n\n").skip(1);
    cases
        .map(|case| {
            let (claim, rest) = case.split_once('\n').unwrap();
            let (verdict, sql) = rest.split_once('\n').unwrap();
            let (constraint, services) = verdict.split_once(", ").unwrap();
            assert!(["denied", "refused"].contains(&services), "{case}");
            Abuse {
                claim: claim.strip_prefix("-- ").unwrap(),
                constraint: constraint.strip_prefix("-- ").unwrap(),
                is_denied: services == "denied",
                sql,
            }
        })
        .collect()
}

/// What refuses the statements: a constraint, or the error's code. "accepted" if nothing does.
async fn refusal(connection: &mut PgConnection, sql: &'static str) -> String {
    // One simple query is one transaction, whose deferred constraints are checked at its end.
    match sqlx::raw_sql(sql).execute(connection).await {
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
async fn the_schema_refuses_what_wrong_code_would_do() {
    let market = Market::open().await;
    let mut owner = market.owner().await;
    let mut service = market.service().await;
    let abuses = abuses();
    assert!(abuses.len() > 80, "{} cases were found", abuses.len());
    let mut faults = Vec::new();
    for abuse in abuses {
        let by_services = if abuse.is_denied {
            DENIED
        } else {
            abuse.constraint
        };
        for (who, connection, expected) in [
            ("owner", &mut owner, abuse.constraint),
            ("services", &mut service, by_services),
        ] {
            let found = refusal(connection, abuse.sql).await;
            if found != expected {
                let claim = abuse.claim;
                faults.push(format!(
                    "{claim}, by the {who}: {expected} expected, {found}"
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_right_is_accepted_of_the_services() {
    let market = Market::open().await;
    let mut service = market.service().await;
    for right in [
        "select ledger_post('top_up', gen_random_uuid(), 'USD', 'r', array[rival(), nobody()],
                            array['buyer_credits', 'payments_clearing'], array[2000, -2000])",
        "select attempt(open_package(), rival(), attempt_id => '00000000-0000-0000-0000-0000000000f9'),
                ledger_hold('00000000-0000-0000-0000-0000000000f9', rival(), 'USD', 1000)",
        "select settle('00000000-0000-0000-0000-0000000000f9', waiting())",
        "select attempt(free_package(), rival(), price => 0, fee => 0)",
        "select ledger_hold('00000000-0000-0000-0000-0000000000fa', rival(), 'USD', 1000)",
        "select ledger_release('00000000-0000-0000-0000-0000000000fa', 'expired')",
        "select ledger_post('payout', gen_random_uuid(), 'USD', 'r', array[seller(), nobody()],
                            array['seller_earnings', 'payouts'], array[-850, 850])",
        "select ledger_fold(100)",
        "update listings set price_minor = 1200, version = version + 1 where package_id = open_package()",
    ] {
        assert_eq!(refusal(&mut service, right).await, "accepted", "{right}");
    }
    let settled = "select count(*) from purchases where state = 'settled'";
    assert_eq!(market.count(settled).await, 3);
}
