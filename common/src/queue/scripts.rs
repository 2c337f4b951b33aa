//! The Lua scripts: every change of several keys is one of them, so that it is atomic.
//!
//! They write apalis-redis' own keys (`data`, `meta:<id>`, `active`, `inflight:<worker>`, `done`,
//! `dead`, `workers`) and one of ours, `beats`. They build keys from the queue's name, as apalis'
//! scripts do: one primary, no Redis Cluster.

use std::sync::LazyLock;

use redis::Script;

pub(super) static PUSH: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("lua/push.lua")));
pub(super) static BEAT: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("lua/beat.lua")));
pub(super) static RELEASE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("lua/release.lua")));
pub(super) static SWEEP: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("lua/sweep.lua")));
pub(super) static INSPECT: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("lua/inspect.lua")));
