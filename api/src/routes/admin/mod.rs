//! What operators do: see and steer queues, jobs, tasks, keys, payments and the ledger, and decide about money.

mod agent_tasks;
mod analytics;
mod because;
mod chargebacks;
mod disputes;
mod event_subscriptions;
mod events;
mod jobs;
mod keys;
mod leases;
mod ledger;
mod packages;
mod payloads;
mod payments;
mod payouts;
mod purchases;
mod queues;
mod tasks;
mod users;

pub use agent_tasks::{get_any_agent_task, list_all_agent_tasks, resolve_agent_task};
pub use analytics::{
    get_market_analytics, get_rebuild, list_active_accounts, list_searches_without_results,
    rebuild_analytics,
};
pub use chargebacks::{answer_chargeback, list_chargebacks};
pub use disputes::{decide_dispute, get_any_dispute, list_disputes};
pub use event_subscriptions::list_all_event_subscriptions;
pub use events::{audit_history, replay_event_stream};
pub use jobs::{cancel_job, get_job, list_jobs, replay_jobs, retry_job};
pub(in crate::routes) use keys::RevokedKey;
pub use keys::{create_key, list_keys, revoke_key};
pub use leases::{list_user_leases, release_user_lease};
pub use ledger::{adjust_credits, audit_ledger};
pub use packages::{restore_package, take_down_package};
pub use payloads::{drop_payload, list_payloads};
pub use payments::{get_payment, list_payments};
pub use payouts::{list_all_payouts, pay_payout, return_payout};
pub use purchases::{cancel_any_purchase, refund_any_purchase};
pub use queues::{list_queues, pause_queue, resume_queue};
pub use tasks::{list_tasks, run_task};
pub use users::{block_user, change_role, list_audit, list_users, unblock_user};
