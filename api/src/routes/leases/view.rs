//! A lease on the wire.

use common::leases::{self, Resource, commands};
use common::wire::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// A lease that is held.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lease {
    resource: Resource,
    /// Who of yours holds it, as that one said.
    owner: Option<String>,
    /// Larger than that of every lease of this resource before.
    fence: i64,
    /// When it was granted.
    acquired_at: Timestamp,
    /// When it ends, if it is not extended.
    expires_at: Timestamp,
    /// The same from now on, in milliseconds.
    expires_in_ms: i64,
    /// Requests that wait for it.
    waiters: i64,
}

impl From<leases::Lease> for Lease {
    fn from(lease: leases::Lease) -> Self {
        Self {
            resource: lease.resource,
            owner: lease.holder,
            fence: lease.fence,
            acquired_at: lease.acquired_at.into(),
            expires_at: lease.expires_at.into(),
            expires_in_ms: lease.remaining_ms,
            waiters: lease.waiters,
        }
    }
}

/// A lease that was granted to you.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrantedLease {
    resource: Resource,
    /// Who of yours holds it, as that one said.
    owner: Option<String>,
    /// Larger than that of every lease of this resource before.
    fence: i64,
    /// What extends and releases it, and goes with writes as `Lease-Token`.
    token: String,
    /// When it was granted.
    acquired_at: Timestamp,
    /// When it ends, if it is not extended.
    expires_at: Timestamp,
    /// The same from its grant on, in milliseconds. Count them from before you sent the request.
    expires_in_ms: i64,
}

impl From<commands::Granted> for GrantedLease {
    fn from(commands::Granted { lease, token }: commands::Granted) -> Self {
        Self {
            resource: lease.resource,
            owner: lease.holder,
            fence: lease.fence,
            token: token.expose().to_owned(),
            acquired_at: lease.acquired_at.into(),
            expires_at: lease.expires_at.into(),
            expires_in_ms: lease.remaining_ms,
        }
    }
}
