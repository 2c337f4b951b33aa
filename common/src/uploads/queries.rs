//! Reads of uploads, and what the sweeps ask.

use sqlx::{PgExecutor, PgPool};

use super::{Upload, UploadView};
use crate::ids::{UploadId, UploadPublicId};
use crate::limits::SESSION_SECONDS;

/// An upload by its row id.
pub async fn find(
    executor: impl PgExecutor<'_>,
    id: UploadId,
) -> Result<Option<Upload>, sqlx::Error> {
    sqlx::query_as(
        "select id, public_id, owner_id, api_key_id, request_id, package_type, name, description, source_model,
                target_model, epsilon, price_minor, currency, license_mode, supply, webhook_url, category, tags,
                semver, line_id, is_draft, package_bytes,
                package_sha256, package_parts, w_matrix_bytes, w_matrix_sha256, w_matrix_parts, status, report
         from uploads
         where id = $1",
    )
    .bind(id)
    .fetch_optional(executor)
    .await
}

/// An upload as its status shows it.
pub async fn find_view(
    pool: &PgPool,
    id: &UploadPublicId,
) -> Result<Option<UploadView>, sqlx::Error> {
    sqlx::query_as(
        "select uploads.public_id, uploads.owner_id, uploads.status, stage, progress, attempts, version,
                packages.public_id as package_public_id, error_code, error_message, uploads.report,
                uploads.created_at, committed_at, validating_at, publishing_at, finished_at
         from uploads
         left join packages on packages.id = uploads.package_id
         where uploads.public_id = $1",
    )
    .bind(id)
    .fetch_optional(pool)
    .await
}

/// Ends sessions whose bytes were never committed.
pub async fn expire_sessions(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let expired = sqlx::query(
        "with expired as (
             update uploads
             set status = 'expired', version = version + 1, finished_at = now(),
                 error_message = 'the bytes were not committed in time'
             where status = 'awaiting'
               and created_at < now() - make_interval(secs => $1)
             returning id, request_id
         )
         insert into events (stream, version, event_type, trace, data)
         select id, 1 + coalesce((select max(version) from events where stream = expired.id), 0), 'upload.expired', request_id,
                '{\"state\": \"expired\"}'
         from expired",
    )
    .bind(SESSION_SECONDS as f64)
    .execute(pool)
    .await?;
    Ok(expired.rows_affected())
}

/// Some ended uploads whose staged bytes can go: id, parts of the package, parts of W. Those that failed
/// through a fault of ours keep them for a day, so that an operator can run them again.
pub async fn staged_to_sweep(pool: &PgPool) -> Result<Vec<(UploadId, i16, i16)>, sqlx::Error> {
    sqlx::query_as(
        "select id, package_parts, w_matrix_parts
         from uploads
         where finished_at is not null
           and staging_swept_at is null
           and (error_code is distinct from 'INTERNAL_ERROR' or finished_at < now() - interval '24 hours')
         order by finished_at
         limit 500",
    )
    .fetch_all(pool)
    .await
}

/// Notes that an ended upload has no staged bytes any more.
pub async fn mark_staging_swept(pool: &PgPool, id: UploadId) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update uploads set staging_swept_at = now() where id = $1 and finished_at is not null",
    )
    .bind(id)
    .execute(pool)
    .await?;
    Ok(())
}

/// Which of these ids have an upload whose staged bytes are not known to be gone.
pub async fn owns_staging(pool: &PgPool, ids: &[UploadId]) -> Result<Vec<UploadId>, sqlx::Error> {
    sqlx::query_scalar("select id from uploads where id = any($1) and staging_swept_at is null")
        .bind(ids)
        .fetch_all(pool)
        .await
}
