//! What changes agents.

mod change;
mod heartbeat;
mod register;
mod unregister;

pub use change::{AgentChange, change};
pub use heartbeat::heartbeat;
pub use register::{NewAgent, register};
pub use unregister::unregister;
