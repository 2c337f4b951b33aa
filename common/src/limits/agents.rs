//! Agents.

use std::time::Duration;

/// Agents that one account has registered.
pub const AGENTS_MAX: i64 = 100;
/// The id of an agent.
pub const AGENT_ID_CHARS_MAX: usize = 64;
/// The name of an agent.
pub const AGENT_NAME_CHARS_MAX: usize = 100;
/// What an agent says of itself.
pub const AGENT_DESCRIPTION_CHARS_MAX: usize = 2000;
/// Capabilities of one agent.
pub const CAPABILITIES_MAX: usize = 20;
/// A capability.
pub const CAPABILITY_CHARS_MAX: usize = 64;
/// Tasks that an agent may say it does in an hour.
pub const AGENT_CAPACITY_MAX: i64 = 1_000_000;
/// The metadata of an agent, as JSON text.
pub const AGENT_METADATA_BYTES_MAX: usize = 4096;
/// An agent that gave no sign of life for so long is offline (the seed's default).
pub const AGENT_TTL: Duration = Duration::from_secs(3600);
/// Who is present is filled in again from PostgreSQL after so long.
pub const PRESENCE_REFILL: Duration = Duration::from_secs(600);
/// Agents that one call of Redis fills in or takes out.
pub const PRESENCE_ROWS_MAX: i64 = 500;
