//! Leases: an account locks a name of its own choice, a *resource*, for a time, so that one of its workers acts at once.
//!
//! ```text
//! free ──acquire──▶ held ──release, or time──▶ free
//! ```
//!
//! PostgreSQL is the truth (`migrations/0046_leases.sql`). At most one lease of a resource is held at any moment of its
//! clock; each grant has a larger fence than all before. A lease ends by time without anybody's help. Waiters are served
//! in the order in which they came; whoever gives a lease back notifies the next one ([`LEASES`]), and each looks by
//! itself as well. Nobody waits with a connection, a transaction or a mutex.
//!
//! A worker that was paused past the end of its lease may still act: a lease alone does not stop it. So each write of
//! the API can be made under a lease ([`crate::db::under_lease`]), and is refused if that was lost; others compare fences.
//! The tests of `tests/tests/leases` prove both with processes that are stopped and killed.

pub mod commands;
mod error;
mod model;
mod queries;

pub use error::{Busy, LeaseError, Loss};
pub use model::{Lease, LeaseToken, Resource};
pub use queries::{find, find_held, list, observe, prune};

/// Topic of leases that were given back, by the ticket of whoever is next.
pub const LEASES: &str = "leases";
