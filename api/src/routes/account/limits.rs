//! `GET /api/ai/limits`: which limits apply to the caller and what is left of them. Asking is free.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use common::limits::{BATCH_PACKAGES_MAX, PACKAGE_BYTES_MAX, WAIT_SECONDS_MAX};
use serde_json::{Value, json};

use crate::entity_tag::Tagged;
use crate::error::ApiError;
use crate::extract::MaybeCaller;
use crate::limits::{Applied, Kind, applied};
use crate::middleware::ClientAddress;
use crate::routes::success;
use crate::state::ApiState;

/// Answers the windows that the caller's requests are counted in, as they stand.
pub async fn get_limits(
    State(state): State<ApiState>,
    MaybeCaller(caller): MaybeCaller,
    Extension(address): Extension<ClientAddress>,
) -> Result<Response, ApiError> {
    let mut windows: Vec<Value> = Vec::new();
    let mut shown: Vec<String> = Vec::new();
    for kind in [Kind::Browse, Kind::Upload, Kind::Purchase, Kind::Other] {
        let counted = applied(&state.rates, Some(address.0), caller.as_ref(), kind, 0);
        for window in Applied::take(&state.throttle, counted).await {
            if shown.contains(&window.policy.name) {
                continue;
            }
            shown.push(window.policy.name.clone());
            windows.push(json!({
                "policy": window.policy.name,
                "limit": window.policy.quota,
                "window": window.policy.window(),
                "windowSeconds": window.policy.window_seconds,
                "remaining": window.remaining(),
                "resetsInSeconds": window.frees_in_seconds(),
            }));
        }
    }
    let data = json!({
        "trusted": windows.is_empty(),
        "policies": windows,
        "packageBytesMax": PACKAGE_BYTES_MAX,
        "batchPackagesMax": BATCH_PACKAGES_MAX,
        "waitSecondsMax": WAIT_SECONDS_MAX,
    });
    let mut response = success(StatusCode::OK, data);
    response.extensions_mut().insert(Tagged::WHOLE);
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    Ok(response)
}
