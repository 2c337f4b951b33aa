//! `POST /api/ai/purchase-package`: a job that the request waits for.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use common::idempotency::IdempotencyKey;
use common::identity::Principal;
use common::ids::PackagePublicId;
use common::limits::PURCHASE_WAIT_SECONDS;
use common::money::Price;
use common::purchases::{self, PaymentMethod, PurchaseError, PurchaseRequest, commands};
use common::quotes;
use common::signatures::Verifier;
use serde::Deserialize;

use super::reserved::Waiting;
use super::view;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, DryRun, IdempotencyHeader, Json, NumberText, PreferWait};
use crate::follow::{Follower, applied};
use crate::middleware::RequestId;
use crate::places;
use crate::routes::payments::check_method_id;
use crate::routes::{check_webhook_url, success};
use crate::state::ApiState;

/// The seed's fields first, then ours.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPurchase {
    package_type: String,
    package_id: String,
    payment_method: PaymentMethod,
    /// The card as its provider calls it, such as `pm_card_visa`; for `stripe` alone.
    #[serde(default)]
    payment_method_id: Option<String>,
    #[serde(default)]
    expected_price: Option<NumberText>,
    /// The id of a quote, or the signed quote itself.
    #[serde(default)]
    quote_id: Option<String>,
    #[serde(default)]
    webhook_url: Option<String>,
}

/// Buys a package. Answers 200 once it is settled, or 202 if the buyer must act at the card provider
/// or it takes longer than the client waits; the purchase goes on in any case. With `Prefer: wait` it also
/// waits for supply that is reserved for somebody else, and tries again.
pub async fn purchase_package(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    dry_run: DryRun,
    idempotency: IdempotencyHeader,
    PreferWait(wait): PreferWait,
    Extension(request_id): Extension<RequestId>,
    Json(new): Json<NewPurchase>,
) -> Result<Response, ApiError> {
    let key = idempotency.scoped(&principal, "purchase-package");
    let request = Arc::new(read(&state, &principal, request_id, new).await?);
    let mut waiting = Waiting::new(&state, &request.package, wait.unwrap_or_default());
    let created = loop {
        match create(&state, dry_run, &request, key.clone()).await? {
            Err(PurchaseError::Reserved { until })
                if !dry_run.0 && waiting.is_worth_another_try(until).await? => {}
            created => break created?,
        }
    };
    if let Some(answer) = dry_run.went_well() {
        return Ok(answer);
    }
    let find = view::finder(&state, Some(created.id), principal.user);
    let left = wait.map_or(Duration::from_secs(PURCHASE_WAIT_SECONDS), |_| {
        waiting.left()
    });
    let shown = Follower::new(
        &state,
        Some(&principal),
        purchases::CHANGED,
        created.id.to_string(),
        find,
    )
    .wait(left, view::Shown::has_answer)
    .await?;
    answer(&shown, wait)
}

/// One try, in a task of its own: a client that hangs up now does not undo it halfway.
async fn create(
    state: &ApiState,
    dry_run: DryRun,
    request: &Arc<PurchaseRequest>,
    key: Option<IdempotencyKey>,
) -> Result<Result<commands::Created, PurchaseError>, ApiError> {
    let (outbox, fee) = (dry_run.outbox(state), state.fee_basis_points);
    let request = Arc::clone(request);
    let creating =
        places::spawn(async move { commands::create(&outbox, &request, fee, key.as_ref()).await });
    creating.await.map_err(|error| {
        tracing::error!(%error, "Recording a purchase broke off");
        ApiError::new(Code::InternalError, "An internal error occurred.")
    })
}

/// Where a purchase stands after a request to make or to pay it.
pub(super) fn answer(shown: &view::Shown, wait: Option<Duration>) -> Result<Response, ApiError> {
    let (status, body) = shown.outcome()?;
    let mut response = success(status, body);
    let headers = response.headers_mut();
    if status == StatusCode::ACCEPTED {
        let location = view::status_url(shown.purchase.id);
        headers.insert(
            header::LOCATION,
            HeaderValue::from_str(&location).expect("plain text"),
        );
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if let Some(wait) = wait {
        headers.insert("preference-applied", applied(wait));
    }
    Ok(response)
}

/// A card is named for payment by card alone.
pub(super) fn check_card_of(
    payment_method: PaymentMethod,
    payment_method_id: Option<&str>,
) -> Result<(), ApiError> {
    check_method_id(payment_method_id)?;
    if payment_method_id.is_some() && payment_method != PaymentMethod::Stripe {
        let message = "paymentMethodId is for paymentMethod stripe alone.";
        return Err(ApiError::new(Code::InvalidInput, message)
            .field("paymentMethodId", "must be absent with credits"));
    }
    Ok(())
}

async fn read(
    state: &ApiState,
    principal: &Principal,
    request_id: RequestId,
    new: NewPurchase,
) -> Result<PurchaseRequest, ApiError> {
    let package = PackagePublicId::parse(&new.package_id).ok_or(PurchaseError::PackageNotFound)?;
    let expected_price_minor = expected_minor(new.expected_price)?;
    check_card_of(new.payment_method, new.payment_method_id.as_deref())?;
    check_webhook_url(state, new.webhook_url.as_deref())?;
    let quote = match &new.quote_id {
        Some(shown) => {
            let verifier = Verifier::from(&state.signer);
            Some(quotes::open(state.pool(), &verifier, principal.user, shown).await?)
        }
        None => None,
    };
    Ok(PurchaseRequest {
        buyer: principal.user,
        api_key: principal.key,
        package_type: new.package_type,
        package,
        payment_method: new.payment_method,
        payment_method_id: new.payment_method_id,
        are_cards_on: state.cards.is_some(),
        expected_price_minor,
        quote,
        webhook_url: new.webhook_url,
        request_id: request_id.0,
    })
}

/// The price that a client expects, in minor units.
pub fn expected_minor(number: Option<NumberText>) -> Result<Option<i64>, ApiError> {
    let price = number.map(|number| Price::parse(number.as_str()));
    let price = price.transpose().map_err(|error| {
        let error = error.to_string();
        ApiError::new(Code::InvalidInput, format!("expectedPrice {error}."))
            .field("expectedPrice", error)
    })?;
    Ok(price.map(Price::minor))
}
