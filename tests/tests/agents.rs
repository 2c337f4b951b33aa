//! Agents that do tasks for money: registered, found, present.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agents {
    mod ground;
    mod presence;
    mod registry;
}
