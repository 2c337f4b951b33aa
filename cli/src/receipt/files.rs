//! The downloaded files against the digests of a receipt.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use common::limits::PACKAGE_BYTES_MAX;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// One read from a file.
const CHUNK_BYTES: usize = 64 * 1024;

/// One of the two files that a purchase is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Blob {
    Package,
    WMatrix,
}

impl std::fmt::Display for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Package => "package",
            Self::WMatrix => "W-matrix",
        })
    }
}

/// Why a file is not what was bought.
#[derive(Debug, thiserror::Error)]
pub(super) enum Mismatch {
    #[error(
        "{} is not the {blob} that was bought: its SHA-256 is {found}, the receipt's is {expected}",
        path.display()
    )]
    Digest {
        blob: Blob,
        path: PathBuf,
        found: String,
        expected: String,
    },
    #[error("{} is not the {blob} that was bought: no package has over {PACKAGE_BYTES_MAX} bytes", path.display())]
    TooLarge { blob: Blob, path: PathBuf },
}

/// Whether the file has that digest, in lower-case hex; the outer error is a file that cannot be read.
pub(super) fn compare(blob: Blob, path: &Path, sha256: &str) -> io::Result<Result<(), Mismatch>> {
    let path = path.to_owned();
    let mut file = File::open(&path)?.take(PACKAGE_BYTES_MAX + 1);
    let mut digest = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        digest.update(&chunk[..read]);
    }
    if file.limit() == 0 {
        return Ok(Err(Mismatch::TooLarge { blob, path }));
    }
    let found = hex::encode(digest.finalize());
    if found == sha256 {
        return Ok(Ok(()));
    }
    Ok(Err(Mismatch::Digest {
        blob,
        path,
        found,
        expected: sha256.to_owned(),
    }))
}
