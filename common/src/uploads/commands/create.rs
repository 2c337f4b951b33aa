//! Records an upload whose bytes are staged, and the job that judges it.

use sqlx::{PgConnection, PgPool};

use crate::catalog;
use crate::db::constraint_of;
use crate::events::{self, Category, NewStream};
use crate::idempotency::{self, IdempotencyKey, StoredAnswer};
use crate::identity;
use crate::ids::{PackageId, UploadId, UploadPublicId, UserId};
use crate::jobs::{Cost, JobName, NewJob};
use crate::outbox::{Outbox, Tx};
use crate::uploads::{NewUpload, Receipt, Stage, UploadError, UploadStatus};

/// The answer to an upload.
#[derive(Debug, Clone)]
pub struct Created {
    pub receipt: Receipt,
    /// True if an earlier request with the same key made it; the caller's bytes are then surplus.
    pub is_replay: bool,
}

/// Records the upload: row, event, job and the answer for its idempotency key, in one transaction.
pub async fn create(
    outbox: &Outbox,
    new: &NewUpload,
    key: Option<&IdempotencyKey>,
) -> Result<Created, UploadError> {
    let public_id = UploadPublicId::generate();
    let receipt = Receipt::of(&public_id);
    let mut tx = outbox.begin().await?;
    if let Some(key) = key {
        let answer = StoredAnswer {
            fingerprint: new.fingerprint(),
            status: 202,
            body: serde_json::json!(receipt),
        };
        if let Some(earlier) = idempotency::record_in_tx(&mut tx, key, &answer).await? {
            return answer_again(earlier, &answer.fingerprint);
        }
    }
    insert_in_tx(
        &mut tx,
        new,
        &public_id,
        UploadStatus::Pending,
        Stage::Queued,
    )
    .await?;
    enqueue_validation_in_tx(
        &mut tx,
        new.id,
        new.owner,
        new.size_bytes(),
        &new.request_id,
    )
    .await?;
    tx.announce(crate::uploads::CHANGED, public_id.as_str());
    tx.commit().await?;
    Ok(Created {
        receipt,
        is_replay: false,
    })
}

/// The answer that the key got before, if it was to the same content.
pub async fn replay(
    pool: &PgPool,
    new: &NewUpload,
    key: &IdempotencyKey,
) -> Result<Created, UploadError> {
    let earlier = idempotency::find(pool, key).await?;
    answer_again(earlier.ok_or(UploadError::NotFound)?, &new.fingerprint())
}

fn answer_again(earlier: StoredAnswer, fingerprint: &[u8]) -> Result<Created, UploadError> {
    if earlier.fingerprint == fingerprint {
        Ok(Created {
            receipt: serde_json::from_value(earlier.body).expect("it was stored as a receipt"),
            is_replay: true,
        })
    } else {
        Err(UploadError::IdempotencyConflict)
    }
}

/// The bytes are there: notes it, and writes the job that judges them.
pub(super) async fn enqueue_validation_in_tx(
    tx: &mut Tx,
    upload: UploadId,
    owner: UserId,
    size_bytes: u64,
    request_id: &str,
) -> Result<(), sqlx::Error> {
    events::append_in_tx(
        tx,
        upload.0,
        "upload.accepted",
        request_id,
        serde_json::json!({ "state": "accepted" }),
    )
    .await?;
    tx.enqueue(&NewJob {
        name: JobName::ValidateUpload,
        subject: upload.0,
        tenant: Some(owner),
        cost: Cost::of_judging(size_bytes),
        trace: request_id.to_owned(),
        delay: std::time::Duration::ZERO,
    })
    .await
}

/// The line that the package is a later version of, if it is one: the caller's own, of the same type,
/// whose versions are all lower.
async fn find_line_in_tx(
    conn: &mut PgConnection,
    new: &NewUpload,
) -> Result<Option<PackageId>, UploadError> {
    let Some(earlier) = &new.fields.placement.version_of else {
        return Ok(None);
    };
    let versions =
        catalog::versions_of_line(conn, earlier, new.owner, new.fields.package_type).await?;
    let (line, versions) = versions.ok_or(UploadError::LineNotFound)?;
    let wanted = new.fields.placement.version();
    match catalog::highest(&versions) {
        Some(highest) if !catalog::is_higher(&wanted, &highest) => {
            Err(UploadError::VersionNotHigher(highest))
        }
        _ => Ok(Some(line)),
    }
}

/// Writes the row, if whoever uploads still may: the bytes may have taken a quarter of an hour.
pub(super) async fn insert_in_tx(
    conn: &mut PgConnection,
    new: &NewUpload,
    public_id: &UploadPublicId,
    status: UploadStatus,
    stage: Stage,
) -> Result<(), UploadError> {
    if !identity::is_live(&mut *conn, new.owner, new.api_key, new.session).await? {
        return Err(UploadError::CallerEnded);
    }
    let fields = &new.fields;
    let line = find_line_in_tx(conn, new).await?;
    sqlx::query(
        "insert into uploads (
             id, public_id, owner_id, api_key_id, request_id, package_type, name, description, source_model,
             target_model, epsilon, price_minor, license_mode, supply, webhook_url, package_bytes, package_sha256,
             package_parts, w_matrix_bytes, w_matrix_sha256, w_matrix_parts, status, stage, progress, category,
             tags, semver, line_id, is_draft, committed_at
         )
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                 $23, $24, $25, $26, $27, $28, $29, case when $22 = 'awaiting' then null else now() end)",
    )
    .bind(new.id)
    .bind(public_id)
    .bind(new.owner)
    .bind(new.api_key)
    .bind(&new.request_id)
    .bind(fields.package_type.to_string())
    .bind(&fields.name)
    .bind(&fields.description)
    .bind(&fields.source_model)
    .bind(&fields.target_model)
    .bind(fields.epsilon)
    .bind(fields.price.minor())
    .bind(fields.license.mode())
    .bind(fields.license.supply())
    .bind(&fields.webhook_url)
    .bind(new.package.size_bytes.cast_signed())
    .bind(&new.package.sha256)
    .bind(new.package.parts.cast_signed())
    .bind(new.w_matrix.size_bytes.cast_signed())
    .bind(&new.w_matrix.sha256)
    .bind(new.w_matrix.parts.cast_signed())
    .bind(status)
    .bind(stage.name())
    .bind(stage.progress())
    .bind(&fields.placement.category)
    .bind(&fields.placement.tags)
    .bind(fields.placement.version())
    .bind(line)
    .bind(fields.placement.draft)
    .execute(&mut *conn)
    .await
    .map_err(|error| match constraint_of(&error) {
        Some("uploads_one_per_version") => {
            UploadError::VersionNotHigher(fields.placement.version())
        }
        _ => error.into(),
    })?;
    let stream = NewStream {
        id: new.id.0,
        name: Category::Upload.stream_of(public_id),
        audience: &[new.owner],
    };
    events::open_in_tx(conn, &stream).await?;
    Ok(())
}
