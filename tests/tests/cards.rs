//! The client of the card provider: against the sandbox for every payment method, and against raw
//! sockets for what no provider should do.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[expect(dead_code, reason = "the tests of the webhook client use the rest")]
mod webhook_receiver;

mod cards {
    mod ground;
    mod outcomes;
    mod state;
    mod webhooks;
    mod wire;
}
