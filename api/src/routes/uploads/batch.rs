//! `POST /api/ai/batch-upload`: up to ten packages in one JSON body.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use common::idempotency;
use common::identity::Principal;
use common::limits::{BATCH_BODY_BYTES_MAX, BATCH_PACKAGES_MAX};
use common::uploads::commands::{self, BatchItem};
use common::uploads::{BatchReceipt, ItemError, JudgedItem, NewUpload, UploadError};
use schemars::JsonSchema;
use serde::Serialize;

use super::package::new_upload;
use crate::contract::{Answer, Tried};
use crate::error::{ApiError, Code};
use crate::extract::{Caller, DryRun, IdempotencyHeader, is_json};
use crate::limits::{Applied, Kind, applied};
use crate::middleware::{ClientAddress, RequestId, refusal};
use crate::places::{self, Holders};
use crate::receive::{
    ReceivedBatch, ReceivedPackage, Slot, Staging, Target, receive_batch, unknown_fields,
    webhook_url,
};
use crate::state::ApiState;

const ENDPOINT: &str = "batch-upload";

/// Takes packages: each is judged by itself, and refused at once or validated later. Against the limit
/// of uploads a batch counts as many as it holds, all or none.
pub async fn batch_upload(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    dry_run: DryRun,
    idempotency: IdempotencyHeader,
    Extension(address): Extension<ClientAddress>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    request: Request,
) -> Result<Tried<BatchReceipt, BatchDryRun>, ApiError> {
    check_head(request.headers())?;
    let holders = Holders::of(&state, request.extensions());
    let slot = Slot::take(&state, &holders)?;
    let limits = Limits {
        state: &state,
        principal: &principal,
        address,
    };
    let key = idempotency.scoped(&principal, ENDPOINT);
    let target = match &key {
        Some(key) if idempotency::find(state.pool(), key).await?.is_some() => Target::Nowhere,
        _ if dry_run.0 => Target::Nowhere,
        _ => Target::Store(state.storage.clone()),
    };
    let batch = receive_batch(request.into_body(), &target, &slot).await?;
    if batch.packages.is_empty() {
        let message = format!("must hold 1 to {BATCH_PACKAGES_MAX} packages");
        return Err(
            ApiError::new(Code::InvalidInput, format!("packages {message}."))
                .field("packages", message),
        );
    }
    // One was taken when the request came.
    let more = batch.packages.len() as i64 - 1;
    limits.take(if dry_run.0 { 0 } else { more }).await?;
    let (items, staged) = judge(&state, &principal, &request_id, batch)?;
    let outbox = dry_run.outbox(&state);
    let created = places::complete("recording a batch", async move {
        let owner = principal.user;
        let created = commands::create_batch(&outbox, owner, &request_id, &items, key.as_ref());
        let created = created.await;
        let may_be_recorded = match &created {
            Ok(created) => !created.is_replay,
            Err(UploadError::Database(_)) => true,
            Err(_) => false,
        };
        if may_be_recorded {
            staged.into_iter().for_each(Staging::keep);
        }
        created
    })
    .await?;
    if dry_run.0 {
        return Ok(Tried::DryRun(BatchDryRun {
            dry_run: true,
            would_succeed: true,
            items: created.receipt.items,
        }));
    }
    let address = created.receipt.batch_url.clone();
    let answer = Answer::with(StatusCode::ACCEPTED, created.receipt).followed_at(&address);
    Ok(Tried::Done(answer.replayed_if(created.is_replay)))
}

/// What the dry run of a batch answers.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchDryRun {
    /// Always true: nothing was uploaded.
    dry_run: bool,
    /// Always true: a batch of which nothing can be accepted is refused.
    would_succeed: bool,
    /// Each package, in order.
    items: Vec<JudgedItem>,
}

/// What is wrong before a byte of the body is read.
fn check_head(headers: &HeaderMap) -> Result<(), ApiError> {
    if !is_json(headers) {
        return Err(ApiError::new(
            Code::UnsupportedMediaType,
            "Send application/json with base64 data.",
        ));
    }
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|size| size > BATCH_BODY_BYTES_MAX) {
        let message = format!("A batch has at most {BATCH_BODY_BYTES_MAX} bytes.");
        return Err(ApiError::new(Code::PayloadTooLarge, message));
    }
    Ok(())
}

/// The caller's window of uploads.
struct Limits<'a> {
    state: &'a ApiState,
    principal: &'a Principal,
    address: ClientAddress,
}

impl Limits<'_> {
    /// Takes so many more uploads, all or none.
    async fn take(&self, units: i64) -> Result<(), ApiError> {
        let state = self.state;
        let address = Some(self.address.0);
        let upload = |units| {
            let caller = Some(self.principal);
            let mut counted = applied(&state.rates, address, caller, Kind::Upload, units);
            counted.retain(|each| each.is_for(Kind::Upload));
            counted
        };
        let windows = Applied::take(&state.throttle, upload(units)).await;
        refusal(&windows).map_or(Ok(()), Err)
    }
}

/// The verdict on each package: its upload, or what is wrong with it. If all are wrong the batch is.
fn judge(
    state: &ApiState,
    principal: &Principal,
    request_id: &str,
    batch: ReceivedBatch,
) -> Result<(Vec<BatchItem>, Vec<Staging>), ApiError> {
    let mut outer = batch.outer;
    let mut faults = Vec::new();
    let shared_url = webhook_url(&mut outer, &state.webhook_policy, &mut faults);
    faults.extend(unknown_fields(&outer));
    if !faults.is_empty() {
        return Err(ApiError::fields(&faults));
    }
    let (mut items, mut staged, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (index, package) in batch.packages.into_iter().enumerate() {
        let ReceivedPackage {
            id,
            received,
            staging,
        } = package;
        match new_upload(state, principal, id, request_id.to_owned(), received) {
            Ok(mut new) => {
                share_url(&mut new, shared_url.as_deref());
                items.push(BatchItem::Taken(Box::new(new)));
                staged.push(staging);
            }
            Err(error) => {
                items.push(BatchItem::Refused(ItemError {
                    code: error.code.as_str().to_owned(),
                    message: error.message.clone(),
                    details: error.details.clone(),
                }));
                refused.push((index, error));
            }
        }
    }
    if staged.is_empty() {
        return Err(all_refused(refused));
    }
    Ok((items, staged))
}

fn share_url(new: &mut NewUpload, shared: Option<&str>) {
    if new.fields.webhook_url.is_none() {
        new.fields.webhook_url = shared.map(str::to_owned);
    }
}

/// No package of the batch is fit: every fault of each, by its path.
fn all_refused(refused: Vec<(usize, ApiError)>) -> ApiError {
    let mut all = ApiError::new(Code::InvalidInput, "No package of the batch can be taken.");
    for (index, error) in refused {
        if error.details.is_empty() {
            all = all.field(&format!("packages[{index}]"), error.message.clone());
        }
        for (name, value) in error.details {
            all.details
                .insert(format!("packages[{index}].{name}"), value);
        }
    }
    all
}
