//! `GET /api/ai/download-package`: both halves of a bought package.

use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use chrono::{DateTime, SecondsFormat, Utc};
use common::ids::PackagePublicId;
use common::purchases::{Handed, PurchaseError, commands, find_goods};
use common::storage::Blob;
use serde::Deserialize;
use serde_json::json;

use super::addresses::{address, end};
use crate::error::ApiError;
use crate::extract::{Caller, Query};
use crate::routes::success;
use crate::state::ApiState;

/// Which package.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DownloadQuery {
    package_type: String,
    package_id: String,
}

/// Answers the addresses of both halves, with their digests. `expiresAt` is when the addresses stop
/// working; `grantExpiresAt` is until when new ones are given.
pub async fn download_package(
    State(state): State<ApiState>,
    method: Method,
    Caller(principal): Caller,
    Query(query): Query<DownloadQuery>,
) -> Result<Response, ApiError> {
    let package = PackagePublicId::parse(&query.package_id).ok_or(PurchaseError::NotBought)?;
    let (pool, reader) = (state.pool(), principal.user);
    // The answer to HEAD has no body, so nothing is handed out.
    let goods = if method == Method::HEAD {
        find_goods(pool, reader, &query.package_type, &package).await?
    } else {
        commands::download(
            pool,
            reader,
            &query.package_type,
            &package,
            Handed::Both,
            false,
        )
        .await?
    };
    let now = Utc::now();
    let package_url = address(&state, &package, &goods, Blob::Package, now).await?;
    let w_matrix_url = address(&state, &package, &goods, Blob::WMatrix, now).await?;
    let ends = time(end(now));
    let mut response = success(
        StatusCode::OK,
        json!({
            "packageUrl": package_url.expose(),
            "wMatrixUrl": w_matrix_url.expose(),
            "expiresAt": ends,
            "urlsExpireAt": ends,
            "grantExpiresAt": goods.grant_expires_at.map(time),
            "purchaseId": goods.purchase,
            "packageId": package,
            "packageType": query.package_type,
            "packageSha256": hex::encode(&goods.package.sha256),
            "wMatrixSha256": hex::encode(&goods.w_matrix.sha256),
            "packageBytes": goods.package.size_bytes,
            "wMatrixBytes": goods.w_matrix.size_bytes,
        }),
    );
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    Ok(response)
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
