//! `awareness reputation`: the reputation of an agent, and what it is made of.

use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Subcommand};
use serde::Deserialize;

use crate::age::{since, span};
use crate::api::{Api, ApiArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::Table;

/// Explain the reputation of an agent.
#[derive(Debug, Args)]
pub struct ReputationArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(subcommand)]
    command: ReputationCommand,
}

#[derive(Debug, Subcommand)]
enum ReputationCommand {
    /// Work out the reputation of an agent anew, and show what each of its ended tasks says.
    #[command(after_help = "Example: awareness reputation explain vision-broker")]
    Explain {
        /// The id of the agent.
        agent: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reputation {
    score: f64,
    evidence: f64,
    counterparties: i32,
    tasks_succeeded: i32,
    tasks_failed: i32,
    latency_seconds: Option<f64>,
    terms: Vec<Term>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Term {
    task_id: String,
    status: String,
    rating: Option<i16>,
    ended_at: DateTime<Utc>,
    success: f64,
    value: f64,
    freshness: f64,
    ordinal: i64,
    weight: f64,
}

/// Runs the command.
pub async fn run(args: ReputationArgs) -> Result<Output, Failure> {
    let api = Api::new(args.api)?;
    let ReputationCommand::Explain { agent } = args.command;
    let data = api.get(&["agents", &agent, "reputation"], &[]).await?;
    api.show(data, explain)
}

fn explain(reputation: Reputation) -> String {
    let facts = Table::of_pairs([
        ("reputation", format!("{:.2} of 5", reputation.score)),
        ("evidence", format!("{:.2}", reputation.evidence)),
        ("accounts that paid", reputation.counterparties.to_string()),
        (
            "tasks that went well",
            reputation.tasks_succeeded.to_string(),
        ),
        ("tasks that did not", reputation.tasks_failed.to_string()),
        (
            "median time",
            reputation
                .latency_seconds
                .map_or_else(String::new, |seconds| {
                    span(TimeDelta::milliseconds((seconds * 1000.0) as i64))
                }),
        ),
    ]);
    let mut terms = Table::new([
        "TASK",
        "STATE",
        "STARS",
        "ENDED",
        "SUCCESS",
        "VALUE",
        "FRESHNESS",
        "ORDINAL",
        "WEIGHT",
    ]);
    for term in reputation.terms {
        terms.row([
            term.task_id,
            term.status,
            term.rating
                .map_or_else(String::new, |stars| stars.to_string()),
            since(term.ended_at),
            format!("{:.2}", term.success),
            format!("{:.2}", term.value),
            format!("{:.2}", term.freshness),
            term.ordinal.to_string(),
            format!("{:.3}", term.weight),
        ]);
    }
    format!("{facts}\n{terms}\nreputation = 5 × (5 + Σ weight × success) ÷ (10 + Σ weight)\n")
}
