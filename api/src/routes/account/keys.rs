//! `/api/ai/keys`: an account's keys. A key makes, replaces and revokes none that is wider than itself.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use common::accounts::commands::{self, MadeKey};
use common::identity::commands::{NewKey, Revoker, revoke_key};
use common::identity::{self, KeyLimits, KeySummary, Permission, Principal};
use common::ids::ApiKeyId;
use common::limits::{KEY_OVERLAP_SECONDS, KEY_OVERLAP_SECONDS_MAX};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, IdempotencyHeader, Json, Path};
use crate::routes::admin::RevokedKey;
use crate::state::ApiState;

/// A key to create.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "KeyRequest")]
pub struct Wanted {
    /// The name of the key.
    #[schemars(length(min = 1, max = 100))]
    name: String,
    /// What the key allows; `upload`, `purchase` and `download` by default.
    #[serde(default)]
    permissions: Option<Vec<Permission>>,
    #[serde(default)]
    limits: KeyLimits,
}

/// Makes a key. This answer is the only one that shows it; a repeated request is told which one it is.
pub async fn create_own_key(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    idempotency: IdempotencyHeader,
    Json(wanted): Json<Wanted>,
) -> Result<Answer<ShownKey>, ApiError> {
    let mut permissions = wanted.permissions.unwrap_or(Permission::DEFAULT.to_vec());
    permissions.dedup();
    let new = NewKey {
        name: &wanted.name,
        permissions: &permissions,
        limits: wanted.limits,
    };
    let key = idempotency.scoped(&caller, "keys");
    let made =
        commands::create_own_key(&state.outbox, &state.sealer, &caller, new, key.as_ref()).await?;
    answer(&state, &caller, &made).await
}

/// The keys of the account, newest first, without the keys themselves.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OwnKeyList {
    keys: Vec<KeySummary>,
}

/// Lists the account's keys, newest first, without the keys themselves.
pub async fn list_own_keys(
    State(state): State<ApiState>,
    Caller(caller): Caller,
) -> Result<Answer<OwnKeyList>, ApiError> {
    let keys = identity::list_keys_of(state.pool(), caller.user).await?;
    Ok(Answer::ok(OwnKeyList { keys }))
}

/// How a key is replaced.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "KeyRotation")]
pub struct Rotation {
    /// How long the old key still works.
    #[schemars(range(max = KEY_OVERLAP_SECONDS_MAX))]
    overlap_seconds: u64,
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            overlap_seconds: KEY_OVERLAP_SECONDS,
        }
    }
}

/// Replaces a key by one of the same rights, for as long. This answer is the only one that shows it.
pub async fn rotate_own_key(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    idempotency: IdempotencyHeader,
    Path(id): Path<ApiKeyId>,
    rotation: Option<Json<Rotation>>,
) -> Result<Answer<ShownKey>, ApiError> {
    let rotation = rotation.map(|Json(rotation)| rotation).unwrap_or_default();
    if rotation.overlap_seconds > KEY_OVERLAP_SECONDS_MAX {
        let fault = format!("must be at most {KEY_OVERLAP_SECONDS_MAX}");
        return Err(
            ApiError::new(Code::InvalidInput, format!("overlapSeconds {fault}."))
                .field("overlapSeconds", fault),
        );
    }
    let overlap = Duration::from_secs(rotation.overlap_seconds);
    let key = idempotency.scoped(&caller, "keys/rotate");
    let (outbox, sealer) = (&state.outbox, &state.sealer);
    let made = commands::rotate_key(outbox, sealer, &caller, id, overlap, key.as_ref()).await?;
    answer(&state, &caller, &made).await
}

/// Revokes a key at once.
pub async fn revoke_own_key(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Path(id): Path<ApiKeyId>,
) -> Result<Answer<RevokedKey>, ApiError> {
    revoke_key(&state.outbox, Revoker::Owner(&caller), id).await?;
    Ok(Answer::ok(RevokedKey { id, revoked: true }))
}

/// A key that was made.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CreatedKey")]
pub struct ShownKey {
    #[serde(flatten)]
    summary: KeySummary,
    /// The key itself. No other answer shows it; null in the answer to a repeated request.
    api_key: Option<String>,
    /// A hint, for people.
    message: &'static str,
}

async fn answer(
    state: &ApiState,
    caller: &Principal,
    made: &MadeKey,
) -> Result<Answer<ShownKey>, ApiError> {
    let message = match made.key {
        Some(_) => "Keep this key: it is shown only once.",
        None => {
            "An earlier request with this Idempotency-Key made this key, which was shown only once. If it is lost, rotate it."
        }
    };
    let summary = identity::find_key(state.pool(), caller.user, made.id).await?;
    let shown = ShownKey {
        summary: summary.ok_or_else(|| ApiError::new(Code::NotFound, "There is no such key."))?,
        api_key: made.key.as_ref().map(|key| key.expose().to_owned()),
        message,
    };
    let answer = Answer::with(StatusCode::CREATED, shown).uncached();
    Ok(answer.replayed_if(made.key.is_none()))
}
