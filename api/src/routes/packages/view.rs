//! Packages on the wire: the seed's fields first, then ours.

use common::catalog::{Card, Details, Review};
use common::money::decimal_number;
use serde_json::{Value, json};

/// A package in a list.
pub fn card(card: &Card) -> Value {
    json!({
        "packageId": card.public_id,
        "packageType": card.package_type,
        "name": card.name,
        "description": card.description,
        "price": decimal_number(card.price_minor),
        "epsilon": card.epsilon,
        "downloads": card.downloads,
        "priceMinor": card.price_minor,
        "currency": card.currency,
        "licenseMode": card.license_mode,
        "evidenceLevel": card.evidence_level,
        "tier": card.tier,
        "version": card.semver,
        "category": card.category,
        "tags": card.tags,
        "sourceModel": card.source_model,
        "targetModel": card.target_model,
        "sourceDimension": card.source_dimension,
        "targetDimension": card.target_dimension,
        "sales": card.sales,
        "rating": card.rating(),
        "reviews": card.rating_count,
        "stars": card.star_count,
        "sellerId": card.seller_id,
        "sellerName": card.seller_name,
        "createdAt": card.created_at,
    })
}

/// A package in full.
pub fn details(details: &Details) -> Value {
    let (mut body, more) = (card(&details.card), &details.more);
    let id = &details.card.public_id;
    let extra = json!({
        "status": more.status,
        // Of what is taken down, which its seller alone is shown.
        "takenDownBecause": more.taken_down_because,
        "isLatest": more.is_latest,
        "epsilonDeclared": more.epsilon_declared,
        "epsilonMeasured": more.epsilon_measured,
        "packageSizeBytes": more.package_bytes,
        "wMatrixSizeBytes": more.w_matrix_bytes,
        "packageSha256": more.package_sha256,
        "wMatrixSha256": more.w_matrix_sha256,
        "listingUrl": format!("/api/ai/listings/{id}"),
        "versionsUrl": format!("/api/ai/packages/{id}/versions"),
        "reviewsUrl": format!("/api/ai/packages/{id}/reviews"),
    });
    if let (Some(body), Value::Object(extra)) = (body.as_object_mut(), extra) {
        body.extend(extra);
    }
    body
}

/// A review.
pub fn review(review: &Review) -> Value {
    json!({
        "reviewId": review.id,
        "buyerId": review.buyer_id,
        "buyerName": review.buyer_name,
        "rating": review.stars,
        "text": review.body,
        "verifiedPurchase": review.is_verified,
        "reply": review.reply,
        "repliedAt": review.replied_at,
        "createdAt": review.created_at,
        "updatedAt": review.updated_at,
    })
}
