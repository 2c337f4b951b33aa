//! The names of objects.

use crate::ids::UploadId;

/// Where bytes wait for their verdict.
pub const STAGING_PREFIX: &str = "staging/";
/// Where published bytes are.
pub const PACKAGES_PREFIX: &str = "packages/";

/// The two halves of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blob {
    Package,
    WMatrix,
}

impl Blob {
    /// Both, in the order in which they are judged.
    pub const ALL: [Self; 2] = [Self::WMatrix, Self::Package];

    /// Its name in keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::WMatrix => "wmatrix",
        }
    }
}

/// One part of a staged blob.
pub fn staging_key(upload: UploadId, blob: Blob, part: u16) -> String {
    format!(
        "{STAGING_PREFIX}{}.{}.{part}",
        upload.0.simple(),
        blob.as_str()
    )
}

/// Whose staged object this is.
pub fn staging_owner(key: &str) -> Option<UploadId> {
    let name = key.strip_prefix(STAGING_PREFIX)?;
    name.split_once('.')?.0.parse().ok()
}

/// Where bytes with this digest live.
pub fn content_key(sha256: &[u8]) -> String {
    format!("{PACKAGES_PREFIX}{}", hex::encode(sha256))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staged_object_names_its_upload() {
        let upload = UploadId::new();
        assert_eq!(
            staging_owner(&staging_key(upload, Blob::WMatrix, 3)),
            Some(upload)
        );
        assert_eq!(staging_owner("staging/junk"), None);
        assert_eq!(staging_owner("packages/00"), None);
    }
}
