//! Agents that do tasks for money: registered, found, present.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agents {
    mod cards;
    mod discovery;
    mod ground;
    mod hiring;
    mod presence;
    mod recommendations;
    mod registry;
    mod tasks;
}
