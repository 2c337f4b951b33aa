//! Endpoints: who is told of what, where, and by which rules.
//!
//! ```text
//!            ┌── disable: owner, 410 twice, `webhook-delivery: disable`, 120 h of failure
//!   enabled ─┴─▶ disabled ──enable──▶ enabled        deleted: nothing more is sent
//! ```
//!
//! While an endpoint is disabled its events are held, not dropped; enabling it sends them, or not, as
//! its owner says. An endpoint of the source `request` stands for the address of a request's
//! `webhookUrl`: it has the defaults, hears only of what named it, and is listed on demand.

pub mod commands;
pub mod custom_headers;
mod model;
mod queries;
mod settings;

pub use model::{Endpoint, EndpointState, Ordering, Source};
pub use queries::{
    EndpointFilter, OutcomeCount, STATS_DAYS, StateCount, Stats, find, list, newest_secret, stats,
};
pub use settings::{Changes, Fault, Settings};
