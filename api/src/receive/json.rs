//! The seed's form: one JSON object with base64 data, parsed while it arrives.

use axum::body::Body;
use common::limits::JSON_BODY_BYTES_MAX;
use common::storage;

use super::{Arriving, Received, Staging};
use crate::body::{Blob, Piece, UploadLimits, UploadParser};
use crate::error::ApiError;

/// Reads the body to its end, staging the blobs on the way.
pub async fn receive_json(body: Body, staging: &mut Staging) -> Result<Received, ApiError> {
    let mut body = Arriving::new(body, JSON_BODY_BYTES_MAX);
    let mut parser = UploadParser::new(UploadLimits::default());
    let (mut package, mut w_matrix) = (None, None);
    while let Some(chunk) = body.chunk().await? {
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
