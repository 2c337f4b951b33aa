//! `GET /api/packages/download/{type}/{id}`: the link of a purchase, which leads to the bytes.

use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::Utc;
use common::ids::PackagePublicId;
use common::purchases::{Handed, PurchaseError, commands, find_goods};
use common::storage::Blob;
use serde::Deserialize;

use super::addresses::{address, object_of};
use crate::error::ApiError;
use crate::extract::{Caller, Path, Query};
use crate::state::ApiState;

/// Which half; the package when it is not said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkQuery {
    #[serde(default)]
    blob: Half,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Half {
    #[default]
    Package,
    WMatrix,
}

impl Half {
    fn parts(self) -> (Blob, Handed) {
        match self {
            Self::Package => (Blob::Package, Handed::Package),
            Self::WMatrix => (Blob::WMatrix, Handed::WMatrix),
        }
    }
}

/// Redirects to an address of the bytes, whose digest stands in `Repr-Digest` (RFC 9530). The address
/// takes the method of the request: what `HEAD` leads to gives no bytes, and is not counted.
pub async fn follow_download_link(
    State(state): State<ApiState>,
    method: Method,
    Caller(principal): Caller,
    Path((package_type, package_id)): Path<(String, String)>,
    Query(query): Query<LinkQuery>,
) -> Result<Response, ApiError> {
    let package = PackagePublicId::parse(&package_id).ok_or(PurchaseError::NotBought)?;
    let (blob, handed) = query.blob.parts();
    let (pool, reader) = (state.pool(), principal.user);
    let goods = if method == Method::HEAD {
        find_goods(pool, reader, &package_type, &package).await?
    } else {
        commands::download(pool, reader, &package_type, &package, handed).await?
    };
    let url = address(&state, &package, &goods, blob, &method, Utc::now()).await?;
    let sha256 = base64_simd::STANDARD.encode_to_string(&object_of(&goods, blob).sha256);
    let digest = format!("sha-256=:{sha256}:");
    let plain = |text: &str| HeaderValue::from_str(text).expect("ASCII without line breaks");
    let headers = [
        (header::LOCATION.as_str(), plain(url.expose())),
        ("repr-digest", plain(&digest)),
        (
            header::CACHE_CONTROL.as_str(),
            HeaderValue::from_static("no-store"),
        ),
    ];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}
