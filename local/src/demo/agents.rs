//! Two agents of two owners: one finds the other, hires, pays and rates it. Then what the market did within an hour.

use serde_json::{Value, json};

use super::caller::Caller;
use super::{DemoError, DemoReport};
use crate::stack::Stack;

const CAPABILITY: &str = "image labels";
const COST_MINOR: i64 = 25;
/// The scheduler counts an ended task within seconds.
const LOOKS_MAX: u32 = 60;
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(500);

/// Registers, finds, hires, pays and rates.
pub(super) async fn hire(stack: &Stack, report: &mut DemoReport) -> Result<(), DemoError> {
    let (provider, payer) = (
        Caller::new(stack, &stack.keys.seller),
        Caller::new(stack, &stack.keys.buyer),
    );
    let suffix = common::ids::random_hex::<4>();
    let (labeller, collector) = (format!("labeller-{suffix}"), format!("collector-{suffix}"));
    for (owner, id) in [(&provider, &labeller), (&payer, &collector)] {
        let agent = json!({
            "agentId": id,
            "name": id,
            "description": "Of the demo.",
            "capabilities": [CAPABILITY],
            "costPerTaskMinor": COST_MINOR,
            "capacityPerHour": 60,
        });
        let made = owner.post("/api/agents", &agent).await?;
        if made.status != 201 {
            return Err(refused(made.status, &made.body));
        }
    }
    find(stack, &payer, &labeller, report).await?;
    let task = work(&provider, &payer, &labeller, &collector, report).await?;
    rate(stack, &payer, &labeller, &task, report).await?;
    look_back(stack, report).await
}

/// The recommendation, and why.
async fn find(
    stack: &Stack,
    payer: &Caller,
    labeller: &str,
    report: &mut DemoReport,
) -> Result<(), DemoError> {
    let path = "/api/agents/recommend?capability=Image%20Labels&budgetMinor=100&top=20";
    let found = payer.get(path).await?;
    let named = found.body["data"]["recommendations"].as_array();
    let ours = named.and_then(|named| {
        let mut named = named.iter();
        named.find(|each| each["agent"]["agentId"] == labeller)
    });
    let why = ours.map_or("", |each| {
        each["why"]["explanation"].as_str().unwrap_or_default()
    });
    stack
        .terminal
        .line("recommended", &format!("{labeller}: {why}"));
    report.add(
        format!("an agent finds {labeller} and is shown why"),
        !why.is_empty(),
        why.to_owned(),
    );
    Ok(())
}

/// The task, from the request to the payment.
async fn work(
    provider: &Caller,
    payer: &Caller,
    labeller: &str,
    collector: &str,
    report: &mut DemoReport,
) -> Result<String, DemoError> {
    let request = json!({
        "payerAgentId": collector,
        "capability": CAPABILITY,
        "amountMinor": COST_MINOR,
        "context": { "images": ["https://example.com/1.png"] },
    });
    let asked = payer
        .post(&format!("/api/agents/{labeller}/tasks"), &request)
        .await?;
    if asked.status != 201 {
        return Err(refused(asked.status, &asked.body));
    }
    let path = asked.text("statusUrl").to_owned();
    provider.post(&format!("{path}/accept"), &json!({})).await?;
    let result = json!({ "result": { "labels": ["cat"] } });
    provider.post(&format!("{path}/deliver"), &result).await?;
    let settled = payer.post(&format!("{path}/settle"), &json!({})).await?;
    report.add(
        "it hires and pays it, once the result is there".to_owned(),
        settled.text("status") == "settled" && settled.body["data"]["paidMinor"] == COST_MINOR,
        format!("task {}", settled.text("status")),
    );
    Ok(path)
}

/// Five stars, which the reputation shows.
async fn rate(
    stack: &Stack,
    payer: &Caller,
    labeller: &str,
    task: &str,
    report: &mut DemoReport,
) -> Result<(), DemoError> {
    payer
        .post(&format!("{task}/rating"), &json!({ "stars": 5 }))
        .await?;
    let mut reputation = 0.0;
    for _ in 0..LOOKS_MAX {
        let agent = payer.get(&format!("/api/agents/{labeller}")).await?;
        let data = &agent.body["data"];
        if data["tasksSucceeded"] == 1 {
            reputation = data["reputation"].as_f64().unwrap_or_default();
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let detail = format!("{reputation:.3} of 5");
    stack
        .terminal
        .line("reputation", &format!("{labeller}: {detail}"));
    report.add(
        "it rates it, and the reputation rises".to_owned(),
        reputation > 2.5,
        detail,
    );
    Ok(())
}

/// The analytics of this hour and the one before, which the scheduler is asked to count now.
async fn look_back(stack: &Stack, report: &mut DemoReport) -> Result<(), DemoError> {
    let operator = Caller::operator(stack);
    operator
        .post("/admin/tasks/roll_up_analytics/run", &json!({}))
        .await?;
    let path = "/admin/analytics?period=hour";
    let mut total = Value::Null;
    for _ in 0..LOOKS_MAX {
        total = operator.get(path).await?.body["data"]["total"].take();
        if total["purchases"].as_i64() > Some(0) {
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let figures = [
        "uploadsCompleted",
        "uploadsFailed",
        "purchases",
        "revenueMinor",
        "refunds",
        "downloads",
    ];
    let detail = figures
        .map(|name| format!("{name} {}", total[name]))
        .join(", ");
    stack.terminal.line("analytics", &detail);
    report.add(
        "the scheduler counts what the market did".to_owned(),
        total["uploadsCompleted"].as_i64() > Some(0) && total["purchases"].as_i64() > Some(0),
        detail,
    );
    Ok(())
}

fn refused(status: u16, body: &Value) -> DemoError {
    DemoError::Refused {
        status,
        body: body.to_string(),
    }
}
