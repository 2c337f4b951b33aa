//! Leases of clients.

use std::time::Duration;

/// Leases of one account that are held. What has ended makes room for what is new.
pub const LEASES_MAX: i64 = 1_000;
/// Live waiters for one resource.
pub const LEASE_WAITERS_MAX: i64 = 500;
/// The name of a resource.
pub const LEASE_RESOURCE_CHARS_MAX: usize = 200;
/// A client's own name for who holds a lease.
pub const LEASE_OWNER_CHARS_MAX: usize = 100;
/// The shortest that a lease is granted for: below it, most of it would go on the way.
pub const LEASE_TTL_MS_MIN: i64 = 1_000;
/// The longest that a lease is granted or extended for at once: so long one whose holder died locks others out.
pub const LEASE_TTL_MS_MAX: i64 = 300_000;
/// What a lease is granted for if its client does not say.
pub const LEASE_TTL_MS_DEFAULT: i64 = 30_000;
/// The longest that a request waits for a lease.
pub const LEASE_WAIT_MS_MAX: i64 = 30_000;
/// A waiter looks by itself this often, in case a notification was lost.
pub const LEASE_LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// A waiter that did not look for so long is dead and loses its turn: several looks may be lost or late.
pub const LEASE_WAITER_KEPT: Duration = Duration::from_secs(5);
