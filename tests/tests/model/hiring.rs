//! What agents do for each other: each user has one, which asks others for tasks, does them, pays and disputes.

use common::agent_tasks::TaskState;
use common::ids::AgentTaskId;
use common::reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::client::{AGAIN_AFTER, Client, is_unknown};
use super::ground::{Ground, Reply, User};
use super::history::{Task, TaskSight};

pub const CAPABILITY: &str = "work";
/// What the agent of the first user asks; the next ones ask a little more.
const PRICE_MINOR_MIN: i64 = 40;

/// The agent of the user of that number.
fn agent_of(number: usize) -> String {
    format!("agent-{number}")
}

/// Registers the agents of all users.
pub async fn register_agents(ground: &Ground) {
    for (number, user) in ground.users.iter().enumerate() {
        let agent = json!({
            "agentId": agent_of(number),
            "name": user.name,
            "capabilities": [CAPABILITY],
            "costPerTaskMinor": PRICE_MINOR_MIN + number as i64,
        });
        let request = ground.request(Method::POST, "/api/agents", &user.key);
        let reply = ground.send(request.json(&agent)).await;
        assert_eq!(reply.status, Some(201), "{reply:?}");
    }
}

impl Client<'_> {
    /// Asks another's agent for a task; as often as it takes to get an answer.
    pub(super) async fn hire(&mut self) {
        let provider = self.random.below(self.ground.users.len() as u64) as usize;
        if self.ground.users[provider].id == self.user.id {
            return;
        }
        let amount_minor = PRICE_MINOR_MIN + provider as i64;
        let path = format!("/api/agents/{}/tasks", agent_of(provider));
        let body = json!({
            "payerAgentId": agent_of(self.number),
            "capability": CAPABILITY,
            "amountMinor": amount_minor,
            "context": { "number": self.keys },
        });
        let key = Uuid::new_v4().to_string();
        let reply = self
            .until_answered(&path, self.user, Some(&key), &body)
            .await;
        let id = reply.body["data"]["taskId"].as_str();
        match (reply.status, id.and_then(AgentTaskId::parse)) {
            (Some(201), Some(id)) => self.history.tasks.push(Task {
                id,
                payer: self.user.id,
                provider: self.ground.users[provider].id,
                amount_minor,
            }),
            // The credits do not suffice.
            (Some(402), _) => {}
            _ => self.history.faults.push(format!("{path}: {reply:?}")),
        }
    }

    /// One of the two sides of a task of this client does something; perhaps it cannot be done any more.
    pub(super) async fn act_on_task(&mut self) {
        let Some(task) = self.some_task() else {
            return;
        };
        let choice = self.random.below(12);
        let (payer, provider) = (self.user, self.user_of(&task));
        let (verb, user, body) = match choice {
            0..4 => ("accept", provider, json!({})),
            4..8 => ("deliver", provider, json!({ "result": { "done": true } })),
            8 => ("decline", provider, json!({})),
            9 => ("cancel", payer, json!({})),
            10 => ("dispute", payer, json!({ "reason": "the model" })),
            _ => ("settle", payer, json!({})),
        };
        let path = format!("/api/agent-tasks/{}/{verb}", task.id);
        // The state of the task keeps a repeat from doing it twice.
        let reply = self.until_answered(&path, user, None, &body).await;
        self.see_task(task.id, &path, &reply);
    }

    /// An operator ends the dispute about a task of this client, if there is one.
    pub(super) async fn resolve_task(&mut self) {
        let Some(task) = self.some_task() else {
            return;
        };
        let body = match self.random.below(3) {
            0 => json!({ "decision": "refund", "note": "the model" }),
            1 => json!({ "decision": "release", "note": "the model" }),
            _ => {
                let share = self.random.below(10_001);
                json!({ "decision": "split", "providerBasisPoints": share, "note": "the model" })
            }
        };
        let path = format!("/admin/agent-tasks/{}/resolve", task.id);
        let reply = self.until_told(&path, &body).await;
        self.see_task(task.id, &path, &reply);
    }

    /// The time of a third of all tasks is over now, behind the back of the services.
    pub(super) async fn hurry_tasks(&self) {
        // PostgreSQL may be away; then nothing is over.
        let _ = end_tasks(self.ground, 3).await;
    }

    fn some_task(&mut self) -> Option<Task> {
        let tasks = &self.history.tasks;
        (!tasks.is_empty()).then(|| *self.random.one_of(tasks))
    }

    fn user_of(&self, task: &Task) -> &User {
        let mut users = self.ground.users.iter();
        users.find(|user| user.id == task.provider).unwrap()
    }

    fn see_task(&mut self, id: AgentTaskId, path: &str, reply: &Reply) {
        let state = reply.body["data"]["status"].as_str();
        let before = reply.body["error"]["details"]["status"].as_str();
        let state = state.or(before).map(Value::from);
        let state = state.and_then(|state| serde_json::from_value::<TaskState>(state).ok());
        match (reply.status, state) {
            (Some(200 | 409), Some(state)) => {
                self.history.task_sights.push(TaskSight { id, state })
            }
            _ => self.history.faults.push(format!("{path}: {reply:?}")),
        }
    }

    /// The answer to a request that is repeated until one comes.
    async fn until_answered(
        &self,
        path: &str,
        user: &User,
        key: Option<&str>,
        body: &Value,
    ) -> Reply {
        loop {
            let mut request = self
                .ground
                .request(Method::POST, path, &user.key)
                .json(body);
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            let reply = self.ground.send(request).await;
            if !is_unknown(&reply) {
                return reply;
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }
}

/// Has the time of one of so many open tasks be over, and its jobs be due.
pub async fn end_tasks(ground: &Ground, one_of: i32) -> Result<(), sqlx::Error> {
    sqlx::query(
        "with due as (
             update agent_tasks
             set due_at = now()
             where due_at > now()
               and hashtext(id::text || version) % $1 = 0
             returning id
         )
         update jobs
         set run_at = now()
         from due
         where subject = due.id
           and name = 'end_agent_task'
           and state = 'ready'",
    )
    .bind(one_of)
    .execute(&ground.test.pool)
    .await?;
    Ok(())
}
