//! Webhooks through the public API and real receivers: endpoints, their log, what failure does to them,
//! and that nothing is lost. One binary; each test has its own world.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod webhooks {
    mod documents;
    mod endpoints;
    mod ground;
    mod health;
    mod libraries;
    mod log;
    mod losses;
    mod order;
    mod recoveries;
    mod secrets;
    mod shares;
    mod strangers;
}
