//! `GET /api/ai/packages`, `…/trending` and `GET /api/ai/categories`.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::catalog::{self, CATEGORIES, Cursor, Sort};
use common::limits::TRENDING_DAYS;
use serde_json::{Value, json};

use super::cached::Answer;
use super::filters::Parameters;
use super::search::{next_page, search_packages};
use super::view;
use crate::error::ApiError;
use crate::extract::{MaybeCaller, QueryPairs};
use crate::middleware::ClientAddress;
use crate::routes::success;
use crate::state::ApiState;

/// What is for sale, filtered and sorted; by relevance it is a search.
pub async fn list_packages(
    State(state): State<ApiState>,
    caller: MaybeCaller,
    address: Extension<ClientAddress>,
    Extension(query): Extension<QueryPairs>,
) -> Result<Response, ApiError> {
    let mut parameters = Parameters::of(&query);
    let sort = parameters.text("sort");
    if sort.as_deref() == Some("relevance") {
        let query = Extension(query.without("sort"));
        return search_packages(State(state), caller, address, query).await;
    }
    let sort = match sort.map(|text| text.parse::<Sort>()).transpose() {
        Ok(sort) => sort.unwrap_or_default(),
        Err(message) => {
            parameters.fault("sort", message);
            Sort::default()
        }
    };
    parameters.note("sort", sort.as_str());
    let (filters, limit) = (parameters.filters(), parameters.limit());
    let after = parameters.text("cursor").and_then(|text| {
        let cursor = Cursor::parse(&text, sort);
        if cursor.is_none() {
            parameters.fault(
                "cursor",
                "must be the nextCursor of a page before, of the same sort",
            );
        }
        cursor
    });
    let canonical = parameters.finish()?;
    let make = async {
        let found = catalog::browse(state.pool(), &filters, sort, after.as_ref(), limit).await?;
        let (cards, next) = found;
        let packages: Vec<Value> = cards.iter().map(view::card).collect();
        let next = next.map(|cursor| cursor.to_string());
        Ok(Answer {
            data: json!({ "packages": packages, "sort": sort, "nextCursor": next }),
            next: next.map(|next| next_page("/api/ai/packages", &canonical, &next)),
            version: None,
        })
    };
    state.cached(&format!("packages?{canonical}"), make).await
}

/// What sold and was downloaded most of late.
pub async fn list_trending(
    State(state): State<ApiState>,
    Extension(query): Extension<QueryPairs>,
) -> Result<Response, ApiError> {
    let mut parameters = Parameters::of(&query);
    let limit = parameters.limit();
    let canonical = parameters.finish()?;
    let make = async {
        let cards = catalog::trending(state.pool(), limit).await?;
        let packages: Vec<Value> = cards.iter().map(view::card).collect();
        Ok(Answer::list(
            json!({ "packages": packages, "days": TRENDING_DAYS }),
        ))
    };
    state.cached(&format!("trending?{canonical}"), make).await
}

/// The categories that there are.
pub async fn list_categories() -> Response {
    let categories = CATEGORIES.map(|(name, about)| json!({ "category": name, "about": about }));
    success(StatusCode::OK, json!({ "categories": categories }))
}
