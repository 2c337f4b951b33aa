//! `/api/ai/packages/{packageId}/reviews` and `…/star`: what buyers say, what sellers answer.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::catalog::commands;
use common::catalog::{self, CatalogError, Details};
use common::ids::{PackagePublicId, ReviewId};
use common::limits::REVIEW_CHARS_MAX;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{show, view};
use crate::error::{ApiError, Code};
use crate::extract::{Caller, IdempotencyHeader, Json, MaybeCaller, Path, Query};
use crate::routes::page::{self, Pages};
use crate::routes::{free_text, success};
use crate::state::ApiState;

/// Which page.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PageQuery {
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Lists the reviews of a package, newest first.
pub async fn list_reviews(
    State(state): State<ApiState>,
    MaybeCaller(caller): MaybeCaller,
    Path(package_id): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Response, ApiError> {
    let limit = Pages::SHORT.limit(query.limit)?;
    let before = page::cursor(query.cursor.as_deref(), page::row::<ReviewId>)?;
    let package = find(&state, &package_id).await?.card;
    let viewer = caller.map(|caller| caller.user);
    let package_id = package.package_id;
    let reviews = catalog::list_reviews(state.pool(), package_id, viewer, before, limit).await?;
    let next = page::next(&reviews, limit, |review| review.id);
    let shown: Vec<Value> = reviews.iter().map(view::review).collect();
    let body = json!({
        "rating": package.rating(),
        "count": package.rating_count,
        "reviews": shown,
        "nextCursor": next,
    });
    Ok(success(StatusCode::OK, body))
}

/// What a buyer says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewReview {
    rating: i16,
    #[serde(default)]
    text: Option<String>,
}

/// Writes the caller's review of a package that it bought, or changes it: there is one.
pub async fn review_package(
    State(state): State<ApiState>,
    Caller(buyer): Caller,
    idempotency: IdempotencyHeader,
    Path(package_id): Path<String>,
    Json(new): Json<NewReview>,
) -> Result<Response, ApiError> {
    if !(1..=5).contains(&new.rating) {
        let fault = "must be a whole number from 1 to 5";
        return Err(
            ApiError::new(Code::InvalidInput, format!("rating {fault}.")).field("rating", fault),
        );
    }
    let text = free_text::optional("text", new.text.as_deref(), REVIEW_CHARS_MAX)?;
    let package = find(&state, &package_id).await?.card.package_id;
    let key = idempotency.scoped(&buyer, "reviews");
    let (outbox, text) = (&state.outbox, text.as_deref());
    commands::review(outbox, buyer.user, package, new.rating, text, key.as_ref()).await?;
    let body = json!({ "packageId": package_id, "rating": new.rating, "text": text });
    Ok(success(StatusCode::OK, body))
}

/// Takes the caller's review back.
pub async fn withdraw_review(
    State(state): State<ApiState>,
    Caller(buyer): Caller,
    Path(package_id): Path<String>,
) -> Result<Response, ApiError> {
    let package = find(&state, &package_id).await?.card.package_id;
    commands::withdraw_review(&state.outbox, buyer.user, package).await?;
    let body = json!({ "packageId": package_id, "withdrawn": true });
    Ok(success(StatusCode::OK, body))
}

/// What a seller answers; `null` takes it back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewReply {
    text: Option<String>,
}

/// Answers a review of the caller's package.
pub async fn reply_to_review(
    State(state): State<ApiState>,
    Caller(seller): Caller,
    Path(review): Path<ReviewId>,
    Json(new): Json<NewReply>,
) -> Result<Response, ApiError> {
    let text = free_text::optional("text", new.text.as_deref(), REVIEW_CHARS_MAX)?;
    let (outbox, text) = (&state.outbox, text.as_deref());
    commands::reply_to_review(outbox, seller.user, review, text).await?;
    let body = json!({ "reviewId": review, "reply": text });
    Ok(success(StatusCode::OK, body))
}

/// Marks a package to come back to it.
pub async fn star_package(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Path(package_id): Path<String>,
) -> Result<Response, ApiError> {
    star(&state, &caller, &package_id, true).await
}

/// Takes the mark away.
pub async fn unstar_package(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Path(package_id): Path<String>,
) -> Result<Response, ApiError> {
    star(&state, &caller, &package_id, false).await
}

async fn star(
    state: &ApiState,
    caller: &common::identity::Principal,
    package_id: &str,
    is_starred: bool,
) -> Result<Response, ApiError> {
    let package = find(state, package_id).await?.card.package_id;
    commands::set_star(&state.outbox, caller.user, package, is_starred).await?;
    let body = json!({ "packageId": package_id, "starred": is_starred });
    Ok(success(StatusCode::OK, body))
}

/// A package that everybody may see.
async fn find(state: &ApiState, package_id: &str) -> Result<Details, ApiError> {
    let id = PackagePublicId::parse(package_id).ok_or(CatalogError::Unknown("package"))?;
    show::find(state, &id, None).await
}
