//! `GET /api/ai/disputes/{disputeId}`.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use common::disputes::{self, DisputeError};
use common::ids::DisputeId;

use super::view::{Dispute, Followable};
use crate::contract::Cacheable;
use crate::error::ApiError;
use crate::extract::{Caller, Path, PreferWait};
use crate::follow::Follower;
use crate::state::ApiState;
use crate::version::ApiVersion;

/// Answers the dispute to its buyer and its seller; see [`Follower::answer`] for `Prefer: wait` and
/// entity tags.
pub async fn get_dispute(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    PreferWait(wait): PreferWait,
    Extension(version): Extension<ApiVersion>,
    headers: HeaderMap,
    Path(dispute_id): Path<String>,
) -> Result<Cacheable<Dispute>, ApiError> {
    let id = DisputeId::parse(&dispute_id);
    let pool = state.pool().clone();
    let find = move || {
        let pool = pool.clone();
        async move {
            let id = id.ok_or(DisputeError::NotFound)?;
            let found = disputes::find_view(&pool, id, Some(principal.user)).await?;
            Ok(Followable(found.ok_or(DisputeError::NotFound)?))
        }
    };
    Follower::new(
        &state,
        Some(&principal),
        disputes::CHANGED,
        dispute_id,
        find,
    )
    .answer(version, wait, &headers)
    .await
}
