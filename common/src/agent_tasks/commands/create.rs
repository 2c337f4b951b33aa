//! Asks an agent for a task: the price is held, or nothing happens at all.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::types::Json;

use super::end::enqueue_end_in_tx;
use super::notify::notify_in_tx;
use crate::agent_tasks::{AgentTask, TaskError, find};
use crate::agents::{Agent, AgentId, Availability};
use crate::chargebacks;
use crate::db::constraint_of;
use crate::events::{self, Category, NewStream};
use crate::idempotency::{self, IdempotencyKey, StoredAnswer};
use crate::ids::{AgentTaskId, ApiKeyId, UserId};
use crate::ledger::{self, AccountKind, LedgerError};
use crate::limits::TASK_ACCEPTANCE;
use crate::outbox::{Outbox, Tx};
use crate::purchases::{PurchaseError, budget};

/// A task to be asked for.
#[derive(Debug, Clone)]
pub struct NewTask {
    pub payer_agent: AgentId,
    pub provider_agent: AgentId,
    pub payer: UserId,
    /// The key whose budget pays.
    pub api_key: ApiKeyId,
    /// As capabilities are kept.
    pub capability: String,
    /// What the payer saw that it costs.
    pub amount_minor: i64,
    pub context: Map<String, Value>,
    pub fee_basis_points: u16,
    pub request_id: String,
}

impl NewTask {
    /// Digest of what an idempotency key stands for.
    fn fingerprint(&self) -> Vec<u8> {
        let Self {
            payer_agent,
            provider_agent,
            capability,
            amount_minor,
            context,
            ..
        } = self;
        let content = json!([
            payer_agent,
            provider_agent,
            capability,
            amount_minor,
            context
        ]);
        Sha256::digest(content.to_string()).to_vec()
    }
}

/// Asks for it: the task, or that of an earlier request with the same key.
pub async fn create(
    outbox: &Outbox,
    new: &NewTask,
    key: Option<&IdempotencyKey>,
) -> Result<AgentTask, TaskError> {
    let id = AgentTaskId::new();
    let mut tx = outbox.begin().await?;
    if let Some(key) = key {
        let answer = StoredAnswer {
            fingerprint: new.fingerprint(),
            status: 201,
            body: json!({ "taskId": id }),
        };
        if let Some(earlier) = idempotency::record_in_tx(&mut tx, key, &answer).await? {
            drop(tx);
            return again(outbox, &earlier, &answer.fingerprint).await;
        }
    }
    let provider = lock_provider_in_tx(&mut tx, &new.provider_agent).await?;
    check_payer_in_tx(&mut tx, new, &provider).await?;
    check_offer(new, &provider)?;
    check_capacity_in_tx(&mut tx, &provider).await?;
    let owed_minor = chargebacks::owed(&mut *tx, new.payer).await?;
    if owed_minor > 0 {
        return Err(PurchaseError::Owes { owed_minor }.into());
    }
    budget::check_task_in_tx(&mut tx, new.api_key, new.amount_minor).await?;
    let inserted = insert_in_tx(&mut tx, id, new, &provider).await;
    let task = inserted.map_err(|error| match constraint_of(&error) {
        Some("parties_not_blocked") => TaskError::NoProvider,
        _ => error.into(),
    })?;
    let stream = NewStream {
        id: id.0,
        name: Category::AgentTask.stream_of(id),
        audience: &[task.payer_id, task.provider_id],
    };
    events::open_in_tx(&mut tx, &stream).await?;
    if task.amount_minor > 0 {
        let (amount_minor, currency) = (task.amount_minor, &task.currency);
        ledger::open_in_tx(&mut tx, task.provider_id, currency).await?;
        let held = ledger::hold_in_tx(&mut tx, task.id.0, new.payer, amount_minor, currency).await;
        if let Err(LedgerError::InsufficientCredits) = held {
            drop(tx);
            let kind = AccountKind::BuyerCredits;
            let balance = ledger::balance(outbox.pool(), new.payer.0, kind, currency).await?;
            let short = PurchaseError::InsufficientCredits {
                price_minor: amount_minor,
                balance,
            };
            return Err(short.into());
        }
        held?;
    }
    enqueue_end_in_tx(&mut tx, &task, TASK_ACCEPTANCE, &new.request_id).await?;
    notify_in_tx(&mut tx, &task, &new.request_id).await?;
    tx.commit().await?;
    Ok(task)
}

/// The task that the key got before, as it stands now, if it was asked for with the same content.
async fn again(
    outbox: &Outbox,
    earlier: &StoredAnswer,
    fingerprint: &[u8],
) -> Result<AgentTask, TaskError> {
    if earlier.fingerprint != fingerprint {
        return Err(TaskError::IdempotencyConflict);
    }
    let id = earlier.body["taskId"].as_str().and_then(AgentTaskId::parse);
    let task = match id {
        Some(id) => find(outbox.pool(), id).await?,
        None => None,
    };
    task.ok_or(TaskError::IdempotencyConflict)
}

/// The agent that is to do it. Those who ask for it at once wait for each other.
async fn lock_provider_in_tx(tx: &mut Tx, id: &AgentId) -> Result<Agent, TaskError> {
    sqlx::query_as(
        "select agents.*
         from agents
         join users on users.id = owner_id
         where agent_id = $1
           and unregistered_at is null
           and blocked_at is null
         for no key update of agents",
    )
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?
    .ok_or(TaskError::NoProvider)
}

async fn check_payer_in_tx(tx: &mut Tx, new: &NewTask, provider: &Agent) -> Result<(), TaskError> {
    let owner: Option<UserId> = sqlx::query_scalar(
        "select owner_id from agents where agent_id = $1 and unregistered_at is null",
    )
    .bind(&new.payer_agent)
    .fetch_optional(&mut **tx)
    .await?;
    if owner != Some(new.payer) {
        return Err(TaskError::NoPayer);
    }
    if provider.owner_id == new.payer {
        return Err(TaskError::SameOwner);
    }
    Ok(())
}

fn check_offer(new: &NewTask, provider: &Agent) -> Result<(), TaskError> {
    let profile = &provider.profile;
    match profile.availability {
        Availability::Online | Availability::Busy => {}
        availability => return Err(TaskError::NotAvailable(availability)),
    }
    if !profile.capabilities.contains(&new.capability) {
        return Err(TaskError::NoCapability);
    }
    if profile.cost_per_task_minor != new.amount_minor {
        return Err(TaskError::PriceChanged {
            amount_minor: profile.cost_per_task_minor,
        });
    }
    Ok(())
}

async fn check_capacity_in_tx(tx: &mut Tx, provider: &Agent) -> Result<(), TaskError> {
    let Some(capacity) = provider.profile.capacity_per_hour else {
        return Ok(());
    };
    let asked: i64 = sqlx::query_scalar(
        "select count(*)
         from agent_tasks
         where provider_agent = $1
           and created_at > now() - interval '1 hour'
           and state not in ('cancelled', 'expired')",
    )
    .bind(&provider.agent_id)
    .fetch_one(&mut **tx)
    .await?;
    if asked >= i64::from(capacity) {
        return Err(TaskError::AtCapacity);
    }
    Ok(())
}

async fn insert_in_tx(
    tx: &mut Tx,
    id: AgentTaskId,
    new: &NewTask,
    provider: &Agent,
) -> Result<AgentTask, sqlx::Error> {
    sqlx::query_as(
        "insert into agent_tasks (
             id, payer_agent, provider_agent, payer_id, provider_id, api_key_id, capability, amount_minor, currency,
             fee_basis_points, context, request_id, due_at
         )
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, now() + make_interval(secs => $13))
         returning *",
    )
    .bind(id)
    .bind(&new.payer_agent)
    .bind(&provider.agent_id)
    .bind(new.payer)
    .bind(provider.owner_id)
    .bind(new.api_key)
    .bind(&new.capability)
    .bind(new.amount_minor)
    .bind(&provider.profile.currency)
    .bind(i32::from(new.fee_basis_points))
    .bind(Json(&new.context))
    .bind(&new.request_id)
    .bind(TASK_ACCEPTANCE.as_secs_f64())
    .fetch_one(&mut **tx)
    .await
}
