//! Identity: users, and the API keys that act for them.
//!
//! A key is `ak_ai_` and 32 hexadecimal digits, shown once. Its SHA-256 finds it; a copy sealed
//! under the master key is opened only to sign webhooks. A revoked key is refused by the next
//! request: nothing caches it. A key never hands on more than it has itself.

pub mod commands;
mod error;
mod key;
mod model;
mod queries;
mod seal;

pub use error::IdentityError;
pub use key::{ApiKey, KEY_PREFIX};
pub use model::{KeyLimits, KeySummary, Permission, Principal};
pub use queries::{authenticate, find_key, find_user, list_keys, list_keys_of, signing_key};
pub use seal::Sealer;
