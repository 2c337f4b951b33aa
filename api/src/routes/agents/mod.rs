//! `/api/agents`: registered, changed, alive, unregistered.

mod body;
mod card;
mod discover;
mod recent;
mod recommend;
mod registry;
mod reputation;
mod view;

pub use card::get_agent_card;
pub use discover::{list_agents, list_capabilities};
pub use recent::RecentLists;
pub use recommend::recommend_agents;
pub use registry::{change_agent, create_agent, get_agent, send_heartbeat, unregister_agent};
pub use reputation::{explain_agent_reputation, explain_any_agent_reputation};
