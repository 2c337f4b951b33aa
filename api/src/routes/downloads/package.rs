//! `GET /api/ai/download-package`: both halves of a bought package.

use axum::extract::State;
use axum::http::{HeaderValue, Method, header};
use chrono::Utc;
use common::ids::PackagePublicId;
use common::purchases::{Handed, PurchaseError, commands, find_goods};
use common::storage::Blob;
use common::wire::{Sha256Hex, Timestamp};
use package::PackageType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::addresses::{address, end};
use crate::contract::{Answer, OptionalPurchaseReference};
use crate::error::ApiError;
use crate::extract::{Caller, Query};
use crate::state::ApiState;

/// Which package.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DownloadQuery {
    #[schemars(with = "PackageType")]
    package_type: String,
    #[schemars(with = "PackagePublicId")]
    package_id: String,
}

/// Where the two files of a package are.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Download {
    /// The address of the package.
    #[schemars(url)]
    package_url: String,
    /// The address of its alignment matrix.
    #[schemars(url)]
    w_matrix_url: String,
    /// Until when both addresses work.
    expires_at: Timestamp,
    /// Until when both addresses work.
    urls_expire_at: Timestamp,
    /// Until when new addresses are given; null for the seller's own package.
    grant_expires_at: Option<Timestamp>,
    #[serde(flatten)]
    purchase: OptionalPurchaseReference,
    package_id: PackagePublicId,
    #[schemars(with = "PackageType")]
    package_type: String,
    /// The SHA-256 of the package.
    package_sha256: Sha256Hex,
    /// The SHA-256 of its alignment matrix.
    w_matrix_sha256: Sha256Hex,
    /// The size of the package, in bytes.
    package_bytes: i64,
    /// The size of its alignment matrix, in bytes.
    w_matrix_bytes: i64,
}

/// Answers the addresses of both halves, with their digests. `expiresAt` is when the addresses stop
/// working; `grantExpiresAt` is until when new ones are given.
pub async fn download_package(
    State(state): State<ApiState>,
    method: Method,
    Caller(principal): Caller,
    Query(query): Query<DownloadQuery>,
) -> Result<Answer<Download>, ApiError> {
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
    let ends = Timestamp(end(now));
    let download = Download {
        package_url: package_url.expose().to_owned(),
        w_matrix_url: w_matrix_url.expose().to_owned(),
        expires_at: ends,
        urls_expire_at: ends,
        grant_expires_at: goods.grant_expires_at.map(Timestamp),
        purchase: goods.purchase.into(),
        package_id: package,
        package_type: query.package_type,
        package_sha256: Sha256Hex(goods.package.sha256),
        w_matrix_sha256: Sha256Hex(goods.w_matrix.sha256),
        package_bytes: goods.package.size_bytes,
        w_matrix_bytes: goods.w_matrix.size_bytes,
    };
    let no_store = HeaderValue::from_static("no-store");
    Ok(Answer::ok(download).header(header::CACHE_CONTROL, no_store))
}
