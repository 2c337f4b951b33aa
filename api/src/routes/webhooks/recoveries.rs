//! Recoveries: started at an endpoint, followed, cancelled.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use common::ids::{RecoveryId, UserId};
use common::limits::RECOVERY_DAYS_MAX;
use common::webhooks::WebhookError;
use common::webhooks::recoveries::{self, Mode, NewRecovery, Recovery, RecoveryState};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{endpoint_id, time};
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Json, Path, PreferWait, moment};
use crate::follow::{Followed, Follower, Status};
use crate::middleware::RequestId;
use crate::routes::success;
use crate::state::ApiState;
use crate::version::ApiVersion;

/// What to send again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveryBody {
    #[serde(default)]
    mode: ModeChoice,
    #[serde(deserialize_with = "moment::required")]
    since: DateTime<Utc>,
    #[serde(default, deserialize_with = "moment::optional")]
    until: Option<DateTime<Utc>>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ModeChoice {
    #[default]
    Failed,
    Missing,
}

/// Sends again what failed in a stretch of time, or what the endpoint never heard of; it goes on by
/// itself, at a fifth of the endpoint's rate.
pub async fn start_recovery(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Path(id): Path<String>,
    Json(body): Json<RecoveryBody>,
) -> Result<Response, ApiError> {
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
    let mut response = success(StatusCode::ACCEPTED, Shown(recovery).body());
    let location = format!("/api/ai/webhooks/recoveries/{id}");
    response.headers_mut().insert(
        header::LOCATION,
        HeaderValue::from_str(&location).expect("plain text"),
    );
    Ok(response)
}

/// A recovery; see [`Follower::answer`] for `Prefer: wait` and entity tags.
pub async fn get_recovery(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    PreferWait(wait): PreferWait,
    Extension(version): Extension<ApiVersion>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Followed<Value>, ApiError> {
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
) -> Result<Response, ApiError> {
    let id = RecoveryId::parse(&id).ok_or(WebhookError::NotFound)?;
    recoveries::cancel(&state.outbox, id, principal.user).await?;
    let recovery = finder(&state, Some(id), principal.user)().await?;
    Ok(success(StatusCode::OK, recovery.body()))
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
    type Body = Value;

    fn version(&self) -> i64 {
        self.0.version
    }

    fn is_final(&self) -> bool {
        self.0.state != RecoveryState::Running
    }

    fn body(&self) -> Value {
        let Self(recovery) = self;
        json!({
            "recoveryId": recovery.id,
            "endpointId": recovery.endpoint_id,
            "mode": recovery.mode,
            "status": recovery.state,
            "since": time(recovery.since),
            "until": time(recovery.until),
            "total": recovery.total,
            "queued": recovery.queued,
            "delivered": recovery.delivered,
            "failed": recovery.failed,
            "timestamps": {
                "created": time(recovery.created_at),
                "finished": recovery.finished_at.map(time),
            },
        })
    }
}
