//! What surrounds every handler, the outermost first: `cors`, `note_version`, `observe` (with
//! `catch_panic`), `prepare` (that is `linger`, `check_version`, `identify`), `limit`, `deadline`,
//! `admit`.

mod admin;
mod admit;
mod catch_panic;
mod cors;
mod deadline;
mod identify;
mod limit;
mod linger;
mod observe;
mod prepare;
mod refused_operator;
mod version;

pub use admin::{Operator, require_admin};
pub use admit::{Door, Takes, admit};
pub use cors::cors;
pub use deadline::deadline;
pub use identify::{ClientAddress, Identity, Peer};
pub use limit::{Charged, limit, reached_limit, refusal};
pub use observe::{RequestId, observe};
pub use prepare::prepare;
pub use version::note_version;
