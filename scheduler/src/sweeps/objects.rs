//! Takes away published bytes that no package refers to.
//!
//! The row is marked first: from then on nobody can claim the key. Then the bytes go, then the row.
//! A sweep that dies in between is finished by the next.

use std::time::Duration;

use chrono::Utc;
use common::catalog;
use common::db::PgPool;
use common::storage::{PACKAGES_PREFIX, Storage};
use common::telemetry::metrics;

use super::SweepError;

/// Removes what no package refers to, once its last use lies the grace time back.
pub async fn sweep(pool: &PgPool, storage: &Storage, grace: Duration) -> Result<u64, SweepError> {
    condemn_unknown(pool, storage, grace).await?;
    let mut swept = 0;
    for object in catalog::condemn_orphans(pool, grace).await? {
        storage.delete(&object.key).await?;
        catalog::forget_object(pool, &object.key).await?;
        swept += 1;
    }
    metrics()
        .objects_swept
        .with_label_values(&["packages"])
        .inc_by(swept);
    Ok(swept)
}

/// Objects without a row: left by a database that was restored to an earlier day.
async fn condemn_unknown(
    pool: &PgPool,
    storage: &Storage,
    grace: Duration,
) -> Result<(), SweepError> {
    let mut after: Option<String> = None;
    loop {
        let page = storage.list(PACKAGES_PREFIX, after.as_deref()).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.key.clone());
        let old: Vec<String> = page
            .iter()
            .filter(|object| {
                Utc::now()
                    .signed_duration_since(object.modified_at)
                    .to_std()
                    .unwrap_or_default()
                    > grace
            })
            .map(|object| object.key.clone())
            .collect();
        catalog::condemn_unknown(pool, &old).await?;
    }
}
