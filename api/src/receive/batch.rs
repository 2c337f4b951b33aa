//! A batch as JSON: packages whose blobs arrive one after another, each staged like a single one.
//!
//! Memory stays that of one upload, however many packages there are: blobs do not overlap.

use std::sync::Arc;

use axum::body::Body;
use common::ids::UploadId;
use common::limits::{BATCH_BODY_BYTES_MAX, BATCH_PACKAGES_MAX};
use common::uploads::BlobInfo;

use super::json::stored;
use super::{Arriving, Received, Slot, Staging, Target};
use crate::body::{Blob, Fields, Layout, Piece, UploadLimits, UploadParser};
use crate::error::ApiError;

/// What a batch held.
#[derive(Debug)]
pub struct ReceivedBatch {
    /// The fields beside the packages.
    pub outer: Fields,
    pub packages: Vec<ReceivedPackage>,
}

/// A package of it, with its bytes where they are staged.
#[derive(Debug)]
pub struct ReceivedPackage {
    pub id: UploadId,
    pub received: Received,
    pub staging: Staging,
}

/// A package whose fields are not known before the end of the body.
struct Open {
    id: UploadId,
    staging: Staging,
    package: Option<(Blob, BlobInfo)>,
    w_matrix: Option<BlobInfo>,
}

enum Staged {
    Package,
    Start(Blob),
    Bytes(Vec<u8>),
    End(Blob),
}

/// Reads the body to its end, staging the blobs on the way.
pub async fn receive_batch(
    body: Body,
    target: &Target,
    slot: &Arc<Slot>,
) -> Result<ReceivedBatch, ApiError> {
    let mut body = Arriving::new(body, BATCH_BODY_BYTES_MAX);
    let layout = Layout::Batch {
        packages_max: BATCH_PACKAGES_MAX,
    };
    let mut parser = UploadParser::of(layout, UploadLimits::default());
    let mut open: Vec<Open> = Vec::new();
    while let Some(chunk) = body.chunk().await? {
        let mut pieces = Vec::new();
        let fed = parser.feed(&chunk, &mut |piece| match piece {
            Piece::PackageStart => pieces.push(Staged::Package),
            Piece::BlobStart(blob) => pieces.push(Staged::Start(blob)),
            Piece::BlobBytes(bytes) => match pieces.last_mut() {
                Some(Staged::Bytes(block)) => block.extend_from_slice(bytes),
                _ => pieces.push(Staged::Bytes(bytes.to_vec())),
            },
            Piece::BlobEnd(blob) => pieces.push(Staged::End(blob)),
        });
        fed.map_err(|error| in_package(error.into(), open.len()))?;
        for piece in pieces {
            if let Staged::Package = piece {
                let id = UploadId::new();
                open.push(Open {
                    id,
                    staging: Staging::new(id, target.clone(), Arc::clone(slot)),
                    package: None,
                    w_matrix: None,
                });
            } else if let Some(last) = open.last_mut() {
                last.stage(piece).await?;
            }
        }
    }
    let (outer, fields) = parser.finish_batch()?;
    let packages = open.into_iter().zip(fields);
    Ok(ReceivedBatch {
        outer,
        packages: packages
            .map(|(open, fields)| ReceivedPackage {
                id: open.id,
                received: Received {
                    fields,
                    package: open.package,
                    w_matrix: open.w_matrix,
                },
                staging: open.staging,
            })
            .collect(),
    })
}

impl Open {
    async fn stage(&mut self, piece: Staged) -> Result<(), ApiError> {
        let staging = &mut self.staging;
        match piece {
            Staged::Package => {}
            Staged::Start(blob) => staging.start(stored(blob)),
            Staged::Bytes(bytes) => {
                staging.absorb(&bytes);
                staging.send_full_parts().await?;
            }
            Staged::End(blob @ Blob::Package(_)) => {
                self.package = Some((blob, staging.finish().await?));
            }
            Staged::End(Blob::WMatrix) => self.w_matrix = Some(staging.finish().await?),
        }
        Ok(())
    }
}

/// Names the package of a fault whose field is named without it.
fn in_package(mut error: ApiError, count: usize) -> ApiError {
    let index = count.saturating_sub(1);
    let is_blob = |name: &str| Blob::from_field(name).is_some();
    let details = std::mem::take(&mut error.details);
    error.details = details
        .into_iter()
        .map(|(name, value)| match is_blob(&name) {
            true => (format!("packages[{index}].{name}"), value),
            false => (name, value),
        })
        .collect();
    error
}
