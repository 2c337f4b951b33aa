//! `/api/ai/packages/{packageId}/reviews` and `…/star`: what buyers say, what sellers answer.

use axum::extract::State;
use common::catalog::commands;
use common::catalog::{self, CatalogError, Details};
use common::ids::{PackagePublicId, ReviewId};
use common::limits::REVIEW_CHARS_MAX;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::show;
use super::view::Review;
use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, IdempotencyHeader, Json, MaybeCaller, Path, Query};
use crate::routes::free_text;
use crate::routes::page::{self, NextCursor, PageCursor, ShortLimit};
use crate::state::ApiState;

/// Which page of reviews.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PageQuery {
    limit: Option<ShortLimit>,
    cursor: Option<PageCursor>,
}

/// A page of reviews, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReviewPage {
    /// The mean of those who paid.
    rating: Option<f64>,
    /// How many of those who paid have written one.
    count: i64,
    reviews: Vec<Review>,
    next_cursor: NextCursor,
}

/// A review that was written.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WrittenReview {
    package_id: PackagePublicId,
    /// Stars, from 1 to 5.
    rating: i16,
    /// The review in words.
    text: Option<String>,
}

/// A review that was withdrawn.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WithdrawnReview {
    package_id: PackagePublicId,
    /// Always true.
    withdrawn: bool,
}

/// An answer to a review.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReviewReply {
    review_id: ReviewId,
    /// The answer.
    reply: Option<String>,
}

/// A package that was starred, or is no longer.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StarredPackage {
    package_id: PackagePublicId,
    /// Whether it is starred now.
    starred: bool,
}

/// Lists the reviews of a package, newest first.
pub async fn list_reviews(
    State(state): State<ApiState>,
    MaybeCaller(caller): MaybeCaller,
    Path(package_id): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Answer<ReviewPage>, ApiError> {
    let limit = page::rows(query.limit)?;
    let before = page::cursor(query.cursor.as_ref(), page::row::<ReviewId>)?;
    let package = find(&state, &package_id).await?.1.card;
    let viewer = caller.map(|caller| caller.user);
    let package_id = package.package_id;
    let reviews = catalog::list_reviews(state.pool(), package_id, viewer, before, limit).await?;
    let next = page::next(&reviews, limit, |review| review.id);
    Ok(Answer::ok(ReviewPage {
        rating: package.rating(),
        count: package.rating_count,
        reviews: reviews.iter().map(Review::from).collect(),
        next_cursor: next,
    }))
}

/// What a buyer says of a package.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewRequest {
    /// Stars.
    #[schemars(range(min = 1, max = 5))]
    rating: i16,
    /// The review in words.
    #[serde(default)]
    #[schemars(length(max = REVIEW_CHARS_MAX))]
    text: Option<String>,
}

/// Writes the caller's review of a package that it bought, or changes it: there is one.
pub async fn review_package(
    State(state): State<ApiState>,
    Caller(buyer): Caller,
    idempotency: IdempotencyHeader,
    Path(package_id): Path<String>,
    Json(new): Json<ReviewRequest>,
) -> Result<Answer<WrittenReview>, ApiError> {
    if !(1..=5).contains(&new.rating) {
        let fault = "must be a whole number from 1 to 5";
        return Err(
            ApiError::new(Code::InvalidInput, format!("rating {fault}.")).field("rating", fault),
        );
    }
    let text = free_text::optional("text", new.text.as_deref(), REVIEW_CHARS_MAX)?;
    let (id, details) = find(&state, &package_id).await?;
    let package = details.card.package_id;
    let key = idempotency.scoped(&buyer, "reviews");
    let (outbox, words) = (&state.outbox, text.as_deref());
    commands::review(outbox, buyer.user, package, new.rating, words, key.as_ref()).await?;
    Ok(Answer::ok(WrittenReview {
        package_id: id,
        rating: new.rating,
        text,
    }))
}

/// Takes the caller's review back.
pub async fn withdraw_review(
    State(state): State<ApiState>,
    Caller(buyer): Caller,
    Path(package_id): Path<String>,
) -> Result<Answer<WithdrawnReview>, ApiError> {
    let (id, details) = find(&state, &package_id).await?;
    commands::withdraw_review(&state.outbox, buyer.user, details.card.package_id).await?;
    Ok(Answer::ok(WithdrawnReview {
        package_id: id,
        withdrawn: true,
    }))
}

/// What a seller answers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplyRequest {
    /// The answer; null takes it back.
    #[schemars(required, length(max = REVIEW_CHARS_MAX))]
    text: Option<String>,
}

/// Answers a review of the caller's package.
pub async fn reply_to_review(
    State(state): State<ApiState>,
    Caller(seller): Caller,
    Path(review): Path<ReviewId>,
    Json(new): Json<ReplyRequest>,
) -> Result<Answer<ReviewReply>, ApiError> {
    let text = free_text::optional("text", new.text.as_deref(), REVIEW_CHARS_MAX)?;
    commands::reply_to_review(&state.outbox, seller.user, review, text.as_deref()).await?;
    Ok(Answer::ok(ReviewReply {
        review_id: review,
        reply: text,
    }))
}

/// Marks a package to come back to it.
pub async fn star_package(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Path(package_id): Path<String>,
) -> Result<Answer<StarredPackage>, ApiError> {
    star(&state, &caller, &package_id, true).await
}

/// Takes the mark away.
pub async fn unstar_package(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Path(package_id): Path<String>,
) -> Result<Answer<StarredPackage>, ApiError> {
    star(&state, &caller, &package_id, false).await
}

async fn star(
    state: &ApiState,
    caller: &common::identity::Principal,
    package_id: &str,
    is_starred: bool,
) -> Result<Answer<StarredPackage>, ApiError> {
    let (id, details) = find(state, package_id).await?;
    let package = details.card.package_id;
    commands::set_star(&state.outbox, caller.user, package, is_starred).await?;
    Ok(Answer::ok(StarredPackage {
        package_id: id,
        starred: is_starred,
    }))
}

/// A package that everybody may see.
async fn find(state: &ApiState, package_id: &str) -> Result<(PackagePublicId, Details), ApiError> {
    let id = PackagePublicId::parse(package_id).ok_or(CatalogError::Unknown("package"))?;
    let details = show::find(state, &id, None).await?;
    Ok((id, details))
}
