//! What surrounds every handler, the outermost first: `cors`, `note_version`, `observe`, `catch_panic`,
//! `linger`, `check_version`, `identify`, `limit`, `shed`, `deadline`.

mod admin;
mod catch_panic;
mod cors;
mod deadline;
mod identify;
mod limit;
mod linger;
mod observe;
mod shed;
mod version;

pub use admin::{Operator, require_admin};
pub use catch_panic::catch_panic;
pub use cors::cors;
pub use deadline::deadline;
pub use identify::{ClientAddress, Identity, Peer, identify};
pub use limit::{limit, refusal};
pub use linger::linger;
pub use observe::{RequestId, observe};
pub use shed::shed;
pub use version::{check_version, note_version};
