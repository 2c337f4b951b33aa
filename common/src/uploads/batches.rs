//! Reads of batches.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::PgPool;
use sqlx::types::Json;

use super::UploadStatus;
use crate::ids::{BatchId, BatchPublicId, PackagePublicId, UploadPublicId, UserId};

/// What is said of a batch at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchReceipt {
    /// Whoever holds it may follow the batch.
    pub batch_id: BatchPublicId,
    /// The uploads that were accepted.
    pub upload_ids: Vec<UploadPublicId>,
    /// Where each of them is followed.
    pub status_urls: Vec<String>,
    /// What happens next, for people.
    pub message: String,
    /// Where all of them are followed.
    pub batch_url: String,
    /// Each package, in order.
    pub items: Vec<JudgedItem>,
}

/// What is said at once of a package of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum JudgedItem {
    Taken(TakenItem),
    Refused(RefusedItem),
}

/// A package of a batch that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AcceptedItem")]
pub struct TakenItem {
    /// Its place in the batch.
    pub index: usize,
    /// Always true.
    pub accepted: bool,
    pub upload_id: UploadPublicId,
}

/// A package of a batch that was refused at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusedItem {
    /// Its place in the batch.
    pub index: usize,
    /// Always false.
    pub accepted: bool,
    pub error: ItemError,
}

/// Why a package of a batch was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ItemError {
    /// For machines.
    pub code: String,
    /// For people.
    pub message: String,
    /// By the path of a field, if fields are at fault.
    pub details: Map<String, Value>,
}

/// A batch as whoever holds its id may see it.
#[derive(Debug, Clone)]
pub struct BatchView {
    pub public_id: BatchPublicId,
    pub owner_id: UserId,
    pub created_at: DateTime<Utc>,
    /// What was said of each package at once.
    pub items: Vec<JudgedItem>,
    pub uploads: Vec<BatchUpload>,
}

/// An upload of a batch.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct BatchUpload {
    pub public_id: UploadPublicId,
    pub status: UploadStatus,
    pub stage: String,
    pub progress: i16,
    pub version: i64,
    pub package_public_id: Option<PackagePublicId>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
}

type Row = (BatchId, UserId, DateTime<Utc>, Json<Vec<JudgedItem>>);

/// A batch with its uploads.
pub async fn find_batch(
    pool: &PgPool,
    id: &BatchPublicId,
) -> Result<Option<BatchView>, sqlx::Error> {
    let row: Option<Row> = sqlx::query_as(
        "select id, owner_id, created_at, items from upload_batches where public_id = $1",
    )
    .bind(id)
    .fetch_optional(pool)
    .await?;
    let Some((row, owner_id, created_at, Json(items))) = row else {
        return Ok(None);
    };
    let uploads = sqlx::query_as(
        "select uploads.public_id, uploads.status, stage, progress, uploads.version,
                packages.public_id as package_public_id, error_code, error_message
         from uploads
         left join packages on packages.id = uploads.package_id
         where batch_id = $1
         order by uploads.id",
    )
    .bind(row)
    .fetch_all(pool)
    .await?;
    Ok(Some(BatchView {
        public_id: id.clone(),
        owner_id,
        created_at,
        items,
        uploads,
    }))
}
