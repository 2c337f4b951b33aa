//! Uploads, packages and verdicts.

use std::time::Duration;

/// Both blobs of a package together, decoded: the seed's "< 50 MB" (design §3 row 3).
pub const PACKAGE_BYTES_MAX: u64 = 52_428_800;
/// One staged object, and so the memory one upload holds twice (one filling, one on its way). Each is
/// an object of its own, so S3's minimum for parts does not apply; fewer would mean more memory.
pub const PART_BYTES: usize = 4 * 1024 * 1024;
/// A JSON body: base64 of the largest package and room for its fields.
pub const JSON_BODY_BYTES_MAX: u64 = PACKAGE_BYTES_MAX / 3 * 4 + 1024 * 1024;
/// A multipart body: the largest package and room for its fields.
pub const MULTIPART_BODY_BYTES_MAX: u64 = PACKAGE_BYTES_MAX + 1024 * 1024;
/// A JSON body of a batch: ten of the largest.
pub const BATCH_BODY_BYTES_MAX: u64 = 10 * JSON_BODY_BYTES_MAX;
/// A body that holds fields alone.
pub const SMALL_BODY_BYTES_MAX: usize = 64 * 1024;
/// So much of a body may be read in vain: who sends more and is refused for what it says has used its place
/// in the window.
pub const RETURNED_BODY_BYTES_MAX: u64 = 1024 * 1024;
/// Uploads whose bytes one API process takes at the same time; at 9 MiB each that is under 600 MiB.
pub const UPLOADS_IN_FLIGHT_MAX: usize = 64;
/// Of those, for one client: more do not make its uploads faster.
pub const UPLOADS_IN_FLIGHT_SHARE_MAX: usize = 12;
/// Parts of a form: each field once, and two files.
pub const FORM_PARTS_MAX: usize = 64;
/// What stands in front of a form's first part, and the head of each part.
pub const FORM_HEAD_BYTES_MAX: u64 = 16 * 1024;
/// A presigned upload or download address.
pub const PRESIGNED_SECONDS: u64 = 900;
/// How long a client may take from asking for addresses to the commit.
pub const SESSION_SECONDS: u64 = 3600;
/// Names of models.
pub const MODEL_NAME_CHARS_MAX: usize = 100;
/// Packages of one batch (the seed's figure).
pub const BATCH_PACKAGES_MAX: usize = 10;
/// Packages that one API process judges in memory at once, without an upload: at 50 MiB and what a verdict
/// takes beside it, half a GiB.
pub const VALIDATIONS_MAX: usize = 2;
/// Packages that are judged or wait for it; they wait in files.
pub const VALIDATIONS_WAITING_MAX: usize = 32;
/// Of those, for one client.
pub const VALIDATIONS_WAITING_SHARE_MAX: usize = 2;
/// How long a package waits for its turn.
pub const VALIDATION_WAIT_SECONDS_MAX: u64 = 30;
/// Judging one MiB of a package; the time grows with the 1.5th power of the size. Measured with square W of
/// 16 bits, sides of 256 to 1,536: 72 to 93 ms; 32 bits and larger sides take less.
pub const JUDGED_MEBIBYTE_COST: Duration = Duration::from_millis(95);
/// Moving one MiB from the store and back: 50 MiB/s.
pub const MOVED_MEBIBYTE_COST: Duration = Duration::from_millis(20);
/// The largest package that is light to judge, in bytes.
pub const LIGHT_PACKAGE_BYTES_MAX: u64 = 3 * 1024 * 1024 / 2;
