//! Every route, in one list.

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post, put};
use common::limits::{
    EVENT_STREAM_SECONDS_MAX, REQUEST_SECONDS_MAX, SMALL_BODY_BYTES_MAX,
    UPLOAD_REQUEST_SECONDS_MAX, WAIT_SECONDS_MAX, WEBHOOK_BODY_REQUEST_BYTES_MAX,
};

use crate::error::{ApiError, Code};
use crate::middleware::{
    catch_panic, check_version, cors, deadline, identify, limit, linger, note_version, observe,
    require_admin, shed,
};
use crate::routes::{
    account, admin, auth, disputes, downloads, ledger, listings, packages, payments, payouts,
    purchases, quotes, system, uploads, webhooks,
};
use crate::state::ApiState;

/// The application.
pub fn router(state: ApiState) -> Router {
    let within = |seconds: u64| from_fn_with_state(Duration::from_secs(seconds), deadline);
    let origins = std::sync::Arc::clone(&state.cors_origins);
    let receiving = Router::new()
        .route("/api/ai/upload-package", post(uploads::upload_package))
        .route("/api/ai/batch-upload", post(uploads::batch_upload))
        .route("/api/ai/validate-package", post(uploads::validate_package))
        .layer(DefaultBodyLimit::disable())
        .layer(within(UPLOAD_REQUEST_SECONDS_MAX));
    let admin = operators()
        .layer(from_fn_with_state(state.clone(), require_admin))
        .layer(DefaultBodyLimit::max(SMALL_BODY_BYTES_MAX))
        .layer(within(REQUEST_SECONDS_MAX));
    let routes = Router::new()
        .merge(receiving)
        .merge(waiting())
        .merge(streaming())
        .merge(quick(&state))
        .merge(after_sale().merge(webhook_endpoints()).merge(webhook_log()))
        .method_not_allowed_fallback(no_method)
        .fallback(no_route)
        .layer(from_fn_with_state(state.clone(), limit))
        .merge(admin)
        .layer(from_fn_with_state(state.clone(), identify))
        .layer(from_fn(check_version))
        .layer(from_fn(linger))
        .layer(from_fn(catch_panic))
        .layer(from_fn_with_state(state.clone(), observe))
        .with_state(state);
    // What is around the whole router runs before a request is routed.
    Router::new()
        .fallback_service(routes)
        .layer(from_fn(note_version))
        .layer(cors(&origins))
}

/// What may wait for an end.
fn waiting() -> Router<ApiState> {
    let within = |seconds: u64| from_fn_with_state(Duration::from_secs(seconds), deadline);
    Router::new()
        .route(
            "/api/ai/package-status/{upload_id}",
            get(uploads::get_package_status),
        )
        .route("/api/ai/batches/{batch_id}", get(uploads::get_batch))
        .route(
            "/api/ai/purchase-package",
            post(purchases::purchase_package),
        )
        .route(
            "/api/ai/purchases/{purchase_id}",
            get(purchases::get_purchase),
        )
        .merge(top_ups())
        .layer(DefaultBodyLimit::max(SMALL_BODY_BYTES_MAX))
        .layer(within(WAIT_SECONDS_MAX + 10))
}

/// What goes on for as long as something changes.
fn streaming() -> Router<ApiState> {
    let within = |seconds: u64| from_fn_with_state(Duration::from_secs(seconds), deadline);
    Router::new()
        .route(
            "/api/ai/package-status/{upload_id}/events",
            get(uploads::stream_package_status),
        )
        .route(
            "/api/ai/purchases/{purchase_id}/events",
            get(purchases::stream_purchase),
        )
        .layer(within(EVENT_STREAM_SECONDS_MAX))
}

/// What is answered at once.
fn quick(state: &ApiState) -> Router<ApiState> {
    let within = |seconds: u64| from_fn_with_state(Duration::from_secs(seconds), deadline);
    Router::new()
        .route("/api/ai/uploads", post(uploads::open_upload))
        .route(
            "/api/ai/uploads/{upload_id}/commit",
            post(uploads::commit_upload),
        )
        .route("/api/ai/credits", get(ledger::get_credits))
        .route("/api/ai/credits/statement", get(ledger::list_credits))
        .route("/api/ai/earnings", get(ledger::get_earnings))
        .route("/api/ai/earnings/statement", get(ledger::list_earnings))
        .route("/api/ai/listings", get(listings::list_listings))
        .route(
            "/api/ai/listings/{package_id}",
            get(listings::get_listing).patch(listings::change_listing),
        )
        .merge(delivery())
        .route("/api/webhooks/stripe", post(payments::take_card_notice))
        .merge(documents())
        .merge(accounts())
        .merge(market())
        .route("/health", get(system::health))
        .layer(DefaultBodyLimit::max(SMALL_BODY_BYTES_MAX))
        .layer(within(REQUEST_SECONDS_MAX))
        .layer(from_fn_with_state(state.clone(), shed))
}

/// Credits bought by card.
fn top_ups() -> Router<ApiState> {
    Router::new()
        .route(
            "/api/ai/credits/top-ups",
            get(payments::list_top_ups).post(payments::create_top_up),
        )
        .route(
            "/api/ai/credits/top-ups/{top_up_id}",
            get(payments::get_top_up),
        )
}

/// What is for sale, and what buyers say of it.
fn market() -> Router<ApiState> {
    let one = "/api/ai/packages/{package_id}";
    Router::new()
        .route("/api/ai/search-packages", get(packages::search_packages))
        .route("/api/ai/packages", get(packages::list_packages))
        .route("/api/ai/packages/trending", get(packages::list_trending))
        .route(
            "/api/ai/packages/best-matrix",
            get(packages::find_best_matrix),
        )
        .route(
            one,
            get(packages::get_package).patch(packages::change_package),
        )
        .route(&format!("{one}/versions"), get(packages::list_versions))
        .route(
            &format!("{one}/reviews"),
            get(packages::list_reviews)
                .put(packages::review_package)
                .delete(packages::withdraw_review),
        )
        .route(
            &format!("{one}/star"),
            put(packages::star_package).delete(packages::unstar_package),
        )
        .route(
            "/api/ai/reviews/{review_id}/reply",
            put(packages::reply_to_review),
        )
        .route("/api/ai/sellers/{seller_id}", get(packages::get_seller))
        .route("/api/ai/categories", get(packages::list_categories))
        .route("/api/ai/compatibility", post(packages::check_compatibility))
        .route("/packages/{package_id}", get(packages::follow_package_page))
}

/// Who calls: people, agents, their sessions and keys.
fn accounts() -> Router<ApiState> {
    Router::new()
        .route("/api/auth/register", post(auth::register_person))
        .route("/api/auth/login", post(auth::sign_in))
        .route("/api/auth/refresh", post(auth::refresh_tokens))
        .route("/api/auth/logout", post(auth::sign_out))
        .route("/api/auth/password", post(auth::change_password))
        .route(
            "/api/auth/sessions",
            get(auth::list_sessions).delete(auth::revoke_other_sessions),
        )
        .route(
            "/api/auth/sessions/{session_id}",
            delete(auth::revoke_session),
        )
        .route("/api/auth/github", get(auth::leave_for_github))
        .route("/api/auth/github/callback", get(auth::return_from_github))
        .route("/api/ai/register", post(account::register_agent))
        .route("/api/ai/me", get(account::get_me).patch(account::change_me))
        .route("/api/ai/limits", get(account::get_limits))
        .route(
            "/api/ai/keys",
            get(account::list_own_keys).post(account::create_own_key),
        )
        .route("/api/ai/keys/{key_id}", delete(account::revoke_own_key))
        .route(
            "/api/ai/keys/{key_id}/rotate",
            post(account::rotate_own_key),
        )
}

/// What operators see and steer.
fn operators() -> Router<ApiState> {
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
        .route("/admin/keys", get(admin::list_keys).post(admin::create_key))
        .route("/admin/keys/{key_id}", delete(admin::revoke_key))
        .route("/admin/credits", post(admin::adjust_credits))
        .route("/admin/ledger/audit", post(admin::audit_ledger))
        .merge(operators_after_sale())
        .route("/admin/users", get(admin::list_users))
        .route("/admin/users/{user_id}/block", post(admin::block_user))
        .route("/admin/users/{user_id}/unblock", post(admin::unblock_user))
        .route("/admin/users/{user_id}/role", post(admin::change_role))
        .route("/admin/audit", get(admin::list_audit))
}

/// What buyers and sellers do once a purchase is settled.
fn after_sale() -> Router<ApiState> {
    let within = |seconds: u64| from_fn_with_state(Duration::from_secs(seconds), deadline);
    let waiting = Router::new()
        .route("/api/ai/disputes/{dispute_id}", get(disputes::get_dispute))
        .layer(within(WAIT_SECONDS_MAX + 10));
    let quick = Router::new()
        .route(
            "/api/ai/purchases/{purchase_id}/refund",
            post(purchases::refund_purchase),
        )
        .route(
            "/api/ai/purchases/{purchase_id}/disputes",
            post(disputes::open_dispute),
        )
        .route(
            "/api/ai/payouts",
            get(payouts::list_payouts).post(payouts::request_payout),
        )
        .route("/api/ai/payouts/{payout_id}", get(payouts::get_payout))
        .layer(within(REQUEST_SECONDS_MAX));
    waiting
        .merge(quick)
        .layer(DefaultBodyLimit::max(SMALL_BODY_BYTES_MAX))
}

/// Who is told of what happens.
fn webhook_endpoints() -> Router<ApiState> {
    let one = "/api/ai/webhooks/endpoints/{endpoint_id}";
    Router::new()
        .route(
            "/api/ai/webhooks/endpoints",
            get(webhooks::list_endpoints).post(webhooks::create_endpoint),
        )
        .route(
            one,
            get(webhooks::get_endpoint)
                .patch(webhooks::change_endpoint)
                .delete(webhooks::delete_endpoint),
        )
        .route(
            &format!("{one}/rotate-secret"),
            post(webhooks::rotate_secret),
        )
        .route(&format!("{one}/enable"), post(webhooks::enable_endpoint))
        .route(&format!("{one}/disable"), post(webhooks::disable_endpoint))
        .route(&format!("{one}/stats"), get(webhooks::get_stats))
        .route(&format!("{one}/recover"), post(webhooks::start_recovery))
        .route(
            "/api/ai/webhooks/event-types",
            get(webhooks::list_event_types),
        )
        .layer(DefaultBodyLimit::max(WEBHOOK_BODY_REQUEST_BYTES_MAX))
        .layer(from_fn_with_state(
            Duration::from_secs(REQUEST_SECONDS_MAX),
            deadline,
        ))
}

/// What was told, and what its owner does about it.
fn webhook_log() -> Router<ApiState> {
    let within = |seconds: u64| from_fn_with_state(Duration::from_secs(seconds), deadline);
    let waiting = Router::new()
        .route(
            "/api/ai/webhooks/endpoints/{endpoint_id}/test",
            post(webhooks::test_endpoint),
        )
        .route(
            "/api/ai/webhooks/deliveries/{delivery_id}",
            get(webhooks::get_delivery),
        )
        .route(
            "/api/ai/webhooks/deliveries/{delivery_id}/resend",
            post(webhooks::resend_delivery),
        )
        .route(
            "/api/ai/webhooks/recoveries/{recovery_id}",
            get(webhooks::get_recovery),
        )
        .layer(within(WAIT_SECONDS_MAX + 10));
    let quick = Router::new()
        .route(
            "/api/ai/webhooks/deliveries",
            get(webhooks::list_deliveries),
        )
        .route(
            "/api/ai/webhooks/recoveries/{recovery_id}/cancel",
            post(webhooks::cancel_recovery),
        )
        .route("/api/ai/webhooks/events", get(webhooks::list_events))
        .route(
            "/api/ai/webhooks/events/{event_id}",
            get(webhooks::get_event),
        )
        .route(
            "/api/ai/webhooks/events/{event_id}/payload",
            delete(webhooks::expunge_event),
        )
        .route("/api/ai/webhooks/payloads", delete(webhooks::expunge_all))
        .layer(within(REQUEST_SECONDS_MAX));
    waiting
        .merge(quick)
        .layer(DefaultBodyLimit::max(SMALL_BODY_BYTES_MAX))
}

/// What operators decide about settled purchases and payouts.
fn operators_after_sale() -> Router<ApiState> {
    Router::new()
        .route(
            "/admin/purchases/{purchase_id}/refund",
            post(admin::refund_purchase),
        )
        .route("/admin/disputes", get(admin::list_disputes))
        .route("/admin/disputes/{dispute_id}", get(admin::get_dispute))
        .route(
            "/admin/disputes/{dispute_id}/decide",
            post(admin::decide_dispute),
        )
        .route("/admin/payouts", get(admin::list_payouts))
        .route("/admin/payouts/{payout_id}/paid", post(admin::pay_payout))
        .route(
            "/admin/payouts/{payout_id}/returned",
            post(admin::return_payout),
        )
}

/// From the quote to the bytes.
fn delivery() -> Router<ApiState> {
    Router::new()
        .route("/api/ai/quotes", post(quotes::create_quote))
        .route("/api/ai/purchases", get(purchases::list_purchases))
        .route(
            "/api/ai/purchases/{purchase_id}/receipt",
            get(purchases::get_receipt),
        )
        .route(
            "/api/ai/purchases/{purchase_id}/renew",
            post(purchases::renew_purchase),
        )
        .route("/api/ai/download-package", get(downloads::download_package))
        .route(
            "/api/packages/download/{package_type}/{package_id}",
            get(downloads::follow_download_link),
        )
}

/// What machines read of the service.
fn documents() -> Router<ApiState> {
    Router::new()
        .route("/.well-known/jwks.json", get(system::get_jwks))
        .route("/api/ai/openapi.json", get(system::get_openapi))
        .route("/api/ai/openapi-3.1.json", get(system::get_openapi_3_1))
        .route("/api/ai/tools.json", get(system::get_tools))
        .route("/api/ai/docs", get(system::show_docs))
        .route("/api/ai/docs/", get(system::show_docs))
        .route("/api/ai/docs/{file}", get(system::show_docs_file))
        .route("/llms.txt", get(system::get_llms_txt))
        .route("/docs/{page}", get(system::show_page))
        .route("/errors/{code}", get(system::show_error_page))
}

async fn no_route() -> ApiError {
    ApiError::new(Code::NotFound, "There is nothing at this path.")
}

async fn no_method() -> ApiError {
    ApiError::new(
        Code::MethodNotAllowed,
        "This path does not take this method.",
    )
}
