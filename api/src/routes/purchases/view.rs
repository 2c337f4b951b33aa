//! A purchase on the wire.

use axum::http::StatusCode;
use common::catalog::LicenseMode;
use common::ids::{PackagePublicId, PurchaseId, UserId};
use common::payments::{self, Payment};
use common::purchases::{self, PaymentMethod, PurchaseError, PurchaseState, PurchaseView};
use common::wire::{Currency, Sha256Hex, Timestamp};
use futures::future::BoxFuture;
use package::PackageType;
use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::{Answer, Price, PurchaseReference};
use crate::error::{ApiError, Code};
use crate::follow::Status;
use crate::routes::payments::{PurchasePayment, delayed};
use crate::state::ApiState;

/// How soon a client that polls should look again, in milliseconds.
const NEXT_POLL_MS: u64 = 500;

/// A purchase, to be followed by its buyer.
#[derive(Debug)]
pub struct Followable {
    pub purchase: PurchaseView,
    /// Its payment, if a card pays.
    payment: Option<Payment>,
    base_url: String,
}

/// A purchase as its buyer sees it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Purchase {
    #[serde(flatten)]
    purchase: BoughtPackage,
    /// The payment by card, if a card pays.
    payment: Option<PurchasePayment>,
}

/// What buyer and seller see of a purchase.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Order {
    #[serde(flatten)]
    purchase: PurchaseReference,
    status: PurchaseState,
    package_id: PackagePublicId,
    #[schemars(with = "PackageType")]
    package_type: String,
    /// The package's name.
    package_name: String,
    #[schemars(with = "LicenseMode")]
    license_mode: String,
    #[serde(flatten)]
    price: Price,
    currency: Currency,
}

/// A purchase in its buyer's list. Its payment is shown at its own address alone.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BoughtPackage {
    #[serde(flatten)]
    order: Order,
    payment_method: PaymentMethod,
    /// Until when it can be paid, while it is not.
    payment_due_at: Option<Timestamp>,
    /// Until when supply is reserved for it, while its payment is under way.
    reserved_until: Option<Timestamp>,
    /// The link to the package, once it is settled.
    #[schemars(url)]
    download_url: Option<String>,
    /// Until when the link works.
    expires_at: Option<Timestamp>,
    /// Why it failed, for people.
    error: Option<String>,
    /// Why it failed, for machines. `/docs/codes` lists the codes; they are only ever added.
    #[schemars(example = &"CARD_DECLINED")]
    error_code: Option<String>,
    /// Where the purchase is followed.
    status_url: String,
    /// When to look again, in milliseconds; null once it has ended.
    next_poll_ms: Option<u64>,
    /// The SHA-256 of the package that is sold.
    package_sha256: Sha256Hex,
    /// The SHA-256 of the alignment matrix that is sold.
    w_matrix_sha256: Sha256Hex,
    timestamps: PurchaseTimes,
}

/// When a purchase changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PurchaseTimes {
    /// When it was requested.
    created: Timestamp,
    /// When it was settled.
    settled: Option<Timestamp>,
    /// When it ended.
    finished: Option<Timestamp>,
}

/// A purchase right after it was requested or paid.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PurchaseOutcome {
    #[serde(flatten)]
    purchase: Purchase,
    /// Where it stands, for people.
    message: &'static str,
}

/// A purchase as its seller sees it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sale {
    #[serde(flatten)]
    order: Order,
    /// Who bought it.
    buyer_id: UserId,
    /// The marketplace's share, in minor units.
    fee_minor: i64,
    /// The seller's share, in minor units.
    net_minor: i64,
    timestamps: SaleTimes,
}

/// When a sale changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SaleTimes {
    /// When it was settled.
    settled: Option<Timestamp>,
    /// When it ended.
    finished: Option<Timestamp>,
}

/// Finds the purchase again and again; only its buyer sees it.
pub fn finder(
    state: &ApiState,
    id: Option<PurchaseId>,
    buyer: UserId,
) -> impl Fn() -> BoxFuture<'static, Result<Followable, ApiError>> + Send + 'static {
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
            Ok(Followable {
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

impl Status for Followable {
    type Body = Purchase;

    fn version(&self) -> i64 {
        self.purchase.version
    }

    fn is_final(&self) -> bool {
        self.purchase.state.is_final()
    }

    fn body(&self) -> Purchase {
        Purchase {
            purchase: bought(&self.base_url, &self.purchase),
            payment: self.payment.as_ref().map(PurchasePayment::from),
        }
    }
}

impl Followable {
    /// Whether it has ended, or nothing goes on without the buyer.
    pub fn has_answer(&self) -> bool {
        let payment = self.payment.as_ref();
        let waits =
            |payment: &Payment| payment.state.waits_for_payer() || payment.delayed_at.is_some();
        self.is_final() || payment.is_some_and(waits)
    }

    /// The answer to the request that made it: the seed's body once it is settled.
    pub fn outcome(&self) -> Result<Answer<PurchaseOutcome>, ApiError> {
        let purchase = &self.purchase;
        let delay = self.payment.as_ref().and_then(delayed);
        if let Some(delay) = delay.filter(|_| purchase.state.is_unpaid()) {
            return Err(delay.field("purchaseId", purchase.id.to_string()));
        }
        let (status, message) = match purchase.state {
            PurchaseState::Settled | PurchaseState::Disputed | PurchaseState::Refunded => (
                StatusCode::OK,
                "Package purchased successfully. Download link is valid for 7 days.",
            ),
            PurchaseState::Failed => return Err(self.failure()),
            PurchaseState::AwaitingPayment => (
                StatusCode::ACCEPTED,
                "The purchase waits for its payment. Follow statusUrl; pay it otherwise, or cancel it with DELETE.",
            ),
            PurchaseState::PaymentUnknown => (
                StatusCode::ACCEPTED,
                "The card provider has not answered. Do not pay again: this purchase will be resolved. Follow statusUrl.",
            ),
            PurchaseState::Pending => (
                StatusCode::ACCEPTED,
                "The purchase is being settled. Follow statusUrl.",
            ),
        };
        let purchase = self.body();
        let answer = Answer::with(status, PurchaseOutcome { purchase, message });
        Ok(match status {
            StatusCode::ACCEPTED => answer.followed_at(&status_url(self.purchase.id)),
            _ => answer,
        })
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

impl From<&PurchaseView> for Order {
    fn from(purchase: &PurchaseView) -> Self {
        Self {
            purchase: purchase.id.into(),
            status: purchase.state,
            package_id: purchase.package_public_id.clone(),
            package_type: purchase.package_type.clone(),
            package_name: purchase.package_name.clone(),
            license_mode: purchase.license_mode.clone(),
            price: Price::new(purchase.price_minor),
            currency: Currency(purchase.currency.clone()),
        }
    }
}

/// A purchase without its payment.
pub fn bought(base_url: &str, purchase: &PurchaseView) -> BoughtPackage {
    let is_granted = purchase.state.is_granted();
    let download_url = || {
        purchases::download_url(
            base_url,
            &purchase.package_type,
            &purchase.package_public_id,
        )
    };
    BoughtPackage {
        order: purchase.into(),
        payment_method: purchase.payment_method,
        payment_due_at: purchase
            .state
            .is_unpaid()
            .then(|| purchase.expires_at.into()),
        reserved_until: purchase.reserved_until.map(Timestamp),
        download_url: is_granted.then(download_url),
        expires_at: purchase
            .grant_expires_at
            .filter(|_| is_granted)
            .map(Timestamp),
        error: purchase.reason.clone(),
        error_code: purchase.reason_code.clone(),
        status_url: status_url(purchase.id),
        next_poll_ms: (!purchase.state.is_final()).then_some(NEXT_POLL_MS),
        package_sha256: Sha256Hex(purchase.package_sha256.clone()),
        w_matrix_sha256: Sha256Hex(purchase.w_matrix_sha256.clone()),
        timestamps: PurchaseTimes {
            created: purchase.created_at.into(),
            settled: purchase.settled_at.map(Timestamp),
            finished: purchase.finished_at.map(Timestamp),
        },
    }
}

/// A purchase in its seller's list of sales: what it brought, and nothing to download.
pub fn sold(purchase: &PurchaseView) -> Sale {
    Sale {
        order: purchase.into(),
        buyer_id: purchase.buyer_id,
        fee_minor: purchase.fee_minor,
        net_minor: purchase.net_minor,
        timestamps: SaleTimes {
            settled: purchase.settled_at.map(Timestamp),
            finished: purchase.finished_at.map(Timestamp),
        },
    }
}
