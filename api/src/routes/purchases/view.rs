//! A purchase on the wire.

use chrono::{DateTime, SecondsFormat, Utc};
use common::ids::{PurchaseId, UserId};
use common::money::decimal_number;
use common::payments::{self, Payment};
use common::purchases::{self, PaymentMethod, PurchaseError, PurchaseState, PurchaseView};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::error::{ApiError, Code};
use crate::follow::Status;
use crate::routes::payments::{delayed, payment_of_purchase};
use crate::state::ApiState;

/// How soon a client that polls should look again, in milliseconds.
const NEXT_POLL_MS: u64 = 500;

/// A purchase with what its answer needs beside it.
#[derive(Debug)]
pub struct Shown {
    pub purchase: PurchaseView,
    /// Its payment, if a card pays.
    payment: Option<Payment>,
    base_url: String,
}

/// Finds the purchase again and again; only its buyer sees it.
pub fn finder(
    state: &ApiState,
    id: Option<PurchaseId>,
    buyer: UserId,
) -> impl Fn() -> BoxFuture<'static, Result<Shown, ApiError>> + Send + 'static {
    let state = state.clone();
    move || {
        let state = state.clone();
        Box::pin(async move {
            let id = id.ok_or(PurchaseError::NotFound)?;
            let find = async || {
                let purchase = purchases::find_view(state.pool(), id, buyer).await?;
                Ok::<_, ApiError>(purchase.ok_or(PurchaseError::NotFound)?)
            };
            let mut purchase = find().await?;
            let mut payment = None;
            while purchase.payment_method == PaymentMethod::Stripe {
                payment = payments::find_of_purchase(state.pool(), id).await?;
                // They move together, so both are of one moment once the purchase has not moved.
                let before = std::mem::replace(&mut purchase, find().await?);
                if before.version == purchase.version {
                    break;
                }
            }
            Ok(Shown {
                purchase,
                payment,
                base_url: state.public_base_url.to_string(),
            })
        })
    }
}

/// Where a purchase is followed.
pub fn status_url(id: PurchaseId) -> String {
    format!("/api/ai/purchases/{id}")
}

impl Status for Shown {
    fn version(&self) -> i64 {
        self.purchase.version
    }

    fn is_final(&self) -> bool {
        self.purchase.state.is_final()
    }

    fn body(&self) -> Value {
        let purchase = &self.purchase;
        let is_granted = purchase.state.is_granted();
        json!({
            "purchaseId": purchase.id,
            "status": purchase.state,
            "packageId": purchase.package_public_id,
            "packageType": purchase.package_type,
            "packageName": purchase.package_name,
            "licenseMode": purchase.license_mode,
            "price": decimal_number(purchase.price_minor),
            "priceMinor": purchase.price_minor,
            "currency": purchase.currency,
            "paymentMethod": purchase.payment_method,
            "payment": self.payment.as_ref().map(payment_of_purchase),
            "paymentDueAt": purchase.state.is_unpaid().then(|| time(purchase.expires_at)),
            "reservedUntil": purchase.reserved_until.map(time),
            "downloadUrl": is_granted.then(|| self.download_url()),
            "expiresAt": purchase.grant_expires_at.filter(|_| is_granted).map(time),
            "error": purchase.reason,
            "errorCode": purchase.reason_code,
            "statusUrl": status_url(purchase.id),
            "nextPollMs": (!purchase.state.is_final()).then_some(NEXT_POLL_MS),
            "packageSha256": hex::encode(&purchase.package_sha256),
            "wMatrixSha256": hex::encode(&purchase.w_matrix_sha256),
            "timestamps": {
                "created": time(purchase.created_at),
                "settled": purchase.settled_at.map(time),
                "finished": purchase.finished_at.map(time),
            },
        })
    }
}

impl Shown {
    fn download_url(&self) -> String {
        purchases::download_url(
            &self.base_url,
            &self.purchase.package_type,
            &self.purchase.package_public_id,
        )
    }

    /// Whether it has ended, or nothing goes on without the buyer.
    pub fn has_answer(&self) -> bool {
        let payment = self.payment.as_ref();
        let waits =
            |payment: &Payment| payment.state.waits_for_payer() || payment.delayed_at.is_some();
        self.is_final() || payment.is_some_and(waits)
    }

    /// The answer to the request that made it: the seed's body once it is settled.
    pub fn outcome(&self) -> Result<(axum::http::StatusCode, Value), ApiError> {
        let purchase = &self.purchase;
        let delay = self.payment.as_ref().and_then(delayed);
        if let Some(delay) = delay.filter(|_| purchase.state.is_unpaid()) {
            return Err(delay.field("purchaseId", purchase.id.to_string()));
        }
        let mut body = self.body();
        let (status, message) = match purchase.state {
            PurchaseState::Settled | PurchaseState::Disputed | PurchaseState::Refunded => (
                axum::http::StatusCode::OK,
                "Package purchased successfully. Download link is valid for 7 days.",
            ),
            PurchaseState::Failed => return Err(self.failure()),
            PurchaseState::AwaitingPayment => (
                axum::http::StatusCode::ACCEPTED,
                "The purchase waits for its payment. Follow statusUrl; pay it otherwise, or cancel it with DELETE.",
            ),
            PurchaseState::PaymentUnknown => (
                axum::http::StatusCode::ACCEPTED,
                "The card provider has not answered. Do not pay again: this purchase will be resolved. Follow statusUrl.",
            ),
            PurchaseState::Pending => (
                axum::http::StatusCode::ACCEPTED,
                "The purchase is being settled. Follow statusUrl.",
            ),
        };
        body["message"] = json!(message);
        Ok((status, body))
    }

    /// A purchase that came to nothing, as an error.
    fn failure(&self) -> ApiError {
        let purchase = &self.purchase;
        let reason_code = purchase.reason_code.as_deref().unwrap_or_default();
        let code = if reason_code.starts_with("CARD_") || reason_code.starts_with("PAYMENT_") {
            Code::PaymentRequired
        } else {
            Code::Conflict
        };
        let failure = ApiError::new(code, purchase.reason.clone().unwrap_or_default())
            .field("purchaseId", purchase.id.to_string())
            .field("reason", reason_code);
        let payment = self.payment.as_ref();
        match payment.and_then(|payment| payment.decline_code.as_ref()) {
            Some(code) => failure.field("declineCode", code),
            None => failure,
        }
    }
}

/// A purchase in its buyer's list. Its payment is shown at its own address alone.
pub fn bought(state: &ApiState, purchase: PurchaseView) -> Value {
    let shown = Shown {
        purchase,
        payment: None,
        base_url: state.public_base_url.to_string(),
    };
    let mut body = shown.body();
    if let Some(body) = body.as_object_mut() {
        body.remove("payment");
    }
    body
}

/// A purchase in its seller's list of sales: what it brought, and nothing to download.
pub fn sold(purchase: &PurchaseView) -> Value {
    json!({
        "purchaseId": purchase.id,
        "status": purchase.state,
        "packageId": purchase.package_public_id,
        "packageType": purchase.package_type,
        "packageName": purchase.package_name,
        "licenseMode": purchase.license_mode,
        "buyerId": purchase.buyer_id,
        "price": decimal_number(purchase.price_minor),
        "priceMinor": purchase.price_minor,
        "feeMinor": purchase.fee_minor,
        "netMinor": purchase.net_minor,
        "currency": purchase.currency,
        "timestamps": {
            "settled": purchase.settled_at.map(time),
            "finished": purchase.finished_at.map(time),
        },
    })
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
