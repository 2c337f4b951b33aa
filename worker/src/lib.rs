//! Workers: take wake-up calls, lease jobs, run their handlers, and write down how they end.
//!
//! A process serves the queues it is told to, each with its own slots, so that no queue waits for
//! another. It survives any input, panic and outage; it may be killed at any moment, and its jobs
//! are run by others within seconds.

mod consumers;
mod context;
mod handlers;
mod heartbeat;
mod operations;
mod outcome;
mod process;
mod runner;
mod runs;
mod verification;

pub use context::Context;
pub use outcome::JobError;
pub use process::{StartError, Worker};
