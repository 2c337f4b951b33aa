//! Every maximum of the product that is not a property of one algorithm, with its unit and reason. The page
//! `docs/limits.md` is written from here.

mod accounts;
mod agent_tasks;
mod agents;
mod analytics;
mod catalogue;
mod events;
mod http;
mod jobs;
mod leases;
mod money;
mod retention;
mod uploads;
mod webhooks;

pub use self::accounts::*;
pub use self::agent_tasks::*;
pub use self::agents::*;
pub use self::analytics::*;
pub use self::catalogue::*;
pub use self::events::*;
pub use self::http::*;
pub use self::jobs::*;
pub use self::leases::*;
pub use self::money::*;
pub use self::retention::*;
pub use self::uploads::*;
pub use self::webhooks::*;
