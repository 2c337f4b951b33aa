//! Leases, which let one of an account's workers act at once.

use common::identity::Permission::Leases;
use common::limits::{LEASE_WAIT_MS_MAX, LEASES_MAX};

use super::operation::{Operation, delete, get, post, put};
use crate::access::Access::May;
use crate::routes::leases;

pub fn operations() -> Vec<Operation> {
    let rows = vec![
        post("/api/ai/leases", leases::acquire_lease, May(Leases), "Acquire a lease")
            .about(format!(
                "Locks a name of your account. If it is held, the request waits for up to `waitMs`, at most {} s, in the order \
                 in which requests came; 409 says who holds it, for how long, and how many wait before you. A request that is \
                 repeated with its `Idempotency-Key` gets the same lease. An account holds at most {LEASES_MAX} leases.",
                LEASE_WAIT_MS_MAX / 1000
            ))
            .gives(201, "The lease, which is yours until it expires.")
            .faults(&[409])
            .waiting()
            .replayed(),
        get("/api/ai/leases", leases::list_leases, May(Leases), "List your leases")
            .gives(200, "A page of those that are held, by resource."),
        get("/api/ai/leases/{resource}", leases::get_lease, May(Leases), "Get a lease")
            .gives(200, "Who holds it, until when, and how many wait for it."),
        put("/api/ai/leases/{resource}", leases::extend_lease, May(Leases), "Extend a lease")
            .about("It lasts for `ttlMs` from now on, or for as long as it lasts already. 410 if it was lost.")
            .gives(200, "The lease."),
        delete("/api/ai/leases/{resource}", leases::release_lease, May(Leases), "Release a lease")
            .about("The request that waits the longest for it is granted it. 410 if it was lost.")
            .empty(204, "It is yours no more."),
    ];
    rows.into_iter().map(|row| row.tagged("leases")).collect()
}
