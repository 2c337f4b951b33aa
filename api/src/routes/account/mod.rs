//! The account that calls: what it is, what it may, what is left of its limits, and its keys.

mod keys;
mod limits;
mod me;
mod register;

pub use keys::{create_own_key, list_own_keys, revoke_own_key, rotate_own_key};
pub use limits::get_limits;
pub use me::{change_me, get_me};
pub use register::register_agent;
