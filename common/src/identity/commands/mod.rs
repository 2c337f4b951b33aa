//! Writes of identity.

mod create_key;
mod revoke_key;
mod rotate_key;

pub use create_key::{
    CreatedKey, NewKey, create_key, create_own_key_in_tx, ensure_own_key_in_tx, insert_key_in_tx,
};
pub use revoke_key::revoke_key;
pub use rotate_key::rotate_key_in_tx;
