//! `awareness ledger`: prove the books.

use clap::{Args, Subcommand};
use serde::Deserialize;

use crate::api::{Api, ApiArgs, read};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::Table;

/// Prove the books.
#[derive(Debug, Args)]
pub struct LedgerArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(subcommand)]
    command: LedgerCommand,
}

#[derive(Debug, Subcommand)]
enum LedgerCommand {
    /// Check every invariant over one snapshot. Exit status 1 if any is broken.
    #[command(after_help = "Example: awareness ledger audit")]
    Audit,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Audited {
    is_sound: bool,
    audit: Audit,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Audit {
    duration_ms: u64,
    figures: Figures,
    findings: Vec<Finding>,
}

#[derive(Debug, Deserialize)]
struct Figures {
    accounts: i64,
    transfers: i64,
    entries: i64,
    purchases: i64,
}

#[derive(Debug, Deserialize)]
struct Finding {
    check: String,
    claim: String,
    violations: i64,
    example: Option<String>,
}

/// Runs the command.
pub async fn run(args: LedgerArgs) -> Result<Output, Failure> {
    let api = Api::new(args.api)?;
    let LedgerCommand::Audit = args.command;
    let data = api
        .post(&["ledger", "audit"], &serde_json::json!({}))
        .await?;
    let audited: Audited = read(data.clone())?;
    let output = api.show(data, |audited: Audited| show(&audited))?;
    Ok(output.complete(audited.is_sound))
}

fn show(audited: &Audited) -> String {
    let mut table = Table::new(["CHECK", "VIOLATIONS", "EXAMPLE", "CLAIM"]);
    for finding in &audited.audit.findings {
        table.row([
            finding.check.clone(),
            finding.violations.to_string(),
            finding.example.clone().unwrap_or_default(),
            finding.claim.clone(),
        ]);
    }
    let Audit {
        duration_ms,
        figures,
        findings,
    } = &audited.audit;
    let broken = findings.iter().filter(|finding| finding.violations > 0);
    let verdict = match broken.count() {
        0 => "The books are sound".to_owned(),
        count => format!("THE BOOKS ARE BROKEN: {count} check(s) failed"),
    };
    format!(
        "{table}{verdict}: {} transfers, {} entries, {} accounts and {} purchases in {duration_ms} ms.\n",
        figures.transfers, figures.entries, figures.accounts, figures.purchases,
    )
}
