//! Infrastructure and domain: everything that reads or writes PostgreSQL, Redis and S3.
//!
//! Modules import only to their left in this order, never back and never sideways; the test
//! `the_import_order_holds` reads the `use` lines:
//!
//! `decimal merge_patch schema` < `ids limits money shutdown tls` < `admission config fair_queue wire` < `telemetry` < `db http hurried_redis queue storage` < `jobs` < `outbox`
//! < `identity` < `audit cards events idempotency leases replays scheduled_tasks signatures throttle` < `accounts cache canaries webhooks` < `ledger` < `catalog`
//! < `payments quotes uploads` < `agents chargebacks` < `purchases` < `agent_tasks disputes payouts` < `analytics moderation` < `pipeline`

pub mod decimal;
pub mod merge_patch;
pub mod schema;

pub mod ids;
pub mod limits;
pub mod money;
pub mod shutdown;
pub mod tls;

pub mod admission;
pub mod config;
pub mod fair_queue;
pub mod wire;

pub mod telemetry;

pub mod db;
pub mod http;
pub mod hurried_redis;
pub mod queue;
pub mod storage;

pub mod jobs;

pub mod outbox;

pub mod identity;

pub mod audit;
pub mod cards;
pub mod events;
pub mod idempotency;
pub mod leases;
pub mod replays;
pub mod scheduled_tasks;
pub mod signatures;
pub mod throttle;

pub mod accounts;
pub mod cache;
pub mod canaries;
pub mod webhooks;

pub mod ledger;

pub mod catalog;

pub mod payments;
pub mod quotes;
pub mod uploads;

pub mod agents;
pub mod chargebacks;

pub mod purchases;

pub mod agent_tasks;
pub mod disputes;
pub mod payouts;

pub mod analytics;
pub mod moderation;

pub mod pipeline;

pub use reqwest;
pub use secrecy;
