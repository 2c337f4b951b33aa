//! What surrounds every handler, the outermost first: `observe`, `catch_panic`, `linger`, `deadline`.

mod admin;
mod catch_panic;
mod deadline;
mod linger;
mod observe;

pub use admin::require_admin;
pub use catch_panic::catch_panic;
pub use deadline::deadline;
pub use linger::linger;
pub use observe::{RequestId, observe};
