//! What operators see and decide.

use axum::Router;
use axum::routing::{delete, get, post};

use crate::routes::admin;
use crate::state::ApiState;

/// Queues, jobs, payments, keys, people, and what was done with them.
pub fn all() -> Router<ApiState> {
    Router::new()
        .route("/admin/queues", get(admin::list_queues))
        .route("/admin/queues/{queue}/pause", post(admin::pause_queue))
        .route("/admin/queues/{queue}/resume", post(admin::resume_queue))
        .route("/admin/jobs", get(admin::list_jobs))
        .route("/admin/jobs/replay", post(admin::replay_jobs))
        .route("/admin/jobs/{job_id}", get(admin::get_job))
        .route("/admin/jobs/{job_id}/retry", post(admin::retry_job))
        .route("/admin/jobs/{job_id}/cancel", post(admin::cancel_job))
        .route("/admin/payloads", get(admin::list_payloads))
        .route("/admin/payloads/{payload_id}", delete(admin::drop_payload))
        .route("/admin/payments", get(admin::list_payments))
        .route("/admin/payments/{payment_id}", get(admin::get_payment))
        .route("/admin/chargebacks", get(admin::list_chargebacks))
        .route(
            "/admin/chargebacks/{chargeback_id}/evidence",
            post(admin::answer_chargeback),
        )
        .route("/admin/keys", get(admin::list_keys).post(admin::create_key))
        .route("/admin/keys/{key_id}", delete(admin::revoke_key))
        .route("/admin/credits", post(admin::adjust_credits))
        .route("/admin/ledger/audit", post(admin::audit_ledger))
        .route("/admin/users", get(admin::list_users))
        .route("/admin/users/{user_id}/block", post(admin::block_user))
        .route("/admin/users/{user_id}/unblock", post(admin::unblock_user))
        .route("/admin/users/{user_id}/role", post(admin::change_role))
        .route(
            "/admin/packages/{package_id}/take-down",
            post(admin::take_down_package),
        )
        .route(
            "/admin/packages/{package_id}/restore",
            post(admin::restore_package),
        )
        .route("/admin/audit", get(admin::list_audit))
}
