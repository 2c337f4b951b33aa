//! Reads of batches.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::UploadStatus;
use crate::ids::{BatchPublicId, PackagePublicId, UploadPublicId, UserId};

/// A batch as whoever holds its id may see it.
#[derive(Debug, Clone)]
pub struct BatchView {
    pub public_id: BatchPublicId,
    pub owner_id: UserId,
    pub created_at: DateTime<Utc>,
    /// What was said of each package at once.
    pub items: serde_json::Value,
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

/// A batch with its uploads.
pub async fn find_batch(
    pool: &PgPool,
    id: &BatchPublicId,
) -> Result<Option<BatchView>, sqlx::Error> {
    let row: Option<(uuid::Uuid, UserId, DateTime<Utc>, serde_json::Value)> = sqlx::query_as(
        "select id, owner_id, created_at, items from upload_batches where public_id = $1",
    )
    .bind(id)
    .fetch_optional(pool)
    .await?;
    let Some((row, owner_id, created_at, items)) = row else {
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
