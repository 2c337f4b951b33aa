//! Records a batch: several uploads that came together, in one transaction.

use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::types::Json;

use super::create::{enqueue_validation_in_tx, insert_in_tx};
use crate::idempotency::{self, IdempotencyKey, StoredAnswer};
use crate::ids::{BatchId, BatchPublicId, UploadPublicId, UserId};
use crate::outbox::Outbox;
use crate::uploads::{
    BatchReceipt, CHANGED, ItemError, JudgedItem, NewUpload, Receipt, RefusedItem, Stage,
    TakenItem, UploadError, UploadStatus,
};

/// A package of a batch: taken, or why not, as clients are told.
#[derive(Debug)]
pub enum BatchItem {
    Taken(Box<NewUpload>),
    Refused(ItemError),
}

/// The answer to a batch.
#[derive(Debug, Clone)]
pub struct CreatedBatch {
    pub receipt: BatchReceipt,
    /// True if an earlier request with the same key made it; the caller's bytes are then surplus.
    pub is_replay: bool,
}

/// Records the batch: its uploads with their jobs, and the answer for its idempotency key. A package
/// whose place in the catalogue is taken refuses the whole batch, because nothing was recorded yet.
pub async fn create_batch(
    outbox: &Outbox,
    owner: UserId,
    request_id: &str,
    items: &[BatchItem],
    key: Option<&IdempotencyKey>,
) -> Result<CreatedBatch, UploadError> {
    let (id, public_id) = (BatchId::new(), BatchPublicId::generate());
    let ids: Vec<Option<UploadPublicId>> = items
        .iter()
        .map(|item| matches!(item, BatchItem::Taken(_)).then(UploadPublicId::generate))
        .collect();
    let shown = shown(items, &ids);
    let receipt = receipt(&public_id, shown);
    let mut tx = outbox.begin().await?;
    if let Some(key) = key {
        let answer = StoredAnswer {
            fingerprint: fingerprint(items),
            status: 202,
            body: json!(receipt),
        };
        if let Some(earlier) = idempotency::record_in_tx(&mut tx, key, &answer).await? {
            if earlier.fingerprint != answer.fingerprint {
                return Err(UploadError::IdempotencyConflict);
            }
            return Ok(CreatedBatch {
                receipt: serde_json::from_value(earlier.body).expect("it was stored as a receipt"),
                is_replay: true,
            });
        }
    }
    sqlx::query(
        "insert into upload_batches (id, public_id, owner_id, request_id, items)
         values ($1, $2, $3, $4, $5)",
    )
    .bind(id)
    .bind(&public_id)
    .bind(owner)
    .bind(request_id)
    .bind(Json(&receipt.items))
    .execute(&mut *tx)
    .await?;
    for (item, upload_id) in items.iter().zip(&ids) {
        let (BatchItem::Taken(new), Some(upload_id)) = (item, upload_id) else {
            continue;
        };
        insert_in_tx(
            &mut tx,
            new,
            upload_id,
            UploadStatus::Pending,
            Stage::Queued,
        )
        .await?;
        sqlx::query("update uploads set batch_id = $2 where id = $1")
            .bind(new.id)
            .bind(id)
            .execute(&mut *tx)
            .await?;
        enqueue_validation_in_tx(&mut tx, new.id, owner, new.size_bytes(), request_id).await?;
        tx.announce(CHANGED, upload_id.as_str());
    }
    tx.commit().await?;
    Ok(CreatedBatch {
        receipt,
        is_replay: false,
    })
}

/// What is said of each package at once.
fn shown(items: &[BatchItem], ids: &[Option<UploadPublicId>]) -> Vec<JudgedItem> {
    let each = items.iter().zip(ids).enumerate();
    each.map(|(index, (item, id))| match (item, id) {
        (BatchItem::Refused(error), _) => JudgedItem::Refused(RefusedItem {
            index,
            accepted: false,
            error: error.clone(),
        }),
        (BatchItem::Taken(_), id) => JudgedItem::Taken(TakenItem {
            index,
            accepted: true,
            upload_id: id.clone().expect("what is taken has an id"),
        }),
    })
    .collect()
}

/// The seed's answer, and the verdict on each package.
fn receipt(id: &BatchPublicId, items: Vec<JudgedItem>) -> BatchReceipt {
    let taken = items.iter().filter_map(|item| match item {
        JudgedItem::Taken(taken) => Some(taken.upload_id.clone()),
        JudgedItem::Refused(_) => None,
    });
    let upload_ids: Vec<UploadPublicId> = taken.collect();
    BatchReceipt {
        batch_id: id.clone(),
        status_urls: upload_ids
            .iter()
            .map(|id| Receipt::of(id).status_url)
            .collect(),
        message: format!("Batch upload initiated for {} packages.", upload_ids.len()),
        batch_url: format!("/api/ai/batches/{id}"),
        upload_ids,
        items,
    }
}

fn fingerprint(items: &[BatchItem]) -> Vec<u8> {
    let mut digest = Sha256::new();
    for item in items {
        match item {
            BatchItem::Taken(new) => digest.update(new.fingerprint()),
            BatchItem::Refused(error) => digest.update(json!(error).to_string()),
        }
    }
    digest.finalize().to_vec()
}
