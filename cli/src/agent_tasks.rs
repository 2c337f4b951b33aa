//! `awareness agent-tasks`: list and show tasks between agents, and resolve disputes about them.

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};
use common::money::decimal_text;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::age::since;
use crate::api::{Api, ApiArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::Table;

/// List, inspect and resolve tasks between agents.
#[derive(Debug, Args)]
pub struct AgentTasksArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(subcommand)]
    command: AgentTasksCommand,
}

#[derive(Debug, Subcommand)]
enum AgentTasksCommand {
    /// List tasks, newest first.
    #[command(after_help = "Example: awareness agent-tasks list --state disputed")]
    List {
        /// Only those in this state, such as pending, delivered or disputed.
        #[arg(long)]
        state: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=common::limits::CLIENT_PAGE_ROWS_MAX))]
        limit: i64,
        /// The `nextCursor` of an earlier page: the page that follows it.
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Show a task: what was asked for, what came, and the evidence of both participants.
    #[command(
        after_help = "Example: awareness agent-tasks show tsk_0199f7a03c1e7d528f4a5b6c7d8e9f01"
    )]
    Show {
        /// The id that `agent-tasks list` shows.
        id: String,
    },
    /// Resolve a dispute: refund the payer, release the price to the provider, or split it. The first decision stands.
    #[command(
        after_help = "Example: awareness agent-tasks resolve tsk_0199f7a03c1e7d528f4a5b6c7d8e9f01 split --provider-basis-points 6000 --note 'sixty of a hundred'"
    )]
    Resolve {
        /// The id that `agent-tasks list` shows.
        id: String,
        /// refund, release or split.
        decision: Decision,
        /// The provider's part of the price, in hundredths of a percent; for a split.
        #[arg(long)]
        provider_basis_points: Option<u16>,
        /// Why; both participants read it.
        #[arg(long)]
        note: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Decision {
    Refund,
    Release,
    Split,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tasks {
    tasks: Vec<Task>,
    /// The `--cursor` of the next page, if there may be one.
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    task_id: String,
    payer_agent_id: String,
    provider_agent_id: String,
    capability: String,
    amount_minor: i64,
    currency: String,
    status: String,
    paid_minor: Option<i64>,
    note: Option<String>,
    timestamps: Timestamps,
}

#[derive(Debug, Deserialize)]
struct Timestamps {
    created: DateTime<Utc>,
}

#[derive(Debug, Deserialize)]
struct Detail {
    #[serde(flatten)]
    task: Task,
    context: Map<String, Value>,
    result: Option<Map<String, Value>>,
    evidence: Vec<Evidence>,
    history: Vec<Step>,
}

#[derive(Debug, Deserialize)]
struct Evidence {
    participant: String,
    evidence: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
struct Step {
    event: String,
    at: DateTime<Utc>,
}

/// Runs the command.
pub async fn run(args: AgentTasksArgs) -> Result<Output, Failure> {
    let api = Api::new(args.api)?;
    match args.command {
        AgentTasksCommand::List {
            state,
            limit,
            cursor,
        } => {
            let query = [
                ("state", state),
                ("limit", Some(limit.to_string())),
                ("cursor", cursor),
            ];
            let data = api.get(&["agent-tasks"], &query).await?;
            api.show(data, list)
        }
        AgentTasksCommand::Show { id } => {
            let data = api.get(&["agent-tasks", &id], &[]).await?;
            api.show(data, show)
        }
        AgentTasksCommand::Resolve {
            id,
            decision,
            provider_basis_points,
            note,
        } => {
            let decision = decision.to_possible_value().expect("all are shown");
            let mut body = json!({ "decision": decision.get_name(), "note": note });
            if let Some(basis_points) = provider_basis_points {
                body["providerBasisPoints"] = basis_points.into();
            }
            let data = api.post(&["agent-tasks", &id, "resolve"], &body).await?;
            api.show(data, |detail: Detail| {
                format!("Task {} is {}.\n", detail.task.task_id, detail.task.status)
            })
        }
    }
}

fn list(page: Tasks) -> String {
    if page.tasks.is_empty() {
        return "No task matches.\n".to_owned();
    }
    let mut table = Table::new([
        "ID",
        "STATE",
        "CAPABILITY",
        "PAYER",
        "PROVIDER",
        "PRICE",
        "CREATED",
    ]);
    for task in page.tasks {
        table.row([
            task.task_id,
            task.status,
            task.capability,
            task.payer_agent_id,
            task.provider_agent_id,
            format!("{} {}", decimal_text(task.amount_minor), task.currency),
            since(task.timestamps.created),
        ]);
    }
    match page.next_cursor {
        Some(next) => format!("{table}\nThe next page: --cursor {next}\n"),
        None => table.to_string(),
    }
}

fn show(detail: Detail) -> String {
    let Detail {
        task,
        context,
        result,
        evidence,
        history,
    } = detail;
    let money = |minor| format!("{} {}", decimal_text(minor), task.currency);
    let text = |fields: Map<String, Value>| Value::Object(fields).to_string();
    let mut facts = vec![
        ("task", task.task_id),
        ("state", task.status),
        ("capability", task.capability),
        ("payer", task.payer_agent_id),
        ("provider", task.provider_agent_id),
        ("price", money(task.amount_minor)),
        ("paid", task.paid_minor.map_or_else(String::new, money)),
        ("note", task.note.unwrap_or_default()),
        ("context", text(context)),
        ("result", result.map_or_else(String::new, text)),
    ];
    facts.extend(evidence.into_iter().map(|piece| {
        let participant = match piece.participant.as_str() {
            "payer" => "payer says",
            _ => "provider says",
        };
        (participant, text(piece.evidence))
    }));
    facts.extend(
        history
            .into_iter()
            .map(|step| ("step", format!("{} {}", step.event, since(step.at)))),
    );
    Table::of_pairs(facts).to_string()
}
