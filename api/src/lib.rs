//! The public API: HTTP envelopes over the commands of `common`. It holds no SQL and no rules.
//!
//! `contract/` lists every operation; `routes/<domain>/<verb>.rs` has its handler.

mod access;
pub mod body;
mod contract;
mod credential_watch;
mod entity_tag;
mod error;
mod extract;
mod follow;
mod header_list;
mod limits;
mod middleware;
mod negotiation;
mod openapi;
mod operations;
mod places;
mod process;
mod receive;
mod router;
mod routes;
mod state;
mod version;

pub use contract::served;
pub use error::{ApiError, Code};
pub use process::{Api, StartError};
pub use state::ApiState;
