//! Addresses of the two halves of a package.

use std::time::Duration;

use chrono::{DateTime, Utc};
use common::ids::PackagePublicId;
use common::limits::PRESIGNED_SECONDS;
use common::purchases::{Goods, StoredObject};
use common::storage::{Blob, PresignedUrl, StorageError};

use crate::state::ApiState;

/// How long an address works.
const VALID: Duration = Duration::from_secs(PRESIGNED_SECONDS);

/// The object behind one half.
pub fn object_of(goods: &Goods, blob: Blob) -> &StoredObject {
    match blob {
        Blob::Package => &goods.package,
        Blob::WMatrix => &goods.w_matrix,
    }
}

/// The address of one half, that works until [`end`].
pub async fn address(
    state: &ApiState,
    package: &PackagePublicId,
    goods: &Goods,
    blob: Blob,
    now: DateTime<Utc>,
) -> Result<PresignedUrl, StorageError> {
    let key = &object_of(goods, blob).key;
    let name = file_name(package, blob);
    state.storage.presign_get(key, &name, now, VALID).await
}

/// When an address that was made now stops working.
pub fn end(now: DateTime<Utc>) -> DateTime<Utc> {
    now + VALID
}

fn file_name(package: &PackagePublicId, blob: Blob) -> String {
    let half = match blob {
        Blob::Package => "package",
        Blob::WMatrix => "w-matrix",
    };
    format!("{package}.{half}.safetensors")
}
