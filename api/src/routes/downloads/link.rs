//! `GET /api/packages/download/{type}/{id}`: the link of a purchase, which leads to the bytes.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::Utc;
use common::ids::PackagePublicId;
use common::purchases::{Handed, PurchaseError, StoredObject, commands, find_goods};
use common::storage::Blob;
use common::wire::{Sha256Hex, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::addresses::{address, end, object_of};
use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{Caller, Path, Query};
use crate::negotiation::prefers_json;
use crate::state::ApiState;

/// Which file; the package by default.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkQuery {
    #[serde(default)]
    blob: Half,
}

/// A file of a package.
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "PackageFile")]
enum Half {
    #[default]
    Package,
    WMatrix,
}

/// Where the bytes of a file are.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileAddress {
    /// The address, which takes a request without `Authorization`.
    #[schemars(url)]
    url: String,
    /// Until when it works.
    expires_at: Timestamp,
    /// The SHA-256 of the file.
    sha256: Sha256Hex,
    /// The size of the file, in bytes.
    bytes: i64,
}

impl Half {
    fn parts(self) -> (Blob, Handed) {
        match self {
            Self::Package => (Blob::Package, Handed::Package),
            Self::WMatrix => (Blob::WMatrix, Handed::WMatrix),
        }
    }
}

/// Redirects to an address of the bytes, whose digest stands in `Repr-Digest` (RFC 9530). Who accepts JSON
/// gets the address in the answer: not every client leaves its `Authorization` behind when it is redirected,
/// and S3 refuses a request that has one beside a signed address. `HEAD` tells of the bytes, leads nowhere and
/// is not counted; neither is the rest of a download that broke off.
pub async fn follow_download_link(
    State(state): State<ApiState>,
    method: Method,
    headers: HeaderMap,
    Caller(principal): Caller,
    Path((package_type, package_id)): Path<(String, String)>,
    Query(query): Query<LinkQuery>,
) -> Result<Response, ApiError> {
    let package = PackagePublicId::parse(&package_id).ok_or(PurchaseError::NotBought)?;
    let (blob, handed) = query.blob.parts();
    let (pool, reader) = (state.pool(), principal.user);
    if method == Method::HEAD {
        let goods = find_goods(pool, reader, &package_type, &package).await?;
        return Ok(described(object_of(&goods, blob)).into_response());
    }
    let resumes = resumes(&headers);
    let goods = commands::download(pool, reader, &package_type, &package, handed, resumes).await?;
    let (object, now) = (object_of(&goods, blob), Utc::now());
    let url = address(&state, &package, &goods, blob, now).await?;
    let always = [
        ("repr-digest", digest(object)),
        (
            header::CACHE_CONTROL.as_str(),
            HeaderValue::from_static("no-store"),
        ),
        (header::VARY.as_str(), HeaderValue::from_static("accept")),
    ];
    if prefers_json(&headers) {
        let address = FileAddress {
            url: url.expose().to_owned(),
            expires_at: end(now).into(),
            sha256: Sha256Hex(object.sha256.clone()),
            bytes: object.size_bytes,
        };
        return Ok((always, Answer::ok(address)).into_response());
    }
    let location = [(header::LOCATION, plain(url.expose()))];
    Ok((StatusCode::SEE_OTHER, always, location).into_response())
}

/// What a client asks before it fetches in parts.
fn described(object: &StoredObject) -> [(&'static str, HeaderValue); 5] {
    [
        ("content-length", object.size_bytes.into()),
        (
            "content-type",
            HeaderValue::from_static("application/octet-stream"),
        ),
        ("accept-ranges", HeaderValue::from_static("bytes")),
        ("repr-digest", digest(object)),
        ("cache-control", HeaderValue::from_static("no-store")),
    ]
}

fn digest(object: &StoredObject) -> HeaderValue {
    let sha256 = base64_simd::STANDARD.encode_to_string(&object.sha256);
    plain(&format!("sha-256=:{sha256}:"))
}

fn plain(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("ASCII without line breaks")
}

/// Whether only what follows a first part is asked for.
fn resumes(headers: &HeaderMap) -> bool {
    let range = headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok());
    let ranges = range.and_then(|text| text.trim().strip_prefix("bytes="));
    ranges.is_some_and(|ranges| {
        !ranges
            .split(',')
            .any(|range| range.trim_start().starts_with("0-"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_at_the_first_byte_is_a_download_of_its_own() {
        let asked = |range: &str| HeaderMap::from_iter([(header::RANGE, plain(range))]);
        for range in ["bytes=8-", "bytes=100-199", "bytes=-5", "bytes=1-2, 5-6"] {
            assert!(resumes(&asked(range)), "{range}");
        }
        for range in ["bytes=0-", "bytes=0-99", "bytes=5-6, 0-4", "lines=8-", ""] {
            assert!(!resumes(&asked(range)), "{range}");
        }
        assert!(!resumes(&HeaderMap::new()));
    }
}
