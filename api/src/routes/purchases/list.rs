//! `GET /api/ai/purchases`: what the caller bought, or sold.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::limits::CLIENT_PAGE_ROWS_MAX;
use common::purchases::{self, Cursor, PageFilter, PurchaseState, Side};
use serde::Deserialize;
use serde_json::{Value, json};

use super::view;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Query};
use crate::routes::success;
use crate::state::ApiState;

/// Rows of a page when the client does not say.
const PAGE_ROWS: i64 = 20;

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
/// `nextCursor` goes into the next request's `cursor`; it is null on the last page.
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
        after: query.cursor.as_deref().map(read_cursor).transpose()?,
        limit: read_limit(query.limit)?,
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

fn read_cursor(text: &str) -> Result<Cursor, ApiError> {
    Cursor::parse(text).ok_or_else(|| {
        let fault = "must be the nextCursor of a page before";
        ApiError::new(Code::InvalidInput, format!("cursor {fault}.")).field("cursor", fault)
    })
}

fn read_limit(limit: Option<i64>) -> Result<i64, ApiError> {
    let limit = limit.unwrap_or(PAGE_ROWS);
    if (1..=CLIENT_PAGE_ROWS_MAX).contains(&limit) {
        return Ok(limit);
    }
    let fault = format!("must be between 1 and {CLIENT_PAGE_ROWS_MAX}");
    Err(ApiError::new(Code::InvalidInput, format!("limit {fault}.")).field("limit", fault))
}
