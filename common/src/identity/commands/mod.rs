//! Writes of identity.

mod create_key;
mod revoke_key;

pub use create_key::{CreatedKey, create_key};
pub use revoke_key::revoke_key;
