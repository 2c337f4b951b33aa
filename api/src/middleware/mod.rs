//! What surrounds every handler, the outermost first: `note_version`, `observe`, `catch_panic`,
//! `linger`, `check_version`, `deadline`.

mod admin;
mod catch_panic;
mod deadline;
mod linger;
mod observe;
mod version;

pub use admin::require_admin;
pub use catch_panic::catch_panic;
pub use deadline::deadline;
pub use linger::linger;
pub use observe::{RequestId, observe};
pub use version::{check_version, note_version};
