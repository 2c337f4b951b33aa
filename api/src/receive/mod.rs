//! Receives the bytes of an upload: any of the body's forms, as a stream into staging.
//!
//! Memory per request stays at two parts, one filling and one on its way to the store, however large
//! the body is. Bytes of a request that ends without an upload are taken away again.

mod arriving;
mod batch;
mod fields;
mod json;
mod listing;
mod multipart;
mod slot;
mod spool;
mod staging;

pub use arriving::{ArrivalError, Arriving};
pub use batch::{ReceivedBatch, ReceivedPackage, receive_batch};
pub use fields::{required_digest, required_size, unknown_fields, upload_fields, webhook_url};
pub use json::receive_json;
pub use listing::listing_changes;
pub use multipart::receive_multipart;
pub use slot::Slot;
pub use spool::Spool;
pub use staging::{Staging, Target};

use std::collections::BTreeMap;

use crate::body::{Blob, FieldValue, Fields};
use crate::error::ApiError;
use crate::extract::flag;
use common::uploads::BlobInfo;

/// What a body held.
#[derive(Debug)]
pub struct Received {
    pub fields: Fields,
    /// The field the package data came in, and its bytes.
    pub package: Option<(Blob, BlobInfo)>,
    pub w_matrix: Option<BlobInfo>,
}

/// The small fields of a body that has no blobs.
pub fn small_fields(bytes: &[u8]) -> Result<Fields, ApiError> {
    let mut parser = crate::body::UploadParser::new(crate::body::UploadLimits::default());
    let mut has_blob = false;
    parser.feed(bytes, &mut |_| has_blob = true)?;
    if has_blob {
        return Err(ApiError::new(
            crate::error::Code::InvalidInput,
            "This form takes no data; PUT the bytes to the addresses that it answers.",
        ));
    }
    Ok(parser.finish()?)
}

/// Fields of a form, where every value is text: numbers and flags are those that read as such.
fn form_fields(texts: BTreeMap<String, String>) -> Fields {
    let value = |name: &str, text: String| match name {
        "epsilon" | "price" | "supply" => FieldValue::Number(text),
        "draft" => flag(&text).map_or(FieldValue::String(text), FieldValue::Bool),
        "tags" => FieldValue::Strings(text.split(',').map(|tag| tag.trim().to_owned()).collect()),
        _ => FieldValue::String(text),
    };
    Fields::new(
        texts
            .into_iter()
            .map(|(name, text)| (name.clone(), value(&name, text)))
            .collect(),
    )
}
