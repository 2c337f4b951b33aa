//! Where PostgreSQL spends the time of one settlement: by statement, triggers included, and by function.

use sqlx::PgPool;

/// What makes the server count; it slows each statement a little.
pub const SETTINGS: [(&str, &str); 3] = [
    ("shared_preload_libraries", "pg_stat_statements"),
    ("pg_stat_statements.track", "all"),
    ("track_functions", "all"),
];

const STATEMENTS: &str = "
    select regexp_replace(left(query, 90), '\\s+', ' ', 'g'), calls, total_exec_time / $1
    from pg_stat_statements
    where calls >= $1
      and total_exec_time / $1 > 0.002
    order by total_exec_time desc
    limit 40";

const FUNCTIONS: &str = "
    select funcname::text, calls, self_time / $1
    from pg_stat_user_functions
    where self_time > 0
    order by self_time desc
    limit 40";

pub async fn start(owner: &PgPool) -> anyhow::Result<()> {
    for statement in [
        "create extension pg_stat_statements",
        "select pg_stat_statements_reset()",
        "select pg_stat_reset()",
    ] {
        sqlx::query(statement).execute(owner).await?;
    }
    Ok(())
}

pub async fn print(owner: &PgPool, settlements: i32) -> anyhow::Result<()> {
    for (title, statement) in [
        ("by statement, with its triggers", STATEMENTS),
        ("by function, its own", FUNCTIONS),
    ] {
        let rows: Vec<(String, i64, f64)> = sqlx::query_as(statement)
            .bind(f64::from(settlements))
            .fetch_all(owner)
            .await?;
        println!("\n  ms per settlement {title}");
        for (name, calls, ms) in rows {
            println!("  {ms:8.4}  {calls:8}  {name}");
        }
    }
    Ok(())
}
