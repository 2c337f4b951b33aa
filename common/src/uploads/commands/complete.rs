//! The bytes are in their final place: the package becomes visible, and its owner is told. Bytes that are
//! another's to sell are refused instead (`bytes_that_were_bought_are_not_sold_by_their_buyer`).

use serde::Serialize;

use super::fail::fail_in_tx;
use super::tell_batch::tell_batch_in_tx;
use crate::catalog::{self, Claimed, NewPackage};
use crate::events;
use crate::jobs::{self, Lease, LeaseLost};
use crate::outbox::Outbox;
use crate::storage::{Blob, content_key};
use crate::telemetry::metrics;
use crate::uploads::{CHANGED, Refusal, Upload};
use crate::webhooks::{Address, EventType, NewEvent, announce_in_tx};

/// The seed's message, byte for byte.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UploadCompleted<'a> {
    event: &'static str,
    upload_id: &'a str,
    package_id: &'a str,
    package_url: String,
}

/// Publishes: package, upload, event and webhook in one transaction.
pub async fn complete(
    outbox: &Outbox,
    lease: &Lease,
    upload: &Upload,
    public_base_url: &str,
) -> Result<Result<(), LeaseLost>, sqlx::Error> {
    let mut tx = outbox.begin().await?;
    if jobs::finish_in_tx(&mut tx, lease).await?.is_err() {
        return Ok(Err(LeaseLost));
    }
    let new = new_package(upload);
    let (package_key, w_matrix_key) = (&new.package_key, &new.w_matrix_key);
    let claim =
        catalog::find_claim_in_tx(&mut tx, upload.owner_id, package_key, w_matrix_key).await?;
    if let Some(claim) = claim {
        fail_in_tx(&mut tx, upload, &refusal(claim), &lease.trace).await?;
        tx.commit().await?;
        return Ok(Ok(()));
    }
    let (package_id, package_public_id) = catalog::publish_in_tx(&mut tx, &new).await?;
    sqlx::query(
        "update uploads
         set status = 'completed', stage = 'completed', progress = 100, package_id = $2, finished_at = now(),
             version = version + 1
         where id = $1",
    )
    .bind(upload.id)
    .bind(package_id)
    .execute(&mut *tx)
    .await?;
    let data = serde_json::json!({ "state": "completed", "packageId": package_public_id });
    events::append_in_tx(&mut tx, upload.id.0, "upload.completed", &lease.trace, data).await?;
    let message = UploadCompleted {
        event: EventType::UploadCompleted.as_str(),
        upload_id: upload.public_id.as_str(),
        package_id: package_public_id.as_str(),
        package_url: format!("{public_base_url}/packages/{package_public_id}"),
    };
    let event = NewEvent {
        owner: upload.owner_id,
        subject: upload.id.0,
        event_type: EventType::UploadCompleted,
        occasion: None,
        body: serde_json::to_vec(&message).expect("plain text serialises"),
        trace: (&lease.trace).into(),
        address: Address::of(upload.webhook_url.as_deref(), upload.api_key_id),
    };
    announce_in_tx(&mut tx, &event).await?;
    tell_batch_in_tx(&mut tx, upload, &lease.trace).await?;
    tx.announce(CHANGED, upload.public_id.as_str());
    tx.outdate(catalog::CATALOGUE);
    tx.commit().await?;
    metrics()
        .uploads_finished
        .with_label_values(&[upload.package_type.as_str(), "completed"])
        .inc();
    Ok(Ok(()))
}

fn refusal(claim: Claimed) -> Refusal {
    let (code, message) = match claim {
        Claimed::Published => (
            "PUBLISHED_BY_ANOTHER",
            "Another seller published a package of exactly these bytes before; nobody else can sell it.",
        ),
        Claimed::Bought => (
            "BOUGHT_FROM_ANOTHER",
            "These bytes belong to a package that you bought from another seller; its buyers cannot sell it.",
        ),
    };
    Refusal {
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

fn new_package(upload: &Upload) -> NewPackage {
    let report = upload.report.clone().unwrap_or_default();
    let text = |pointer: &str| {
        report
            .pointer(pointer)
            .and_then(|value| value.as_str())
            .map(ToOwned::to_owned)
    };
    let dimension = |pointer: &str| {
        let value = report.pointer(pointer)?.as_i64()?;
        i32::try_from(value).ok()
    };
    NewPackage {
        upload: upload.id,
        owner: upload.owner_id,
        api_key: upload.api_key_id,
        package_type: upload.package_type.clone(),
        name: upload.name.clone(),
        description: upload.description.clone(),
        source_model: upload.source_model.clone(),
        target_model: upload.target_model.clone(),
        epsilon_declared: upload.epsilon,
        epsilon_measured: report
            .pointer("/epsilon/measured")
            .and_then(serde_json::Value::as_f64),
        evidence_level: text("/evidenceLevel").unwrap_or_else(|| "declared".to_owned()),
        tier: text("/tier"),
        price_minor: upload.price_minor,
        currency: upload.currency.clone(),
        license_mode: upload.license_mode,
        supply: upload.supply,
        webhook_url: upload.webhook_url.clone(),
        category: upload.category.clone(),
        tags: upload.tags.clone(),
        semver: upload.semver.clone(),
        line: upload.line_id,
        is_draft: upload.is_draft,
        source_dimension: dimension("/dimensions/wMatrix/source"),
        target_dimension: dimension("/dimensions/wMatrix/target"),
        package_key: content_key(&upload.blob(Blob::Package).sha256),
        w_matrix_key: content_key(&upload.blob(Blob::WMatrix).sha256),
        report,
    }
}
