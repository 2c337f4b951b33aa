//! Which object keys the folder can hold, how its side files are called, and one lock per key.
//!
//! s3s-fs stores `bucket/key` as a file and two JSON side files whose names carry the key in
//! base64 in the root folder; the names here repeat its layout (0.14), a test pins them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::{S3Result, s3_error};
use tokio::sync::OwnedMutexGuard;

use crate::limits;

/// The longest suffix of a side file: that of a multipart upload under way.
const SIDE_FILE_SUFFIX: &str = ".upload-00000000-0000-0000-0000-000000000000.metadata.json";
/// Above this many known keys the locks nobody holds are forgotten.
const LOCKS_SWEPT_AT: usize = 1_024;

fn side_file_stem(bucket: &str, key: &str) -> String {
    format!(
        ".bucket-{}.object-{}",
        URL_SAFE_NO_PAD.encode(bucket),
        URL_SAFE_NO_PAD.encode(key)
    )
}

/// The side file with the ETag and the checksums.
pub(super) fn checksum_file(root: &Path, bucket: &str, key: &str) -> PathBuf {
    root.join(format!("{}.internal.json", side_file_stem(bucket, key)))
}

/// Both side files of an object.
pub(super) fn side_files(root: &Path, bucket: &str, key: &str) -> [PathBuf; 2] {
    let attributes = root.join(format!("{}.metadata.json", side_file_stem(bucket, key)));
    [attributes, checksum_file(root, bucket, key)]
}

/// Refuses a key that the folder would store under another name or not at all.
pub(super) fn check(bucket: &str, key: &str) -> S3Result<()> {
    let side_file_bytes = side_file_stem(bucket, key).len() + SIDE_FILE_SUFFIX.len();
    if side_file_bytes > limits::FILE_NAME_BYTES_MAX {
        return Err(s3_error!(KeyTooLongError));
    }
    if key.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(s3_error!(
            InvalidArgument,
            "a key has no empty, `.` or `..` segment here"
        ));
    }
    Ok(())
}

/// Refuses to store `a` beside `a/b`: a folder cannot be a file.
pub(super) fn check_place(root: &Path, bucket: &str, key: &str) -> S3Result<()> {
    let bucket_folder = root.join(bucket);
    let place = bucket_folder.join(key);
    let mut ancestors = place
        .ancestors()
        .skip(1)
        .take_while(|path| *path != bucket_folder);
    if place.is_dir() || ancestors.any(Path::is_file) {
        return Err(s3_error!(
            InvalidArgument,
            "this store cannot hold a key beside keys below it"
        ));
    }
    Ok(())
}

type KeyLock = tokio::sync::Mutex<()>;

/// One asynchronous lock per object.
#[derive(Debug, Default)]
pub(super) struct KeyLocks {
    locks: Mutex<HashMap<(String, String), Weak<KeyLock>>>,
}

impl KeyLocks {
    /// Waits until nobody else holds this key.
    pub(super) async fn lock(&self, bucket: &str, key: &str) -> OwnedMutexGuard<()> {
        self.of(bucket, key).lock_owned().await
    }

    fn of(&self, bucket: &str, key: &str) -> Arc<KeyLock> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        if locks.len() >= LOCKS_SWEPT_AT {
            locks.retain(|_, lock| lock.strong_count() > 0);
        }
        let slot = locks
            .entry((bucket.to_owned(), key.to_owned()))
            .or_default();
        slot.upgrade().unwrap_or_else(|| {
            let lock = Arc::new(KeyLock::new(()));
            *slot = Arc::downgrade(&lock);
            lock
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_addressed_key_fits_and_a_long_one_is_refused() {
        let digest = "a".repeat(64);
        assert!(
            check(
                "awareness",
                &format!("packages/{digest}/matrix.safetensors")
            )
            .is_ok()
        );
        assert!(check("awareness", &"k".repeat(130)).is_err());
    }

    #[test]
    fn a_key_that_names_another_file_is_refused() {
        for key in ["", "/a", "a//b", "a/", "../a", "a/./b", ".."] {
            assert!(check("awareness", key).is_err(), "{key:?}");
        }
        assert!(check("awareness", "a/.b/c..d").is_ok());
    }

    #[tokio::test]
    async fn two_holders_of_one_key_take_turns_and_other_keys_do_not_wait() {
        let locks = KeyLocks::default();
        let held = locks.lock("b", "one").await;
        assert!(locks.of("b", "one").try_lock().is_err());
        assert!(locks.of("b", "two").try_lock().is_ok());
        drop(held);
        assert!(locks.of("b", "one").try_lock().is_ok());
    }
}
