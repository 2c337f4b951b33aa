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
/// The A2A card of an agent.
pub const AGENT_CARD_BYTES_MAX: usize = 64 * 1024;
/// Skills that the card of an agent names.
pub const AGENT_SKILLS_MAX: usize = 100;
/// A card that is not got in this time is not got.
pub const CARD_FETCH_TIMEOUT: Duration = Duration::from_secs(10);
/// A card is fetched again after so long.
pub const CARD_RENEWAL: Duration = Duration::from_secs(24 * 3600);
/// Cards that one step asks for again.
pub const CARD_RENEWALS_MAX: i64 = 100;
/// An agent that gave no sign of life for so long is offline (the seed's default).
pub const AGENT_TTL: Duration = Duration::from_secs(3600);
/// Agents, and capabilities, that have series of metrics of their own.
pub const MARKET_LABELS_MAX: i64 = 50;
/// What agents are searched for.
pub const AGENT_QUERY_CHARS_MAX: usize = 200;
/// Capabilities that a summary names.
pub const CAPABILITY_SUMMARY_ROWS_MAX: i64 = 100;
/// Agents that a recommendation looks at, those of the best reputation.
pub const RECOMMENDED_FROM_MAX: i64 = 200;
/// Agents that a recommendation names.
pub const RECOMMENDED_MAX: usize = 20;
/// Who was chosen among agents that are as good as each other is remembered for so long.
pub const ROUND_ROBIN_REMEMBERED: Duration = Duration::from_secs(3600);
/// A list of agents may be so old.
pub const AGENT_LIST_FRESH: Duration = Duration::from_secs(1);
/// Lists of agents that a process keeps, in bytes.
pub const AGENT_LISTS_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Who is present is filled in again from PostgreSQL after so long.
pub const PRESENCE_REFILL: Duration = Duration::from_secs(600);
/// Agents that one call of Redis fills in or takes out.
pub const PRESENCE_ROWS_MAX: i64 = 500;
