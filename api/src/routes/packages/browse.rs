//! `GET /api/ai/packages`, `…/trending` and `GET /api/ai/categories`.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use common::catalog::{self, CATEGORIES, Cursor, Sort};
use serde_json::{Value, json};

use super::cached::{Answer, LIST};
use super::filters::Parameters;
use super::search::{next_page, search_packages};
use super::view;
use crate::error::ApiError;
use crate::routes::success;
use crate::state::ApiState;

/// What is for sale, filtered and sorted; by relevance it is a search.
pub async fn list_packages(
    State(state): State<ApiState>,
    RawQuery(raw): RawQuery,
) -> Result<Response, ApiError> {
    let mut parameters = Parameters::of(raw.as_deref());
    let sort = parameters.text("sort");
    if sort.as_deref() == Some("relevance") {
        let pairs = url::form_urlencoded::parse(raw.as_deref().unwrap_or_default().as_bytes());
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs.filter(|(name, _)| name != "sort"))
            .finish();
        return search_packages(State(state), RawQuery(Some(query))).await;
    }
    let sort = match sort.map(|text| text.parse::<Sort>()).transpose() {
        Ok(sort) => sort.unwrap_or_default(),
        Err(message) => {
            parameters.fault("sort", message);
            Sort::default()
        }
    };
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
    parameters.finish()?;
    let key = format!("browse/{filters:?}/{sort:?}/{after:?}/{limit}");
    let make = async {
        let found = catalog::browse(state.pool(), &filters, sort, after.as_ref(), limit).await?;
        let (cards, next) = found;
        let packages: Vec<Value> = cards.iter().map(view::card).collect();
        let next = next.map(|cursor| cursor.to_string());
        Ok(Answer {
            data: json!({ "packages": packages, "sort": sort, "nextCursor": next }),
            next: next.map(|next| next_page("/api/ai/packages", raw.as_deref(), &next)),
            version: None,
        })
    };
    state.cached(&key, LIST, make).await
}

/// What sold and was downloaded most of late.
pub async fn list_trending(
    State(state): State<ApiState>,
    RawQuery(raw): RawQuery,
) -> Result<Response, ApiError> {
    let mut parameters = Parameters::of(raw.as_deref());
    let limit = parameters.limit();
    parameters.finish()?;
    let make = async {
        let cards = catalog::trending(state.pool(), limit).await?;
        let packages: Vec<Value> = cards.iter().map(view::card).collect();
        Ok(Answer::list(json!({ "packages": packages, "days": 7 })))
    };
    let key = format!("trending/{limit}");
    state.cached(&key, LIST, make).await
}

/// The categories that there are.
pub async fn list_categories() -> Response {
    let categories = CATEGORIES.map(|(name, about)| json!({ "category": name, "about": about }));
    success(StatusCode::OK, json!({ "categories": categories }))
}
