//! What handlers take from a request.

mod auth;
mod dry_run;
mod idempotency;
mod if_match;
mod json;
mod prefer;
mod purchase;
mod query_pairs;

pub use auth::{Caller, MaybeCaller, bearer};
pub use dry_run::DryRun;
pub use idempotency::IdempotencyHeader;
pub use if_match::IfMatch;
pub use json::{Json, Path, Query, is_json};
pub use prefer::PreferWait;
pub use purchase::PurchasePath;
pub use query_pairs::QueryPairs;
