//! The one table of operations. A row has a route, its handler, what a caller needs, and a summary; the
//! handler's own types say the rest. From it come the router, who may call, what is limited, and the document.
//!
//! A file has the rows of one area. Areas that are not here yet stand in `access/table.rs`, `router/` and
//! `openapi/areas/`.

mod answer;
mod disputes;
mod handler;
mod money;
mod operation;
mod operators;
mod payouts;
mod purchases;
mod schemas;
mod versioned;

use std::sync::LazyLock;

use axum::Router;

pub use answer::{Answer, Tried};
pub use handler::{Input, Output, Signature};
pub use operation::{Operation, Pace};
pub use schemas::Schemas;
pub use versioned::{OptionalPurchaseReference, Price, PurchaseReference};

use crate::access::Access;
use crate::state::ApiState;

/// All operations, in the order in which they are shown.
pub static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    [
        purchases::operations(),
        money::operations(),
        payouts::operations(),
        disputes::operations(),
        operators::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
});

/// The operation of a method of a route.
pub fn find(method: &str, route: &str) -> Option<&'static Operation> {
    let mut operations = OPERATIONS.iter();
    operations.find(|operation| operation.method == method && operation.route == route)
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
