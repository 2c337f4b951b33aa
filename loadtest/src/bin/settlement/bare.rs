//! The floor: a pgbench script that writes the rows of a settlement into tables without a guard.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use loadtest::{cpu_ms, fsync_probe};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::process::Command;

/// The rows of a settlement, into tables without triggers and foreign keys.
const BARE: &str = "\
select nextval('bare.n') as n \\gset
begin;
select pg_advisory_xact_lock_shared(1);
update bare.jobs set state = 'done', worker = null, finished_at = now() where id = bench_id(:salt, 7, :n) and fence = 1;
select id from bare.purchases where id = bench_id(:salt, 6, :n) and state = 'pending' for no key update;
update bare.holds set state = 'posted', resolved_at = now() where id = bench_id(:salt, 6, :n) returning account_id \\gset
insert into bare.transfers (kind, subject, currency, trace)
    values ('settlement', bench_id(:salt, 6, :n), 'USD', 'req') returning id as transfer_id \\gset
update bare.accounts set balance_minor = balance_minor - 999, held_minor = held_minor - 999, version = version + 1
    where id = :account_id returning version, balance_minor \\gset
insert into bare.entries (transfer_id, leg, account_id, amount_minor, account_version, balance_after_minor)
    values (:transfer_id, 1, :account_id, -999, :version, :balance_minor), (:transfer_id, 2, 1, 849, null, null),
           (:transfer_id, 3, 2, 150, null, null);
insert into bare.account_deltas (account_id, amount_minor) values (1, 849), (2, 150);
update bare.purchases set state = 'settled', settlement_id = :transfer_id, settled_at = now(),
    grant_expires_at = now(), finished_at = now(), version = version + 1 where id = bench_id(:salt, 6, :n);
insert into bare.events (stream, version, event_type, trace, data)
    values (bench_id(:salt, 6, :n), 3, 'purchase.completed', 'req', '{\"state\": \"settled\", \"settlement\": 1}') returning id as event_id \\gset
insert into bare.event_pending (event_id) values (:event_id);
insert into bare.package_deltas (package_id, sales) values (bench_id(:salt, 4, 1), 1);
commit;
";

const BARE_TABLES: &[&str] = &[
    "jobs",
    "purchases",
    "holds",
    "accounts",
    "transfers",
    "entries",
    "account_deltas",
    "events",
    "event_pending",
    "package_deltas",
];

/// Settles the round of that salt, eight at a time: settlements per second.
pub async fn measure(
    owner: &PgPool,
    url: &str,
    folder: &Path,
    salt: i32,
    settlements: i32,
) -> anyhow::Result<f64> {
    let mut statements = vec![
        "drop schema if exists bare cascade".to_owned(),
        "create schema bare".to_owned(),
        "create sequence bare.n".to_owned(),
    ];
    for table in BARE_TABLES {
        statements.push(format!(
            "create table bare.{table} (like public.{table} including defaults including identity including indexes including storage)"
        ));
    }
    for (table, id) in [("jobs", 7), ("purchases", 6), ("holds", 6)] {
        statements.push(format!(
            "insert into bare.{table} select public.{table}.* from public.{table}
             join generate_series(1, {}) n on public.{table}.id = bench_id({}, {id}, n)",
            settlements, salt
        ));
    }
    statements.push(
        "insert into bare.accounts overriding system value select * from public.accounts"
            .to_owned(),
    );
    statements.push("vacuum analyze".to_owned());
    statements.push("checkpoint".to_owned());
    for statement in statements {
        sqlx::query(AssertSqlSafe(statement)).execute(owner).await?;
    }
    let probe = fsync_probe(folder)?;
    let script = folder.join("bare.sql");
    std::fs::write(&script, BARE)?;
    let cpu = cpu_ms()?;
    let output = Command::new("pgbench")
        .args([
            "--no-vacuum",
            "--protocol=prepared",
            "--jobs=2",
            "--client=8",
        ])
        .arg(format!("--define=salt={}", salt))
        .arg(format!("--transactions={}", settlements / 8))
        .arg("--file")
        .arg(&script)
        .arg(url)
        .stderr(Stdio::inherit())
        .output()
        .await?;
    let cpu = (cpu_ms()? - cpu) / f64::from(settlements);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "pgbench failed: {text}");
    let rate = text
        .lines()
        .find_map(|line| line.strip_prefix("tps = "))
        .and_then(|rest| rest.split_whitespace().next())
        .context("pgbench printed no rate")?
        .parse()?;
    println!(
        "  {:20} {rate:8.0}/s  {:31}cpu {cpu:.2} ms  fsync {probe:.2} ms",
        "pgbench, bare, hot", ""
    );
    Ok(rate)
}
