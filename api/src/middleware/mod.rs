//! What surrounds every handler, the outermost first: `observe`, `catch_panic`, `deadline`.

mod admin;
mod catch_panic;
mod deadline;
mod observe;

pub use admin::require_admin;
pub use catch_panic::catch_panic;
pub use deadline::deadline;
pub use observe::{RequestId, observe};
