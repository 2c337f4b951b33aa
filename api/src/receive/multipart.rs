//! `multipart/form-data`: the fields as parts, the blobs as files in raw bytes.
//!
//! A part `metadata` may hold the fields as one JSON object instead. What a form may hold beside its files
//! is bounded: the number of its parts, their heads and what stands between them, and their texts together.

use std::collections::BTreeMap;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest as _, Multipart, Request};
use common::limits::{
    FORM_HEAD_BYTES_MAX, FORM_PARTS_MAX, MULTIPART_BODY_BYTES_MAX, PACKAGE_BYTES_MAX,
    SMALL_BODY_BYTES_MAX,
};
use common::uploads::{BlobInfo, FieldFault};
use futures::{Stream, StreamExt as _};

use super::json::stored;
use super::{ArrivalError, Arriving, Received, Staging, form_fields, small_fields};
use crate::body::{Blob, Fields};
use crate::error::{ApiError, Code};

/// The part that may hold all fields.
const METADATA: &str = "metadata";

/// Reads the body to its end, staging the blobs on the way.
pub async fn receive_multipart(
    request: Request,
    staging: &mut Staging,
) -> Result<Received, ApiError> {
    let mut form = Form::open(request).await?;
    let mut texts = BTreeMap::new();
    let mut metadata: Option<Fields> = None;
    let (mut package, mut w_matrix) = (None, None);
    let mut bytes_left = PACKAGE_BYTES_MAX;
    let mut text_left = SMALL_BODY_BYTES_MAX;
    while let Some(field) = form.next_part().await? {
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
                let info = receive_file(field, blob, staging, &mut bytes_left).await?;
                match blob {
                    Blob::Package(_) => package = Some((blob, info)),
                    Blob::WMatrix => w_matrix = Some(info),
                }
            }
            None if name == METADATA => {
                let text = receive_text(field, &name, &mut text_left).await?;
                if metadata.replace(small_fields(text.as_bytes())?).is_some() {
                    return Err(twice(&name));
                }
            }
            None => {
                let text = receive_text(field, &name, &mut text_left).await?;
                if texts.insert(name.clone(), text).is_some() {
                    return Err(twice(&name));
                }
            }
        }
    }
    let fields = match metadata {
        None => form_fields(texts),
        Some(fields) if texts.is_empty() => fields,
        Some(_) => return Err(beside_metadata(texts.into_keys())),
    };
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
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
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

async fn receive_text(
    mut field: Field<'_>,
    name: &str,
    left: &mut usize,
) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        *left = left.checked_sub(chunk.len()).ok_or_else(|| {
            let message =
                format!("makes the form's texts longer than {SMALL_BODY_BYTES_MAX} bytes");
            ApiError::new(Code::PayloadTooLarge, format!("{name} {message}.")).field(name, message)
        })?;
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| {
        ApiError::new(Code::InvalidInput, format!("{name} is not UTF-8."))
            .field(name, "must be UTF-8")
    })
}

/// A form whose parts are read one after another.
struct Form {
    parts: Multipart,
    count: usize,
    /// Bytes that may still be read before the next part begins.
    head_left: Arc<AtomicU64>,
}

impl Form {
    async fn open(request: Request) -> Result<Self, ApiError> {
        let head_left = Arc::new(AtomicU64::new(FORM_HEAD_BYTES_MAX));
        let (head, body) = request.into_parts();
        let metered = Metered {
            body: Arriving::new(body, MULTIPART_BODY_BYTES_MAX),
            head_left: Arc::clone(&head_left),
            has_yielded: false,
        };
        let request = Request::from_parts(head, Body::from_stream(metered));
        let parts = Multipart::from_request(request, &()).await;
        let parts = parts.map_err(|error| {
            let message = format!("The form is broken: {}.", error.body_text());
            ApiError::new(Code::InvalidInput, message)
        })?;
        Ok(Self {
            parts,
            count: 0,
            head_left,
        })
    }

    async fn next_part(&mut self) -> Result<Option<Field<'_>>, ApiError> {
        self.count += 1;
        self.head_left.store(FORM_HEAD_BYTES_MAX, Ordering::Relaxed);
        let part = self.parts.next_field().await.map_err(broken)?;
        // Inside of a part its own limit counts.
        self.head_left.store(u64::MAX, Ordering::Relaxed);
        if part.is_some() && self.count > FORM_PARTS_MAX {
            let message = format!("The form has more than {FORM_PARTS_MAX} parts.");
            return Err(ApiError::new(Code::PayloadTooLarge, message));
        }
        Ok(part)
    }
}

/// The body as the parser of forms gets it: a chunk at a time, because that parser buffers whatever is
/// ready, and no more than a head while it looks for the beginning of a part.
struct Metered {
    body: Arriving,
    head_left: Arc<AtomicU64>,
    has_yielded: bool,
}

/// Why the parser of forms gets no more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum MeterError {
    #[error(transparent)]
    Arrival(#[from] ArrivalError),
    #[error("Between two parts of the form there are more than {FORM_HEAD_BYTES_MAX} bytes")]
    Head,
}

impl Stream for Metered {
    type Item = Result<Bytes, MeterError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.has_yielded) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let left = self.head_left.load(Ordering::Relaxed);
        if left == 0 {
            return Poll::Ready(Some(Err(MeterError::Head)));
        }
        let next = self.body.poll_next_unpin(context)?;
        if let Poll::Ready(Some(chunk)) = &next {
            self.has_yielded = true;
            if left < u64::MAX {
                let left = left.saturating_sub(chunk.len() as u64);
                self.head_left.store(left, Ordering::Relaxed);
            }
        }
        next.map(|chunk| chunk.map(Ok))
    }
}

/// What is wrong with a form: its bytes, or how they came.
fn broken(error: MultipartError) -> ApiError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        match inner.downcast_ref::<MeterError>() {
            Some(MeterError::Arrival(arrival)) => return arrival.clone().into(),
            Some(head @ MeterError::Head) => {
                return ApiError::new(Code::PayloadTooLarge, format!("{head}."));
            }
            None => cause = inner.source(),
        }
    }
    ApiError::new(
        Code::InvalidInput,
        format!("The form is broken: {}.", error.body_text()),
    )
}

fn beside_metadata(names: impl Iterator<Item = String>) -> ApiError {
    let fault = |name| {
        FieldFault::new(
            name,
            "belongs into the part metadata, or that part is left out",
        )
    };
    ApiError::fields(&names.map(fault).collect::<Vec<_>>())
}

fn twice(name: &str) -> ApiError {
    ApiError::new(Code::InvalidInput, format!("{name} is given twice."))
        .field(name, "must be given once")
}
