//! What is bought, what it cost, what is handed out, and what follows.

use axum::Router;
use axum::routing::{get, post};

use crate::routes::{disputes, downloads, ledger, payments, payouts, purchases, quotes};
use crate::state::ApiState;

/// What may wait for an end.
pub fn waiting() -> Router<ApiState> {
    Router::new()
        .route(
            "/api/ai/purchase-package",
            post(purchases::purchase_package),
        )
        .route(
            "/api/ai/purchases/{purchase_id}",
            get(purchases::get_purchase).delete(purchases::cancel_purchase),
        )
        .route(
            "/api/ai/purchases/{purchase_id}/pay",
            post(purchases::pay_purchase),
        )
        .route("/api/ai/disputes/{dispute_id}", get(disputes::get_dispute))
        .route(
            "/api/ai/credits/top-ups",
            get(payments::list_top_ups).post(payments::create_top_up),
        )
        .route(
            "/api/ai/credits/top-ups/{top_up_id}",
            get(payments::get_top_up),
        )
}

/// What goes on for as long as something changes.
pub fn streaming() -> Router<ApiState> {
    Router::new().route(
        "/api/ai/purchases/{purchase_id}/events",
        get(purchases::stream_purchase),
    )
}

/// What is answered at once.
pub fn quick() -> Router<ApiState> {
    delivery().merge(after_sale()).merge(money())
}

/// The same, for writes that `replay` is to be around.
pub fn replayed() -> Router<ApiState> {
    Router::new()
        .route("/api/ai/quotes", post(quotes::create_quote))
        .route(
            "/api/ai/purchases/{purchase_id}/renew",
            post(purchases::renew_purchase),
        )
        .route(
            "/api/ai/purchases/{purchase_id}/refund",
            post(purchases::refund_purchase),
        )
        .route(
            "/api/ai/purchases/{purchase_id}/disputes",
            post(disputes::open_dispute),
        )
}

/// From the quote to the bytes.
fn delivery() -> Router<ApiState> {
    Router::new()
        .route("/api/ai/purchases", get(purchases::list_purchases))
        .route(
            "/api/ai/purchases/{purchase_id}/receipt",
            get(purchases::get_receipt),
        )
        .route("/api/ai/download-package", get(downloads::download_package))
        .route(
            "/api/packages/download/{package_type}/{package_id}",
            get(downloads::follow_download_link),
        )
}

/// What buyers and sellers do once a purchase is settled.
fn after_sale() -> Router<ApiState> {
    Router::new()
        .route(
            "/api/ai/payouts",
            get(payouts::list_payouts).post(payouts::request_payout),
        )
        .route("/api/ai/payouts/{payout_id}", get(payouts::get_payout))
}

/// What was paid and earned, and what the provider of payments says.
fn money() -> Router<ApiState> {
    Router::new()
        .route("/api/ai/credits", get(ledger::get_credits))
        .route("/api/ai/credits/statement", get(ledger::list_credits))
        .route("/api/ai/earnings", get(ledger::get_earnings))
        .route("/api/ai/earnings/statement", get(ledger::list_earnings))
        .route("/api/webhooks/stripe", post(payments::take_card_notice))
}
