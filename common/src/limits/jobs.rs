//! Jobs, workers and leases.

use std::time::Duration;

/// A worker's word that it lives: renewed each second, so four may be lost. With the sweep behind
/// it, a killed worker's jobs run again within 7 s.
pub const LEASE: Duration = Duration::from_secs(5);
/// Between two renewals.
pub const HEARTBEAT: Duration = Duration::from_secs(1);
/// Between two sweeps for what is due and not running.
pub const SWEEP: Duration = Duration::from_millis(250);
/// What was pushed this recently is still on its way, and not swept.
pub const SWEEP_AGE_MIN: Duration = Duration::from_millis(500);
/// Jobs one step of the sweep pushes.
pub const SWEEP_JOBS_MAX: i64 = 500;
/// Leases one statement takes.
pub const LEASE_BATCH_MAX: usize = 64;
/// Alarms one statement rings.
pub const RING_BATCH_MAX: usize = 256;
/// Alarms that wait to be rung; above it they are left to the sweep.
pub const RING_BACKLOG_MAX: usize = 16_384;
/// Times a job may bring down its worker before it is quarantined.
pub const CRASHES_MAX: i32 = 5;
/// SIGTERM to exit: what runs may finish, the rest is given back.
pub const DRAIN: Duration = Duration::from_secs(25);
/// The least that a job costs: the time of a slot for its lease, some statements and a durable commit on a
/// busy disk.
pub const JOB_COST_MIN: Duration = Duration::from_millis(60);
/// The most that a job counts as, so that one estimate does not send a tenant away for good.
pub const JOB_COST_MAX: Duration = Duration::from_secs(10);
/// A job that costs more is heavy: it waits in the bulk lane whoever sent it, so that the slots of the fast
/// lane are free again within this time.
pub const JOB_LIGHT_COST_MAX: Duration = Duration::from_millis(250);
/// What a tenant may have outstanding in a queue before its work takes the bulk lane: sixteen of the least.
/// With two slots or more it delays the light work of others by half a second at most.
pub const TENANT_FAST_COST_MAX: Duration = Duration::from_millis(1000);
