//! `POST /api/ai/upload-package`: JSON with base64 data, or multipart/form-data.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use common::idempotency;
use common::ids::UploadId;
use common::limits::{JSON_BODY_BYTES_MAX, MULTIPART_BODY_BYTES_MAX, PACKAGE_BYTES_MAX};
use common::uploads::{NewUpload, Receipt, UploadError, commands};

use super::package::new_upload;
use super::validate::{Validated, validated};
use crate::contract::{Answer, Tried};
use crate::error::{ApiError, Code};
use crate::extract::{Caller, DryRun, IdempotencyHeader, is_json};
use crate::middleware::RequestId;
use crate::places::{self, Holders};
use crate::receive::{Received, Slot, Staging, Target, receive_json, receive_multipart};
use crate::state::ApiState;

const ENDPOINT: &str = "upload-package";

/// The forms of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Json,
    Multipart,
}

/// Takes a package. Key, media type and declared size are judged before the body is read.
pub async fn upload_package(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    DryRun(is_dry): DryRun,
    idempotency: IdempotencyHeader,
    Extension(RequestId(request_id)): Extension<RequestId>,
    request: Request,
) -> Result<Tried<Receipt, Box<Validated>>, ApiError> {
    if is_dry {
        let validated = validated(&state, &principal, request_id, request).await?;
        return Ok(Tried::DryRun(Box::new(validated)));
    }
    let form = refuse_head(request.headers())?;
    let holders = Holders::of(&state, request.extensions());
    let slot = Slot::take(&state, &holders)?;
    let key = idempotency.scoped(&principal, ENDPOINT);
    let target = match &key {
        Some(key) if idempotency::find(state.pool(), key).await?.is_some() => Target::Nowhere,
        _ => Target::Store(state.storage.clone()),
    };
    let id = UploadId::new();
    let mut staging = Staging::new(id, target, slot);
    let received = receive(form, request, &mut staging).await?;
    let new = new_upload(&state, &principal, id, request_id, received)?;
    let created = create(&state, new, key, staging).await?;
    let address = created.receipt.status_url.clone();
    let answer = Answer::with(StatusCode::ACCEPTED, created.receipt).followed_at(&address);
    Ok(Tried::Done(answer.replayed_if(created.is_replay)))
}

/// Reads the body to its end, staging the blobs on the way.
pub async fn receive(
    form: Form,
    request: Request,
    staging: &mut Staging,
) -> Result<Received, ApiError> {
    match form {
        Form::Json => receive_json(request.into_body(), staging).await,
        Form::Multipart => receive_multipart(request, staging).await,
    }
}

/// Judges media type and declared size before the body is read: its form.
pub fn refuse_head(headers: &HeaderMap) -> Result<Form, ApiError> {
    let form = form_of(headers)?;
    refuse_declared_size(headers, form)?;
    Ok(form)
}

/// Records the upload in a task of its own: a client that hangs up now does not undo it halfway.
/// A repeated request whose bytes went nowhere gets the first one's answer.
async fn create(
    state: &ApiState,
    new: NewUpload,
    key: Option<idempotency::IdempotencyKey>,
    staging: Staging,
) -> Result<commands::Created, ApiError> {
    let outbox = state.outbox.clone();
    places::complete("recording an upload", async move {
        if let Some(key) = key.as_ref().filter(|_| !staging.is_stored()) {
            return commands::replay(outbox.pool(), &new, key).await;
        }
        let created = commands::create(&outbox, &new, key.as_ref()).await;
        let may_be_recorded = match &created {
            Ok(created) => !created.is_replay,
            // A commit whose answer was lost may have happened. If not, the sweep takes the bytes.
            Err(UploadError::Database(_)) => true,
            Err(_) => false,
        };
        if may_be_recorded {
            staging.keep();
        }
        created
    })
    .await
}

fn form_of(headers: &HeaderMap) -> Result<Form, ApiError> {
    if is_json(headers) {
        return Ok(Form::Json);
    }
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split(';').next())
        .unwrap_or_default();
    match media_type.trim().to_ascii_lowercase().as_str() {
        "multipart/form-data" => Ok(Form::Multipart),
        _ => Err(ApiError::new(
            Code::UnsupportedMediaType,
            "Send application/json with base64 data, or multipart/form-data.",
        )),
    }
}

fn refuse_declared_size(headers: &HeaderMap, form: Form) -> Result<(), ApiError> {
    let max = match form {
        Form::Json => JSON_BODY_BYTES_MAX,
        Form::Multipart => MULTIPART_BODY_BYTES_MAX,
    };
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match declared {
        Some(size) if size > max => Err(ApiError::new(
            Code::PayloadTooLarge,
            format!(
                "A package has at most {PACKAGE_BYTES_MAX} bytes, decoded, and its body at most {max}."
            ),
        )),
        _ => Ok(()),
    }
}
