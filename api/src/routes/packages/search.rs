//! `GET /api/ai/search-packages`: the seed's search, and our filters.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use common::catalog;
use common::limits::SEARCH_RESULTS_MAX;
use serde_json::json;

use super::cached::{Answer, LIST};
use super::filters::Parameters;
use super::view;
use crate::error::ApiError;
use crate::state::ApiState;

/// The best matches, the best first; `docs/search.md` tells how they are ranked.
pub async fn search_packages(
    State(state): State<ApiState>,
    RawQuery(raw): RawQuery,
) -> Result<Response, ApiError> {
    let mut parameters = Parameters::of(raw.as_deref());
    let query = parameters.text("query");
    if query.is_none() {
        parameters.fault("query", "is required");
    }
    let (filters, limit) = (parameters.filters(), parameters.limit());
    let offset = parameters
        .parsed::<i64>("cursor", CURSOR)
        .unwrap_or_default();
    if !(0..=SEARCH_RESULTS_MAX).contains(&offset) {
        parameters.fault("cursor", CURSOR);
    }
    parameters.finish()?;
    let query = query.unwrap_or_default();
    let key = format!("search/{query}/{filters:?}/{offset}/{limit}");
    let make = async {
        let found = catalog::search(state.pool(), &query, &filters, offset, limit).await?;
        let (cards, has_more) = found;
        let next = offset + limit;
        let next = (has_more && next <= SEARCH_RESULTS_MAX).then_some(next);
        let results: Vec<_> = cards.iter().map(view::card).collect();
        Ok(Answer {
            data: json!({
                "query": query,
                "count": results.len(),
                "results": results,
                "nextCursor": next.map(|next| next.to_string()),
            }),
            next: next.map(|next| next_page("/api/ai/search-packages", raw.as_deref(), &next)),
            version: None,
        })
    };
    state.cached(&key, LIST, make).await
}

const CURSOR: &str = "must be the nextCursor of a page before";

/// The address of the next page: the same query with another cursor.
pub fn next_page(path: &str, raw: Option<&str>, cursor: &dyn std::fmt::Display) -> String {
    let parameters = url::form_urlencoded::parse(raw.unwrap_or_default().as_bytes());
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters.filter(|(name, _)| name != "cursor"))
        .append_pair("cursor", &cursor.to_string())
        .finish();
    format!("{path}?{query}")
}
