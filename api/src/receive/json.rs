//! The seed's form: one JSON object with base64 data, parsed while it arrives.

use std::time::Duration;

use axum::body::Body;
use common::limits::{BODY_IDLE_SECONDS_MAX, JSON_BODY_BYTES_MAX};
use common::storage;
use futures::StreamExt as _;

use super::{Received, Staging};
use crate::body::{Blob, Piece, UploadLimits, UploadParser};
use crate::error::{ApiError, Code};

/// Reads the body to its end, staging the blobs on the way.
pub async fn receive_json(body: Body, staging: &mut Staging) -> Result<Received, ApiError> {
    let mut chunks = body.into_data_stream();
    let mut parser = UploadParser::new(UploadLimits::default());
    let mut received_bytes = 0_u64;
    let (mut package, mut w_matrix) = (None, None);
    while let Some(chunk) = next_chunk(&mut chunks).await? {
        received_bytes += chunk.len() as u64;
        if received_bytes > JSON_BODY_BYTES_MAX {
            return Err(ApiError::new(
                Code::PayloadTooLarge,
                "The body is too large for any package.",
            ));
        }
        // A chunk may end one blob and begin the next: what it holds is staged blob by blob.
        let mut pieces = Vec::new();
        parser.feed(&chunk, &mut |piece| match piece {
            Piece::PackageStart => {}
            Piece::BlobStart(blob) => pieces.push(Staged::Start(blob)),
            Piece::BlobBytes(bytes) => match pieces.last_mut() {
                Some(Staged::Bytes(block)) => block.extend_from_slice(bytes),
                _ => pieces.push(Staged::Bytes(bytes.to_vec())),
            },
            Piece::BlobEnd(blob) => pieces.push(Staged::End(blob)),
        })?;
        for piece in pieces {
            match piece {
                Staged::Start(blob) => staging.start(stored(blob)),
                Staged::Bytes(bytes) => {
                    staging.absorb(&bytes);
                    staging.send_full_parts().await?;
                }
                Staged::End(blob @ Blob::Package(_)) => {
                    package = Some((blob, staging.finish().await?))
                }
                Staged::End(Blob::WMatrix) => w_matrix = Some(staging.finish().await?),
            }
        }
    }
    Ok(Received {
        fields: parser.finish()?,
        package,
        w_matrix,
    })
}

enum Staged {
    Start(Blob),
    Bytes(Vec<u8>),
    End(Blob),
}

/// Which half of the package a field holds.
pub(super) fn stored(blob: Blob) -> storage::Blob {
    match blob {
        Blob::Package(_) => storage::Blob::Package,
        Blob::WMatrix => storage::Blob::WMatrix,
    }
}

pub(super) async fn next_chunk(
    chunks: &mut axum::body::BodyDataStream,
) -> Result<Option<bytes::Bytes>, ApiError> {
    let idle_max = Duration::from_secs(BODY_IDLE_SECONDS_MAX);
    match tokio::time::timeout(idle_max, chunks.next()).await {
        Ok(Some(Ok(chunk))) => Ok(Some(chunk)),
        Ok(None) => Ok(None),
        Ok(Some(Err(error))) => Err(ApiError::new(
            Code::InvalidInput,
            format!("The body broke off: {error}."),
        )),
        Err(_) => {
            let message = format!("The body paused for more than {} s.", idle_max.as_secs());
            Err(ApiError::new(Code::InvalidInput, message))
        }
    }
}
