//! `/admin/packages`: take down, restore.

use axum::Extension;
use axum::extract::State;
use common::audit::ActId;
use common::ids::PackagePublicId;
use common::limits::REASON_CHARS_MAX;
use common::moderation::ModerationError;
use common::moderation::commands::{TakeDown, restore, take_down};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::because::{Because, decision};
use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::middleware::RequestId;
use crate::routes::free_text;
use crate::state::ApiState;

/// Why a package is taken down, and how far.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TakeDownRequest {
    /// The reason, which its seller and its buyers read.
    #[schemars(length(min = 1, max = REASON_CHARS_MAX))]
    reason: String,
    /// Whether those who bought it cannot download it any more either.
    #[serde(default)]
    revoke_grants: bool,
}

/// Whether a package is off the market.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModeratedPackage {
    package_id: PackagePublicId,
    /// Whether it is taken down now.
    taken_down: bool,
    /// Whether those who bought it cannot download it any more either.
    grants_revoked: bool,
}

/// Takes a package off the market.
pub async fn take_down_package(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Extension(request_id): Extension<RequestId>,
    Path(package_id): Path<String>,
    Json(new): Json<TakeDownRequest>,
) -> Result<Answer<ModeratedPackage>, ApiError> {
    let package_id = parse(&package_id)?;
    let reason = free_text::required("reason", &new.reason, REASON_CHARS_MAX)?;
    let how = if new.revoke_grants {
        TakeDown::WithGrants
    } else {
        TakeDown::KeepingGrants
    };
    let decision = decision(&reason, act, &request_id);
    take_down(&state.outbox, &package_id, how, &decision).await?;
    tracing::warn!(package.id = %package_id, "An operator took a package down");
    let moderated = ModeratedPackage {
        package_id,
        taken_down: true,
        grants_revoked: new.revoke_grants,
    };
    Ok(Answer::ok(moderated))
}

/// Puts a package back as it was.
pub async fn restore_package(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Extension(request_id): Extension<RequestId>,
    Path(package_id): Path<String>,
    Json(because): Json<Because>,
) -> Result<Answer<ModeratedPackage>, ApiError> {
    let package_id = parse(&package_id)?;
    let reason = because.checked()?;
    let decision = decision(&reason, act, &request_id);
    restore(&state.outbox, &package_id, &decision).await?;
    tracing::warn!(package.id = %package_id, "An operator restored a package");
    let moderated = ModeratedPackage {
        package_id,
        taken_down: false,
        grants_revoked: false,
    };
    Ok(Answer::ok(moderated))
}

fn parse(package_id: &str) -> Result<PackagePublicId, ApiError> {
    let id = PackagePublicId::parse(package_id).ok_or(ModerationError::NotFound("package"))?;
    Ok(id)
}
