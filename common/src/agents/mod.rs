//! Agents: who does tasks for money, registered by the account that owns it.
//!
//! ```text
//! registered ──unregister──▶ unregistered ──register, by its owner──▶ registered
//! ```
//!
//! PostgreSQL is the truth. Redis knows who is present: an agent is online while its key lives, which each
//! heartbeat renews. A missed one makes it offline, and takes nothing else away; what Redis loses is filled in
//! again from here ([`PresenceBoard`]).

pub mod card;
pub mod commands;
pub mod discovery;
mod error;
mod model;
mod presence;
mod profile;
mod queries;

pub use error::AgentError;
pub use model::{Agent, AgentId, Availability, Figures, Presence};
pub use presence::{PresenceBoard, PresenceError};
pub use profile::{Profile, ProfileChanges, normalised_capability};
pub use queries::{exists, find};
