//! The operations, one table per area. A new area is a file here and a line in [`operations`].

mod accounts;
mod listings;
mod market;
mod system;
mod uploads;
mod webhook_endpoints;
mod webhook_log;

use serde_json::{Map, Value};

use super::operation::Operation;

/// All operations, in the order in which they are shown.
pub fn operations() -> Vec<Operation> {
    [
        accounts::operations(),
        uploads::operations(),
        market::operations(),
        listings::operations(),
        webhook_endpoints::operations(),
        webhook_log::operations(),
        system::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The schemas that operations name.
pub fn schemas() -> Map<String, Value> {
    [
        accounts::schemas(),
        market::schemas(),
        listings::schemas(),
        webhook_endpoints::schemas(),
        webhook_log::schemas(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
