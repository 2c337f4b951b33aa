//! Opening: what a drain must know of its endpoint, read once for each run of the alarm.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::types::Json;
use uuid::Uuid;

use crate::identity::{ApiKey, IdentityError, Sealer};
use crate::ids::{ApiKeyId, EndpointId, UserId};
use crate::webhooks::endpoints::{EndpointState, Ordering, custom_headers};
use crate::webhooks::envelope::PayloadMode;
use crate::webhooks::health::{Health, Limits};
use crate::webhooks::plan::Plan;
use crate::webhooks::secret::WebhookSecret;

/// An endpoint as its sender needs it. The rules stand for one drain; a change of them ends it.
#[derive(Debug)]
pub(super) struct Rules {
    pub id: EndpointId,
    pub owner: UserId,
    pub url: String,
    pub payload: PayloadMode,
    pub ordering: Ordering,
    pub plan: Plan,
    pub stop_on_client_error: bool,
    pub limits: Limits,
    pub timeout: Duration,
    pub headers: Vec<(String, String)>,
    pub state: EndpointState,
    pub version: i64,
    pub api_key: ApiKey,
    /// The newest first; the key's own if the endpoint has none.
    pub secrets: Vec<WebhookSecret>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: EndpointId,
    owner_id: UserId,
    url: String,
    payload: PayloadMode,
    ordering: Ordering,
    plan: String,
    plan_seconds: Option<Vec<i32>>,
    stop_on_client_error: bool,
    rate_per_second: i32,
    concurrency: i16,
    timeout_seconds: i16,
    sealed_headers: Option<Vec<u8>>,
    state: EndpointState,
    version: i64,
    api_key_id: ApiKeyId,
    sealed_key: Vec<u8>,
    secret_ids: Vec<Uuid>,
    sealed_secrets: Vec<Vec<u8>>,
    memory: Option<Json<Health>>,
}

/// The endpoint behind an alarm, if it is not deleted.
pub(super) async fn open(
    pool: &PgPool,
    sealer: &Sealer,
    id: EndpointId,
) -> Result<Option<(Rules, Health)>, IdentityError> {
    let row: Option<Row> = sqlx::query_as(
        "select endpoint.id, owner_id, url, payload, ordering, plan, plan_seconds, stop_on_client_error,
                rate_per_second, concurrency, timeout_seconds, sealed_headers, state, version, api_key_id,
                key.sealed as sealed_key,
                array(select id from webhook_secrets where endpoint_id = endpoint.id
                      and (expires_at is null or expires_at > now()) order by created_at desc) as secret_ids,
                array(select sealed from webhook_secrets where endpoint_id = endpoint.id
                      and (expires_at is null or expires_at > now()) order by created_at desc) as sealed_secrets,
                memory
         from webhook_endpoints as endpoint
         join api_keys as key
           on key.id = api_key_id
         left join webhook_health
           on endpoint_id = endpoint.id
         where endpoint.id = $1
           and deleted_at is null",
    )
    .bind(id)
    .fetch_optional(pool)
    .await?;
    row.map(|row| unseal(sealer, row)).transpose()
}

fn unseal(sealer: &Sealer, row: Row) -> Result<(Rules, Health), IdentityError> {
    let api_key = sealer.open(row.api_key_id, &row.sealed_key)?;
    let mut secrets = Vec::with_capacity(row.secret_ids.len().max(1));
    for (id, sealed) in row.secret_ids.iter().zip(&row.sealed_secrets) {
        secrets.push(WebhookSecret::open(sealer, *id, sealed)?);
    }
    if secrets.is_empty() {
        let of_key = WebhookSecret::from_api_key(api_key.secret());
        secrets.push(of_key.map_err(|_| IdentityError::Unsealable)?);
    }
    let headers = match &row.sealed_headers {
        Some(sealed) => custom_headers::open(sealer, row.id, sealed)?,
        None => Vec::new(),
    };
    let seconds = row.plan_seconds.as_deref();
    let rules = Rules {
        id: row.id,
        owner: row.owner_id,
        url: row.url,
        payload: row.payload,
        ordering: row.ordering,
        plan: Plan::from_parts(&row.plan, seconds).unwrap_or_default(),
        stop_on_client_error: row.stop_on_client_error,
        limits: Limits {
            rate_per_second: row.rate_per_second.unsigned_abs(),
            concurrency: usize::from(row.concurrency.unsigned_abs()),
        },
        timeout: Duration::from_secs(u64::from(row.timeout_seconds.unsigned_abs())),
        headers,
        state: row.state,
        version: row.version,
        api_key,
        secrets,
    };
    Ok((rules, row.memory.map(|memory| memory.0).unwrap_or_default()))
}

/// Keeps what a drain learnt for the next one. Answers how soon the endpoint's next delivery is due.
pub(super) async fn remember(
    pool: &PgPool,
    id: EndpointId,
    health: &Health,
) -> Result<Option<Duration>, sqlx::Error> {
    let due_in_seconds: Option<f64> = sqlx::query_scalar(
        "with kept as (
             insert into webhook_health (endpoint_id, failing_since, memory)
             values ($1, $2, $3)
             on conflict (endpoint_id) do update
             set failing_since = excluded.failing_since, memory = excluded.memory, updated_at = now()
         )
         select extract(epoch from min(next_at) - now())::float8
         from webhook_deliveries
         where endpoint_id = $1
           and state = 'pending'
           and not webhook_waits_its_turn(endpoint_id, ordered, subject, sequence)
           and not exists (select from users where users.id = owner_id and blocked_at is not null)",
    )
    .bind(id)
    .bind(health.failing_since())
    .bind(Json(health))
    .fetch_one(pool)
    .await?;
    Ok(due_in_seconds.map(|seconds| Duration::from_secs_f64(seconds.max(0.0))))
}

/// Holds what was promised in the moment in which the endpoint was disabled.
pub(super) async fn hold_pending(pool: &PgPool, id: EndpointId) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update webhook_deliveries
         set state = 'held'
         where endpoint_id = $1
           and state = 'pending'",
    )
    .bind(id)
    .execute(pool)
    .await?;
    Ok(())
}
