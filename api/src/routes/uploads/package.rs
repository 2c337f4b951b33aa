//! From what a body held to an upload.

use common::ids::UploadId;
use common::uploads::NewUpload;
use package::PackageType;

use crate::body::{Blob, PackageField};
use crate::error::{ApiError, Code};
use crate::receive::{Received, upload_fields};
use crate::state::ApiState;

/// An upload from what a body held.
pub fn new_upload(
    state: &ApiState,
    principal: &common::identity::Principal,
    id: UploadId,
    request_id: String,
    received: Received,
) -> Result<NewUpload, ApiError> {
    let checked = upload_fields(received.fields, &state.webhook_policy);
    let fields = checked.map_err(|error| {
        // What is missing beside them is told with them.
        let error = match received.w_matrix {
            Some(_) => error,
            None => error.field("wMatrixData", "is required"),
        };
        match received.package {
            Some(_) => error,
            None => error.field("vectorData", "is required, or kvCacheData or chainData"),
        }
    })?;
    let wanted = data_field(fields.package_type);
    let required = |field: &str| {
        ApiError::new(Code::InvalidInput, format!("{field} is required."))
            .field(field, "is required")
    };
    let (given, package) = received.package.ok_or_else(|| required(wanted.field()))?;
    if given != wanted {
        let message = format!(
            "does not go with packageType {}; send {}",
            fields.package_type,
            wanted.field()
        );
        return Err(
            ApiError::new(Code::InvalidInput, format!("{} {message}.", given.field()))
                .field(given.field(), message),
        );
    }
    let w_matrix = received.w_matrix.ok_or_else(|| required("wMatrixData"))?;
    for (field, info) in [(wanted.field(), &package), ("wMatrixData", &w_matrix)] {
        if info.size_bytes == 0 {
            return Err(
                ApiError::new(Code::InvalidInput, format!("{field} is empty."))
                    .field(field, "must not be empty"),
            );
        }
    }
    Ok(NewUpload {
        id,
        owner: principal.user,
        api_key: principal.key,
        session: principal.session,
        request_id,
        fields,
        package,
        w_matrix,
    })
}

/// The field that carries data of that type.
fn data_field(package_type: PackageType) -> Blob {
    Blob::Package(match package_type {
        PackageType::Vector => PackageField::Vector,
        PackageType::Memory => PackageField::KvCache,
        PackageType::Chain => PackageField::Chain,
    })
}
