//! `POST /api/ai/uploads`: opens a session whose bytes go straight to the store.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::State;
use common::ids::{UploadId, UploadPublicId};
use common::limits::{PACKAGE_BYTES_MAX, PRESIGNED_SECONDS};
use common::storage::PresignedPut;
use common::uploads::{BlobInfo, NewUpload, commands};
use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, IdempotencyHeader};
use crate::middleware::RequestId;
use crate::receive::{required_digest, required_size, small_fields, upload_fields};
use crate::state::ApiState;

const ENDPOINT: &str = "uploads";

/// Takes the fields, the sizes and the digests; answers where to `PUT` the bytes.
pub async fn open_upload(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    idempotency: IdempotencyHeader,
    axum::Extension(RequestId(request_id)): axum::Extension<RequestId>,
    body: Bytes,
) -> Result<Answer<Session>, ApiError> {
    let mut rest = small_fields(&body)?;
    let mut blob = |name: &str| {
        let size_bytes = required_size(&mut rest, &format!("{name}SizeBytes"));
        let sha256 = required_digest(&mut rest, &format!("{name}Sha256"));
        Ok::<_, ApiError>(BlobInfo {
            size_bytes: size_bytes?,
            sha256: sha256?,
            parts: 1,
        })
    };
    let (package, w_matrix) = (blob("package"), blob("wMatrix"));
    let fields = upload_fields(rest, &state.webhook_policy)?;
    let (package, w_matrix) = (package?, w_matrix?);
    let total = package.size_bytes.saturating_add(w_matrix.size_bytes);
    if total > PACKAGE_BYTES_MAX {
        let message = format!("and wMatrixSizeBytes together must be at most {PACKAGE_BYTES_MAX}");
        return Err(ApiError::new(
            Code::PayloadTooLarge,
            format!("packageSizeBytes {message}."),
        )
        .field("packageSizeBytes", message));
    }
    let new = NewUpload {
        id: UploadId::new(),
        owner: principal.user,
        api_key: principal.key,
        session: principal.session,
        request_id,
        fields,
        package,
        w_matrix,
    };
    let key = idempotency.scoped(&principal, ENDPOINT);
    let (id, addresses, is_replay) =
        commands::open_session(&state.outbox, &state.storage, &new, key.as_ref()).await?;
    let status_url = format!("/api/ai/package-status/{id}");
    let mut puts = addresses.into_iter();
    let (Some((_, package)), Some((_, w_matrix))) = (puts.next(), puts.next()) else {
        unreachable!("a session has an address for each part");
    };
    let session = Session {
        upload_id: id.clone(),
        commit_url: format!("/api/ai/uploads/{id}/commit"),
        expires_in_seconds: PRESIGNED_SECONDS,
        package: package.into(),
        w_matrix: w_matrix.into(),
        status_url: status_url.clone(),
    };
    Ok(Answer::created(session, &status_url).replayed_if(is_replay))
}

/// An upload whose bytes go straight to the store.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "UploadSession")]
pub struct Session {
    /// Whoever holds it may follow the upload.
    upload_id: UploadPublicId,
    /// Where the upload is followed.
    status_url: String,
    /// Posted to once the bytes are stored.
    commit_url: String,
    /// How long the addresses work, in seconds.
    expires_in_seconds: u64,
    /// Where the package goes.
    package: StoreRequest,
    /// Where the alignment matrix goes.
    w_matrix: StoreRequest,
}

/// A request that stores bytes.
#[derive(Debug, Serialize, JsonSchema)]
struct StoreRequest {
    /// Always `PUT`.
    method: &'static str,
    /// Where the bytes go.
    #[schemars(url)]
    url: String,
    /// Headers to send as they are.
    headers: BTreeMap<String, String>,
}

impl From<PresignedPut> for StoreRequest {
    fn from(put: PresignedPut) -> Self {
        Self {
            method: "PUT",
            url: put.url,
            headers: put.headers.into_iter().collect(),
        }
    }
}
