//! Proves the books: one named check per invariant, all of them over one snapshot.
//!
//! The schema refuses most of what is looked for here; the audit would see what was done behind its
//! back, and what only holds between tables. It changes nothing and takes no lock that others wait
//! for. To add a check, add it to [`CHECKS`].

mod after_sale;
mod checks;
mod tasks;

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

pub use checks::CHECKS;

use crate::db;
use crate::limits::AUDIT_STATEMENT_SECONDS_MAX;
use crate::telemetry::metrics;

/// One invariant.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Its name in metrics and JSON.
    pub name: &'static str,
    /// What must be true.
    pub claim: &'static str,
    /// One row per violation, whose only column `example` says what and where.
    pub(super) violations: &'static str,
}

/// How one check ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "AuditFinding")]
pub struct Finding {
    /// The name of the check.
    pub check: &'static str,
    /// What must be true.
    pub claim: &'static str,
    /// How many rows violate it.
    pub violations: i64,
    /// One of them.
    pub example: Option<String>,
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AuditFigures")]
pub struct Figures {
    /// Accounts of the ledger.
    pub accounts: i64,
    /// Transfers between them.
    pub transfers: i64,
    /// Entries of all transfers.
    pub entries: i64,
    /// Holds that are neither posted nor released.
    pub open_holds: i64,
    /// Changes that are not added to their accounts yet.
    pub unfolded_deltas: i64,
    /// Purchases in any state.
    pub purchases: i64,
}

/// The result of an audit.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Audit {
    /// The moment that was looked at.
    pub at: DateTime<Utc>,
    /// How long the audit took, in milliseconds.
    pub duration_ms: u64,
    pub figures: Figures,
    /// The result of each check.
    pub findings: Vec<Finding>,
}

impl Audit {
    /// Whether every invariant holds.
    pub fn is_sound(&self) -> bool {
        self.findings.iter().all(|finding| finding.violations == 0)
    }
}

/// Runs every check over one snapshot. In a task of its own: a caller that gives up must not leave a
/// transaction open in the pool.
pub async fn audit(pool: &PgPool) -> Result<Audit, sqlx::Error> {
    let pool = pool.clone();
    db::to_its_end(tokio::spawn(async move { look(&pool).await })).await
}

/// Writes the scheduled audit into the metrics, and its findings into the log.
pub fn report(audit: &Audit) {
    metrics()
        .ledger_audit_seconds
        .observe(Duration::from_millis(audit.duration_ms).as_secs_f64());
    for finding in &audit.findings {
        metrics()
            .ledger_violations
            .with_label_values(&[finding.check])
            .set(finding.violations);
        if finding.violations > 0 {
            tracing::error!(
                check.name = finding.check,
                check.violations = finding.violations,
                check.example = finding.example,
                "The ledger breaks an invariant"
            );
        }
    }
}

/// Takes the findings out of the metrics: this process audits no more, and another does.
pub fn retract() {
    metrics().ledger_violations.reset();
}

async fn look(pool: &PgPool) -> Result<Audit, sqlx::Error> {
    let mut tx = db::begin_with(pool, "begin isolation level repeatable read read only").await?;
    let audit = audit_in_tx(&mut tx).await?;
    tx.rollback().await?;
    Ok(audit)
}

/// The same over what the caller's transaction sees.
pub async fn audit_in_tx(conn: &mut PgConnection) -> Result<Audit, sqlx::Error> {
    let started = Instant::now();
    let timeout = Duration::from_secs(AUDIT_STATEMENT_SECONDS_MAX).as_millis();
    let at = sqlx::query_scalar(
        "select now()
         from set_config('statement_timeout', $1, true)",
    )
    .bind(timeout.to_string())
    .fetch_one(&mut *conn)
    .await?;
    let figures = figures(conn).await?;
    let mut findings = Vec::with_capacity(CHECKS.len());
    for check in CHECKS {
        findings.push(find(conn, check).await?);
    }
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Audit {
        at,
        duration_ms,
        figures,
        findings,
    })
}

async fn figures(conn: &mut PgConnection) -> Result<Figures, sqlx::Error> {
    sqlx::query_as(
        "select (select count(*) from accounts) as accounts,
                (select count(*) from transfers) as transfers,
                (select count(*) from entries) as entries,
                (select count(*) from holds where resolved_at is null) as open_holds,
                (select count(*) from account_deltas) as unfolded_deltas,
                (select count(*) from purchases) as purchases",
    )
    .fetch_one(conn)
    .await
}

async fn find(conn: &mut PgConnection, check: &Check) -> Result<Finding, sqlx::Error> {
    // The checks are constants; nothing that anybody sent is part of them.
    let sql = AssertSqlSafe(format!(
        "select count(*), min(example) from ({}) as violation",
        check.violations
    ));
    let (violations, example) = sqlx::query_as(sql).fetch_one(conn).await?;
    Ok(Finding {
        check: check.name,
        claim: check.claim,
        violations,
        example,
    })
}
