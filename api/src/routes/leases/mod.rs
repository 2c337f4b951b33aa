//! `/api/ai/leases`: acquired, shown, extended, released.

mod acquire;
mod extend;
mod list;
mod release;
mod show;
mod view;

pub use acquire::acquire_lease;
pub use extend::extend_lease;
pub use list::list_leases;
pub(in crate::routes) use list::{LeasePage, LeaseQuery};
pub use release::release_lease;
pub use show::get_lease;

use common::leases::Resource;
use common::limits::{LEASE_TTL_MS_DEFAULT, LEASE_TTL_MS_MAX, LEASE_TTL_MS_MIN};
use common::uploads::FieldFault;

use crate::error::{ApiError, Code};

/// The resource in a path. Nobody holds a lease of what is no name of one.
pub(in crate::routes) fn resource(text: &str) -> Result<Resource, ApiError> {
    Resource::parse(text)
        .ok_or_else(|| ApiError::new(Code::NotFound, "Nobody holds a lease of this resource."))
}

/// How long a lease is to last, in milliseconds.
fn ttl_ms(asked: Option<i64>) -> Result<u64, ApiError> {
    let ttl_ms = asked.unwrap_or(LEASE_TTL_MS_DEFAULT);
    milliseconds("ttlMs", ttl_ms, LEASE_TTL_MS_MIN, LEASE_TTL_MS_MAX)
}

fn milliseconds(field: &str, value: i64, min: i64, max: i64) -> Result<u64, ApiError> {
    if (min..=max).contains(&value) {
        return Ok(value.unsigned_abs());
    }
    let fault = format!("must be from {min} to {max}");
    Err(ApiError::fields(&[FieldFault::new(field, fault)]))
}
