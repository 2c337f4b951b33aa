//! `POST /api/ai/purchase-package`: a job that the request waits for.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use common::idempotency::IdempotencyKey;
use common::identity::Principal;
use common::ids::PackagePublicId;
use common::limits::PURCHASE_WAIT_SECONDS;
use common::money::Price;
use common::purchases::{self, PaymentMethod, PurchaseError, commands};
use common::quotes;
use common::signatures::Verifier;
use package::PackageType;
use schemars::JsonSchema;
use serde::Deserialize;

use super::reserved::Waiting;
use super::view::{self, Followable, PurchaseOutcome};
use crate::contract::Tried;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, DryRun, IdempotencyHeader, Json, NumberText, PreferWait};
use crate::follow::{Follower, PREFERENCE_APPLIED, applied};
use crate::middleware::RequestId;
use crate::places;
use crate::routes::check_webhook_url;
use crate::routes::payments::check_method_id;
use crate::state::ApiState;

/// What a buyer asks for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PurchaseRequest {
    #[schemars(with = "PackageType")]
    package_type: String,
    #[schemars(with = "PackagePublicId")]
    package_id: String,
    payment_method: PaymentMethod,
    /// The card by the card provider's id, such as `pm_card_visa`; only with `stripe`.
    #[serde(default)]
    payment_method_id: Option<String>,
    /// Buys at this price only.
    #[serde(default)]
    expected_price: Option<NumberText>,
    /// The id of a quote, or the signed quote itself.
    #[serde(default)]
    quote_id: Option<String>,
    /// Where to send the events of this purchase.
    #[serde(default)]
    #[schemars(url)]
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
    Json(new): Json<PurchaseRequest>,
) -> Result<Tried<PurchaseOutcome>, ApiError> {
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
    if dry_run.0 {
        return Ok(Tried::DRY_RUN);
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
    .wait(left, Followable::has_answer)
    .await?;
    answer(&shown, wait)
}

/// One try, in a task of its own: a client that hangs up now does not undo it halfway.
async fn create(
    state: &ApiState,
    dry_run: DryRun,
    request: &Arc<purchases::PurchaseRequest>,
    key: Option<IdempotencyKey>,
) -> Result<Result<commands::Created, PurchaseError>, ApiError> {
    let (outbox, fee) = (dry_run.outbox(state), state.fee_basis_points);
    let request = Arc::clone(request);
    // A refusal is no fault here: whoever waits for supply tries again.
    let creating = async move {
        let created = commands::create(&outbox, &request, fee, key.as_ref()).await;
        Ok::<_, ApiError>(created)
    };
    places::complete("record a purchase", creating).await
}

/// Where a purchase stands after a request to make or to pay it.
pub(super) fn answer(
    followed: &Followable,
    wait: Option<Duration>,
) -> Result<Tried<PurchaseOutcome>, ApiError> {
    let answer = followed.outcome()?;
    Ok(Tried::Done(match wait {
        Some(wait) => answer.header(PREFERENCE_APPLIED, applied(wait)),
        None => answer,
    }))
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
    new: PurchaseRequest,
) -> Result<purchases::PurchaseRequest, ApiError> {
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
    Ok(purchases::PurchaseRequest {
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
