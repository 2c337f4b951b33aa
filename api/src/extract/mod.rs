//! What handlers take from a request.

mod auth;
mod idempotency;
mod json;
mod prefer;

pub use auth::{Caller, Downloader, MaybeCaller, Purchaser, Uploader, bearer};
pub use idempotency::IdempotencyHeader;
pub use json::{Json, Path, Query};
pub use prefer::PreferWait;
