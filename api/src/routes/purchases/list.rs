//! `GET /api/ai/purchases`: what the caller bought, or sold.

use axum::extract::State;
use common::purchases::{self, Cursor, PageFilter, PurchaseState, Side};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::view::{self, BoughtPackage, Sale};
use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{Caller, Query};
use crate::routes::page::{self, NextCursor, PageCursor, ShortLimit};
use crate::state::ApiState;

/// Which purchases.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PurchaseQuery {
    #[serde(default)]
    role: Role,
    /// Only purchases in this state.
    status: Option<PurchaseState>,
    cursor: Option<PageCursor>,
    limit: Option<ShortLimit>,
}

/// A page of purchases, or of sales with `role=seller`; newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PurchasePage {
    purchases: Vec<PurchaseOrSale>,
    next_cursor: NextCursor,
}

/// A purchase as the caller's side of it sees it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum PurchaseOrSale {
    Bought(BoughtPackage),
    Sold(Sale),
}

/// On which side of the sale the caller is.
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Role {
    #[default]
    Buyer,
    Seller,
}

/// Answers a page of the caller's own purchases, newest first, or with `role=seller` of own sales.
pub async fn list_purchases(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Query(query): Query<PurchaseQuery>,
) -> Result<Answer<PurchasePage>, ApiError> {
    let filter = PageFilter {
        user: principal.user,
        side: match query.role {
            Role::Buyer => Side::Buyer,
            Role::Seller => Side::Seller,
        },
        state: query.status,
        after: page::cursor(query.cursor.as_ref(), Cursor::parse)?,
        limit: page::rows(query.limit)?,
    };
    let page = purchases::list(state.pool(), &filter).await?;
    let base_url = state.public_base_url.as_str();
    let shown = page.purchases.iter().map(|purchase| match filter.side {
        Side::Buyer => PurchaseOrSale::Bought(view::bought(base_url, purchase)),
        Side::Seller => PurchaseOrSale::Sold(view::sold(purchase)),
    });
    Ok(Answer::ok(PurchasePage {
        purchases: shown.collect(),
        next_cursor: NextCursor::new(page.next),
    }))
}
