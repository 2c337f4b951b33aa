//! Identity: users, and the API keys that act for them.
//!
//! A key is `ak_ai_` and 32 hexadecimal digits, shown once. Its SHA-256 finds it; a copy sealed
//! under the master key is opened only to sign webhooks. A revoked key is refused by the next
//! request: nothing caches it. A key never makes, replaces or revokes one that is wider than itself.
//!
//! Every key is written by [`commands::Grant`], which is made only by proving that. What goes on for
//! long asks [`is_live`] again, at once when [`REVOKED`] names it.

mod authority;
pub mod commands;
mod error;
mod key;
mod likeness;
mod model;
mod queries;
mod seal;

pub use authority::{Authority, Dimension};
pub use error::IdentityError;
pub use key::{ApiKey, KEY_PREFIX};
pub use likeness::likeness_of;
pub use model::{KeyLimits, KeySummary, Permission, Principal};
pub use queries::{
    authenticate, authority_in_tx, find_key, find_name, is_live, list_keys, list_keys_of,
    owner_of_key, signing_key,
};
pub use seal::Sealer;

/// Topic of what was revoked: a key, a session or a user, by its id.
pub const REVOKED: &str = "revoked";
