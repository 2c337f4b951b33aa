//! Takes away staged bytes: of uploads that ended or that nobody committed in time, and of requests that never became an
//! upload.

use std::collections::HashSet;
use std::time::Duration;

use chrono::Utc;
use common::db::PgPool;
use common::ids::UploadId;
use common::storage::{Blob, STAGING_PREFIX, Storage, staging_key, staging_owner};
use common::telemetry::metrics;
use common::uploads;

use super::SweepError;

/// Removes what no living upload names; bytes that arrived within the grace time are left alone,
/// because their request may still be under way.
pub async fn sweep(pool: &PgPool, storage: &Storage, grace: Duration) -> Result<u64, SweepError> {
    uploads::expire_sessions(pool).await?;
    let swept = sweep_ended(pool, storage).await? + sweep_unnamed(pool, storage, grace).await?;
    metrics()
        .objects_swept
        .with_label_values(&["staging"])
        .inc_by(swept);
    Ok(swept)
}

async fn sweep_ended(pool: &PgPool, storage: &Storage) -> Result<u64, SweepError> {
    let mut swept = 0;
    loop {
        let ended = uploads::staged_to_sweep(pool).await?;
        if ended.is_empty() {
            return Ok(swept);
        }
        for (id, package_parts, w_matrix_parts) in ended {
            for (blob, parts) in [
                (Blob::Package, package_parts),
                (Blob::WMatrix, w_matrix_parts),
            ] {
                for part in 0..parts.unsigned_abs() {
                    storage.delete(&staging_key(id, blob, part)).await?;
                    swept += 1;
                }
            }
            uploads::mark_staging_swept(pool, id).await?;
        }
    }
}

async fn sweep_unnamed(
    pool: &PgPool,
    storage: &Storage,
    grace: Duration,
) -> Result<u64, SweepError> {
    let mut swept = 0;
    let mut after: Option<String> = None;
    loop {
        let page = storage.list(STAGING_PREFIX, after.as_deref()).await?;
        let Some(last) = page.last() else {
            return Ok(swept);
        };
        after = Some(last.key.clone());
        let owners: Vec<UploadId> = page
            .iter()
            .filter_map(|object| staging_owner(&object.key))
            .collect();
        let named: HashSet<UploadId> = uploads::owns_staging(pool, &owners)
            .await?
            .into_iter()
            .collect();
        for object in &page {
            let is_named = staging_owner(&object.key).is_some_and(|owner| named.contains(&owner));
            let age = Utc::now()
                .signed_duration_since(object.modified_at)
                .to_std()
                .unwrap_or_default();
            if !is_named && age > grace {
                storage.delete(&object.key).await?;
                swept += 1;
            }
        }
    }
}
