//! `multipart/form-data`: the fields as parts, the blobs as files in raw bytes.
//!
//! A part `metadata` may hold the fields as one JSON object instead.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use common::limits::{BODY_IDLE_SECONDS_MAX, PACKAGE_BYTES_MAX, SMALL_BODY_BYTES_MAX};
use common::uploads::BlobInfo;

use super::json::stored;
use super::{Received, Staging, form_fields, small_fields};
use crate::body::{Blob, Fields};
use crate::error::{ApiError, Code};

/// Reads the body to its end, staging the blobs on the way.
pub async fn receive_multipart(
    mut form: Multipart,
    staging: &mut Staging,
) -> Result<Received, ApiError> {
    let mut texts = BTreeMap::new();
    let mut metadata: Option<Fields> = None;
    let (mut package, mut w_matrix) = (None, None);
    let mut left = PACKAGE_BYTES_MAX;
    while let Some(field) = idle(form.next_field()).await? {
        let name = field.name().unwrap_or_default().to_owned();
        match Blob::from_field(&name) {
            Some(blob) => {
                let is_second = match blob {
                    Blob::Package(_) => package.is_some(),
                    Blob::WMatrix => w_matrix.is_some(),
                };
                if is_second {
                    return Err(twice(&name));
                }
                let info = receive_file(field, blob, staging, &mut left).await?;
                match blob {
                    Blob::Package(_) => package = Some((blob, info)),
                    Blob::WMatrix => w_matrix = Some(info),
                }
            }
            None if name == "metadata" && metadata.is_none() => {
                metadata = Some(small_fields(receive_text(field, &name).await?.as_bytes())?);
            }
            None => {
                let text = receive_text(field, &name).await?;
                if texts.insert(name.clone(), text).is_some() {
                    return Err(twice(&name));
                }
            }
        }
    }
    let fields = metadata.unwrap_or_else(|| form_fields(texts));
    Ok(Received {
        fields,
        package,
        w_matrix,
    })
}

async fn receive_file(
    mut field: Field<'_>,
    blob: Blob,
    staging: &mut Staging,
    left: &mut u64,
) -> Result<BlobInfo, ApiError> {
    staging.start(stored(blob));
    while let Some(chunk) = idle(field.chunk()).await? {
        *left = left.checked_sub(chunk.len() as u64).ok_or_else(|| {
            let message = format!("makes the package larger than {PACKAGE_BYTES_MAX} bytes");
            ApiError::new(
                Code::PayloadTooLarge,
                format!("{} {message}.", blob.field()),
            )
            .field(blob.field(), message)
        })?;
        staging.absorb(&chunk);
        staging.send_full_parts().await?;
    }
    Ok(staging.finish().await?)
}

async fn receive_text(mut field: Field<'_>, name: &str) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = idle(field.chunk()).await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > SMALL_BODY_BYTES_MAX {
            let message = format!("must have at most {SMALL_BODY_BYTES_MAX} bytes");
            return Err(
                ApiError::new(Code::InvalidInput, format!("{name} {message}."))
                    .field(name, message),
            );
        }
    }
    String::from_utf8(bytes).map_err(|_| {
        ApiError::new(Code::InvalidInput, format!("{name} is not UTF-8."))
            .field(name, "must be UTF-8")
    })
}

async fn idle<T>(
    next: impl Future<Output = Result<Option<T>, MultipartError>>,
) -> Result<Option<T>, ApiError> {
    match tokio::time::timeout(Duration::from_secs(BODY_IDLE_SECONDS_MAX), next).await {
        Ok(Ok(next)) => Ok(next),
        Ok(Err(error)) => Err(ApiError::new(
            Code::InvalidInput,
            format!("The form is broken: {}.", error.body_text()),
        )),
        Err(_) => {
            let message = format!("The body paused for more than {BODY_IDLE_SECONDS_MAX} s.");
            Err(ApiError::new(Code::InvalidInput, message))
        }
    }
}

fn twice(name: &str) -> ApiError {
    ApiError::new(Code::InvalidInput, format!("{name} is given twice."))
        .field(name, "must be given once")
}
