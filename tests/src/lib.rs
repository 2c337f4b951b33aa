//! What the tests of the whole system stand on: private servers, a world per test, a client that
//! speaks to it as anybody would, and small packages with real figures.

#![expect(
    clippy::unwrap_used,
    reason = "a test world that cannot be set up fails its test"
)]

pub mod cards;
pub mod client;
pub mod document;
pub mod event_bodies;
pub mod ground;
pub mod libraries;
pub mod listings;
pub mod market;
pub mod metrics;
pub mod packages;
pub mod promql;
pub mod random;
pub mod raw;
pub mod redis;
pub mod sample;
pub mod servers;
mod settings;
pub mod stack;
pub mod tree;
pub mod world;

pub use client::{Answer, Client};
pub use packages::Sample;
pub use world::World;

use std::time::Duration;

/// Whether tests run in their long form.
pub fn is_long() -> bool {
    std::env::var("AWARENESS_LONG").is_ok()
}

/// Nothing that a test waits for takes longer, on a busy machine either.
pub const DEADLINE: Duration = Duration::from_secs(45);
/// Between two looks at something that announces itself to nobody.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Looks until there is something to see; fails the test at the deadline, naming what was awaited.
/// Only for what has no signal: rows and objects that change behind the public API.
pub async fn eventually<T, F>(what: &str, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let looking = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    match tokio::time::timeout(DEADLINE, looking).await {
        Ok(seen) => seen,
        Err(_) => panic!("still waiting for {what}"),
    }
}
