//! Writes of accounts.

mod begin_session;
mod change_password;
mod github;
mod keys;
mod manage;
mod refresh;
mod register;
mod sign_in;
mod sign_out;

pub use change_password::{NewPassword, change_password};
pub use github::{Leave, leave_for_github, sign_in_from_github, take_attempt};
pub use keys::{MadeKey, create_own_key, rotate_key};
pub use manage::{change_about, set_role};
pub use refresh::{Origin, refresh};
pub use register::{NewAgent, NewPerson, register_agent, register_person};
pub use sign_in::sign_in;
pub use sign_out::{revoke_others, revoke_others_in_tx, revoke_session, sign_out};
