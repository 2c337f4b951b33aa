//! `/api/agents`: registered, changed, alive, unregistered.

mod body;
mod registry;
mod view;

pub use registry::{change_agent, create_agent, get_agent, send_heartbeat, unregister_agent};
