//! What handlers take from a request.

mod auth;
mod dry_run;
mod idempotency;
mod if_match;
mod json;
mod lease;
mod merge_patch;
pub mod moment;
mod number;
mod prefer;
mod purchase;
mod query;
mod query_pairs;
pub mod rule;

pub use auth::{Caller, MaybeCaller, bearer};
pub use dry_run::DryRun;
pub use idempotency::IdempotencyHeader;
pub use if_match::IfMatch;
pub use json::{Json, Path, is_json, read_json};
pub use lease::LeaseHeader;
pub use merge_patch::{NOT_NULL, set_or_keep};
pub use number::NumberText;
pub use prefer::PreferWait;
pub use purchase::PurchasePath;
pub use query::{Query, flag};
pub use query_pairs::QueryPairs;
