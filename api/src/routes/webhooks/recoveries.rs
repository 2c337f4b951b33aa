//! Recoveries: started at an endpoint, followed, cancelled.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use common::ids::{EndpointId, RecoveryId, UserId};
use common::limits::RECOVERY_DAYS_MAX;
use common::webhooks::WebhookError;
use common::webhooks::recoveries::{self, Mode, NewRecovery, Recovery, RecoveryState};
use common::wire::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoint_id;
use crate::contract::{Answer, Cacheable};
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Json, Path, PreferWait, moment};
use crate::follow::{Follower, Status};
use crate::middleware::RequestId;
use crate::state::ApiState;
use crate::version::ApiVersion;

/// What to send again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RecoveryRequest")]
pub struct RecoveryBody {
    #[serde(default)]
    mode: ModeChoice,
    /// From when on.
    #[serde(deserialize_with = "moment::required")]
    #[schemars(extend("description" = format!("From when on, at most {RECOVERY_DAYS_MAX} days ago.")))]
    since: DateTime<Utc>,
    /// Until when; the default is now.
    #[serde(default, deserialize_with = "moment::optional")]
    until: Option<DateTime<Utc>>,
}

/// Which events a recovery sends.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "RecoverableEvents")]
enum ModeChoice {
    /// Those whose delivery was given up.
    #[default]
    Failed,
    /// Those that the endpoint subscribes to and has no delivery of.
    Missing,
}

/// Events that are sent again.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Recovery")]
pub struct RecoveryView {
    recovery_id: RecoveryId,
    endpoint_id: EndpointId,
    mode: Mode,
    status: RecoveryState,
    /// From when on.
    since: Timestamp,
    /// Until when.
    until: Timestamp,
    /// How many events there were when it started.
    total: i64,
    /// How many it has queued.
    queued: i64,
    /// How many of those have arrived.
    delivered: i64,
    /// How many of those were given up again.
    failed: i64,
    timestamps: RecoveryTimes,
}

/// When a recovery changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RecoveryTimes {
    /// When it started.
    created: Timestamp,
    /// When it ended.
    finished: Option<Timestamp>,
}

/// Sends again what failed in a stretch of time, or what the endpoint never heard of; it goes on by
/// itself, at a fifth of the endpoint's rate.
pub async fn start_recovery(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Path(id): Path<String>,
    Json(body): Json<RecoveryBody>,
) -> Result<Answer<RecoveryView>, ApiError> {
    let now = Utc::now();
    let until = body.until.unwrap_or(now).min(now);
    if body.since < now - TimeDelta::days(RECOVERY_DAYS_MAX) || body.since >= until {
        let fault = format!("must lie before until, and at most {RECOVERY_DAYS_MAX} days ago");
        let message = format!("since {fault}.");
        return Err(ApiError::new(Code::InvalidInput, message).field("since", fault));
    }
    let new = NewRecovery {
        endpoint: endpoint_id(&id)?,
        owner: principal.user,
        mode: match body.mode {
            ModeChoice::Failed => Mode::Failed,
            ModeChoice::Missing => Mode::Missing,
        },
        since: body.since,
        until,
        trace: &request_id,
    };
    let id = recoveries::start(&state.outbox, &new).await?;
    let recovery = recoveries::find(state.pool(), id, principal.user).await?;
    let address = format!("/api/ai/webhooks/recoveries/{id}");
    Ok(Answer::with(StatusCode::ACCEPTED, Shown(recovery).body()).followed_at(&address))
}

/// A recovery; see [`Follower::answer`] for `Prefer: wait` and entity tags.
pub async fn get_recovery(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    PreferWait(wait): PreferWait,
    Extension(version): Extension<ApiVersion>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Cacheable<RecoveryView>, ApiError> {
    let find = finder(&state, RecoveryId::parse(&id), principal.user);
    Follower::new(&state, Some(&principal), recoveries::CHANGED, id, find)
        .answer(version, wait, &headers)
        .await
}

/// Stops a recovery.
pub async fn cancel_recovery(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
) -> Result<Answer<RecoveryView>, ApiError> {
    let id = RecoveryId::parse(&id).ok_or(WebhookError::NotFound)?;
    recoveries::cancel(&state.outbox, id, principal.user).await?;
    let recovery = finder(&state, Some(id), principal.user)().await?;
    Ok(Answer::ok(recovery.body()))
}

fn finder(
    state: &ApiState,
    id: Option<RecoveryId>,
    owner: UserId,
) -> impl Fn() -> futures::future::BoxFuture<'static, Result<Shown, ApiError>> + Send + 'static {
    let pool = state.pool().clone();
    move || {
        let pool = pool.clone();
        Box::pin(async move {
            let id = id.ok_or(WebhookError::NotFound)?;
            Ok(Shown(recoveries::find(&pool, id, owner).await?))
        })
    }
}

struct Shown(Recovery);

impl Status for Shown {
    type Body = RecoveryView;

    fn version(&self) -> i64 {
        self.0.version
    }

    fn is_final(&self) -> bool {
        self.0.state != RecoveryState::Running
    }

    fn body(&self) -> RecoveryView {
        let Self(recovery) = self;
        RecoveryView {
            recovery_id: recovery.id,
            endpoint_id: recovery.endpoint_id,
            mode: recovery.mode,
            status: recovery.state,
            since: recovery.since.into(),
            until: recovery.until.into(),
            total: recovery.total,
            queued: recovery.queued,
            delivered: recovery.delivered,
            failed: recovery.failed,
            timestamps: RecoveryTimes {
                created: recovery.created_at.into(),
                finished: recovery.finished_at.map(Timestamp),
            },
        }
    }
}
