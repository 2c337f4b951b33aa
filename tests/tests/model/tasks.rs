//! Tasks between agents: what clients know of them, what is held for them, and what was paid.

use std::collections::BTreeMap;

use common::agent_tasks::TaskState;
use common::ids::{AgentTaskId, UserId};

use super::books::Books;
use super::history::History;
use super::judge::{Rule, Verdict};

/// A task with everything that must agree with it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct TaskRow {
    pub id: AgentTaskId,
    pub payer: UserId,
    pub provider: UserId,
    pub amount_minor: i64,
    pub paid_minor: Option<i64>,
    pub state: TaskState,
    pub hold: Option<String>,
    pub settlements: i64,
    /// Events of its present state.
    pub events: i64,
}

pub const TASKS: &str = "select agent_tasks.id, payer_id as payer, provider_id as provider, agent_tasks.amount_minor,
            paid_minor, agent_tasks.state, holds.state as hold,
            (select count(*) from transfers where subject = agent_tasks.id and kind = 'task_settlement') as settlements,
            (select count(*)
             from events
             where stream = agent_tasks.id
               and event_type = 'agent_task.' || case
                   when agent_tasks.state = 'pending' then 'requested'
                   when agent_tasks.state like 'resolved_%' then 'resolved'
                   else agent_tasks.state
               end) as events
     from agent_tasks
     left join holds on holds.id = agent_tasks.id";

/// Each task that a payer knows of is there once, as its payer knows it, and no other is.
pub fn judge_tasks(verdict: &mut Verdict, history: &History, books: &Books) {
    let mut rows: BTreeMap<AgentTaskId, _> = books.tasks.iter().map(|row| (row.id, row)).collect();
    for sight in &history.task_sights {
        let is_led_to = rows
            .get(&sight.id)
            .is_some_and(|row| leads_to(sight.state, row.state));
        verdict.must(is_led_to, Rule::Undone, || format!("{sight:?}"));
    }
    for task in &history.tasks {
        match rows.remove(&task.id) {
            Some(row) => {
                let known = (task.payer, task.provider, task.amount_minor);
                let is = (row.payer, row.provider, row.amount_minor);
                verdict.must(known == is, Rule::Inconsistent, || {
                    format!("{task:?} is {row:?}")
                });
            }
            None => verdict.find(Rule::Lost, format!("{task:?}")),
        }
    }
    for row in rows.values() {
        verdict.find(Rule::Doubled, format!("nobody knows of {row:?}"));
    }
    for row in &books.tasks {
        judge_task(verdict, row);
    }
}

fn judge_task(verdict: &mut Verdict, row: &TaskRow) {
    verdict.must(row.state.is_final(), Rule::Unfinished, || {
        format!("{row:?}")
    });
    let is_paid = row.paid_minor.unwrap_or_default() > 0;
    let expected = match row.state {
        TaskState::Settled | TaskState::ResolvedRelease => Some(row.amount_minor),
        TaskState::ResolvedSplit => row.paid_minor,
        _ => None,
    };
    let is_right = row.paid_minor == expected
        && row.settlements == i64::from(is_paid)
        && row.events == 1
        && match row.hold.as_deref() {
            Some("posted") => is_paid,
            Some("voided" | "expired") => row.state.is_final() && !is_paid,
            Some("pending") => !row.state.is_final(),
            _ => false,
        };
    verdict.must(is_right, Rule::Inconsistent, || format!("{row:?}"));
}

/// Whether a task that was seen in one state can end in the other.
fn leads_to(seen: TaskState, end: TaskState) -> bool {
    use TaskState as State;
    match seen {
        State::Pending => true,
        State::Accepted => end != State::Pending,
        State::Delivered => !matches!(
            end,
            State::Pending | State::Accepted | State::Cancelled | State::Expired
        ),
        State::Disputed => matches!(
            end,
            State::Disputed | State::ResolvedRefund | State::ResolvedRelease | State::ResolvedSplit
        ),
        state => state == end,
    }
}
