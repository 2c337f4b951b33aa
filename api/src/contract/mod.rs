//! The one table of operations. A row has a route, its handler, what a caller needs, and a summary; the
//! handler's own types say the rest. From it come the router, who may call, what is limited, and the document.
//!
//! A file has the rows of one area.

mod accounts;
mod agent_tasks;
mod agents;
mod analytics;
mod answer;
mod disputes;
mod events;
mod handler;
mod leases;
mod market;
mod money;
mod operation;
mod operators;
mod pace;
mod payouts;
mod purchases;
mod schemas;
mod system;
mod uploads;
mod versioned;
mod webhooks;

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::Router;
use axum::http::Method;

pub use answer::{Answer, Bare, Cacheable, NoContent, Ready, Tried};
pub use handler::{Input, Signature};
pub use operation::{Operation, Tool};
pub use pace::Pace;
pub use schemas::{Schemas, WireType, name_of, reference_to};
pub use versioned::{OptionalPurchaseReference, Price, PurchaseReference};

use crate::access::Access;
use crate::state::ApiState;

/// All operations, in the order in which they are shown.
pub static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    [
        accounts::operations(),
        uploads::operations(),
        market::operations(),
        purchases::operations(),
        money::operations(),
        payouts::operations(),
        disputes::operations(),
        agents::operations(),
        agent_tasks::operations(),
        leases::operations(),
        analytics::operations(),
        events::operations(),
        webhooks::operations(),
        system::operations(),
        operators::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
});

static BY_ROUTE: LazyLock<HashMap<&str, Vec<&Operation>>> = LazyLock::new(|| {
    let mut routes: HashMap<&str, Vec<&Operation>> = HashMap::new();
    for operation in OPERATIONS.iter() {
        routes.entry(operation.route).or_default().push(operation);
    }
    routes
});

/// The operation of a method of a route. `HEAD` is `GET`.
pub fn find(method: &Method, route: &str) -> Option<&'static Operation> {
    let method = match *method {
        Method::HEAD => &Method::GET,
        _ => method,
    };
    let mut operations = of_route(route).iter().copied();
    operations.find(|operation| operation.method == *method)
}

/// The operations of a route.
pub fn of_route(route: &str) -> &'static [&'static Operation] {
    BY_ROUTE.get(route).map_or(&[], Vec::as_slice)
}

/// Method and route of each operation.
pub fn served() -> impl Iterator<Item = (&'static Method, &'static str)> {
    shown().map(|operation| (&operation.method, operation.route))
}

/// The operations that the document shows: each at its first address.
pub fn shown() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().filter(|row| !row.is_alias)
}

/// What language models are given.
pub fn tools() -> impl Iterator<Item = (&'static Operation, Tool)> {
    let rows = OPERATIONS.iter();
    rows.filter_map(|operation| Some((operation, operation.tool?)))
}

/// Routes of clients, by how long an answer may take and whether a repeated one is replayed.
pub fn routes(pace: Pace, is_replayed: bool) -> Router<ApiState> {
    collect(|operation| {
        operation.access != Access::Operator
            && (operation.pace, operation.is_replayed) == (pace, is_replayed)
    })
}

/// Routes of operators.
pub fn operators() -> Router<ApiState> {
    collect(|operation| operation.access == Access::Operator)
}

fn collect(is_wanted: impl Fn(&Operation) -> bool) -> Router<ApiState> {
    let wanted = OPERATIONS.iter().filter(|operation| is_wanted(operation));
    wanted.fold(Router::new(), |router, operation| {
        router.route(operation.route, operation.handler.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_is_get_and_nothing_else_is_another() {
        let id = |method, route| find(&method, route).map(|operation| operation.id);
        assert_eq!(id(Method::HEAD, "/api/ai/me"), Some("get_me"));
        assert_eq!(id(Method::GET, "/api/ai/me"), Some("get_me"));
        assert_eq!(id(Method::HEAD, "/api/ai/quotes"), None);
        assert_eq!(id(Method::PUT, "/api/ai/me"), None);
    }
}
