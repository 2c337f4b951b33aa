//! What surrounds every handler, the outermost first: `cors`, `compress`, `note_version`, `observe` (with
//! `catch_panic` and `prepare`, that is `check_version`, `identify`, `linger`), `limit` (with
//! `under_lease`), `admit` (with `deadline`), and around a few `replay`. What can share a layer does: a layer costs as much as a small handler.

mod admin;
mod admit;
mod catch_panic;
mod client_address;
mod compress;
mod cors;
mod deadline;
mod identify;
mod lease;
mod limit;
mod linger;
mod observe;
mod prepare;
mod refused_operator;
mod replay;
mod version;

pub use admin::{Operator, require_admin};
pub use admit::{Door, Takes, admit};
pub use compress::{compress, tag_compressed};
pub use cors::cors;
pub use identify::{ClientAddress, Identity, Peer};
pub use lease::under_lease;
pub use limit::{Charged, limit, reached_limit, refusal};
pub use observe::{RequestId, observe};
pub use replay::replay;
pub use version::note_version;
