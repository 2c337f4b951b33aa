//! `POST /api/ai/uploads`: opens a session whose bytes go straight to the store.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use common::ids::UploadId;
use common::limits::{PACKAGE_BYTES_MAX, PRESIGNED_SECONDS};
use common::storage::{Blob, PresignedPut};
use common::uploads::{BlobInfo, NewUpload, commands};
use serde_json::{Map, Value, json};

use crate::error::{ApiError, Code};
use crate::extract::{Caller, IdempotencyHeader};
use crate::middleware::RequestId;
use crate::receive::{required_digest, required_size, small_fields, upload_fields};
use crate::routes::success;
use crate::state::ApiState;

const ENDPOINT: &str = "uploads";

/// Takes the fields, the sizes and the digests; answers where to `PUT` the bytes.
pub async fn open_upload(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    idempotency: IdempotencyHeader,
    axum::Extension(RequestId(request_id)): axum::Extension<RequestId>,
    body: Bytes,
) -> Result<Response, ApiError> {
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
    let mut data = json!({
        "uploadId": id,
        "statusUrl": status_url,
        "commitUrl": format!("/api/ai/uploads/{id}/commit"),
        "expiresInSeconds": PRESIGNED_SECONDS,
    });
    for (blob, put) in addresses {
        data[field(blob)] = address(&put);
    }
    let mut response = success(StatusCode::CREATED, data);
    let headers = response.headers_mut();
    let location = HeaderValue::from_str(&status_url).expect("visible characters");
    headers.insert(header::LOCATION, location);
    if is_replay {
        headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    Ok(response)
}

fn field(blob: Blob) -> &'static str {
    match blob {
        Blob::Package => "package",
        Blob::WMatrix => "wMatrix",
    }
}

fn address(put: &PresignedPut) -> Value {
    let headers: Map<String, Value> = put
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), Value::String(value.clone())))
        .collect();
    json!({ "method": "PUT", "url": put.url, "headers": headers })
}
