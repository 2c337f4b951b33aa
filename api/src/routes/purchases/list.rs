//! `GET /api/ai/purchases`: what the caller bought, or sold.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::purchases::{self, Cursor, PageFilter, PurchaseState, Side};
use serde::Deserialize;
use serde_json::{Value, json};

use super::view;
use crate::error::ApiError;
use crate::extract::{Caller, Query};
use crate::routes::page::{self, Pages};
use crate::routes::success;
use crate::state::ApiState;

/// Which ones.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    #[serde(default)]
    role: Role,
    status: Option<PurchaseState>,
    cursor: Option<String>,
    limit: Option<i64>,
}

/// On which side of the sale the caller stands.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
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
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let filter = PageFilter {
        user: principal.user,
        side: match query.role {
            Role::Buyer => Side::Buyer,
            Role::Seller => Side::Seller,
        },
        state: query.status,
        after: page::cursor(query.cursor.as_deref(), Cursor::parse)?,
        limit: Pages::SHORT.limit(query.limit)?,
    };
    let page = purchases::list(state.pool(), &filter).await?;
    let purchases: Vec<Value> = page
        .purchases
        .into_iter()
        .map(|purchase| match filter.side {
            Side::Buyer => view::bought(&state, purchase),
            Side::Seller => view::sold(&purchase),
        })
        .collect();
    let next = page.next.map(|cursor| cursor.to_string());
    let body = json!({ "purchases": purchases, "nextCursor": next });
    Ok(success(StatusCode::OK, body))
}
