//! Writes of identity.

mod create_key;
mod grant;
mod revoke_key;

pub use create_key::{KeyOwner, create_key, create_key_for};
pub use grant::{CreatedKey, Grant, NewKey, ensure_own_key_in_tx};
pub use revoke_key::{Revoker, revoke_key};
