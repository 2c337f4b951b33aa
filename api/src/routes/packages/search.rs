//! `GET /api/ai/search-packages`: the seed's search, and our filters.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use common::catalog::{self, Filters};
use common::limits::{SEARCH_CORRECTION_UNITS, SEARCH_RESULTS_MAX};
use schemars::JsonSchema;
use serde::Serialize;

use super::cached::{Found, respond};
use super::filters::Parameters;
use super::turns::Asker;
use super::view::{Card, cards};
use crate::contract::Ready;
use crate::error::ApiError;
use crate::extract::{MaybeCaller, QueryPairs};
use crate::middleware::ClientAddress;
use crate::places;
use crate::routes::Rendered;
use crate::routes::page::NextCursor;
use crate::state::ApiState;

const PATH: &str = "/api/ai/search-packages";
const CURSOR: &str = "must be the nextCursor of a page before";

/// What is searched for, as it was understood.
struct Search {
    typed: String,
    query: String,
    filters: Filters,
    offset: i64,
    limit: i64,
    /// The same for all who ask the same.
    canonical: String,
}

impl Search {
    fn of(query: &QueryPairs) -> Result<Self, ApiError> {
        let mut parameters = Parameters::of(query);
        let typed = parameters.text("query");
        if typed.is_none() {
            parameters.fault("query", "is required");
        }
        let typed = typed.unwrap_or_default();
        let words: Vec<&str> = typed.split_whitespace().collect();
        let query = words.join(" ").to_lowercase();
        parameters.note("query", &query);
        let (filters, limit) = (parameters.filters(), parameters.limit());
        let offset = parameters
            .parsed::<i64>("cursor", CURSOR)
            .unwrap_or_default();
        if !(0..=SEARCH_RESULTS_MAX).contains(&offset) {
            parameters.fault("cursor", CURSOR);
        }
        Ok(Self {
            canonical: parameters.finish()?,
            typed,
            query,
            filters,
            offset,
            limit,
        })
    }

    /// The answer, which tells the query as it was typed. One that found nothing is counted, unless it was filtered.
    fn respond(&self, state: &ApiState, answer: Arc<Rendered>) -> Ready<SearchResults> {
        if answer.is_empty() && self.offset == 0 && self.filters == Filters::default() {
            state.counts.search_without_results(&self.query);
        }
        respond(Rendered::echoing(
            answer,
            &[("query", &self.query, &self.typed)],
        ))
    }
}

/// The best matches, the best first; `docs/search.md` tells how they are ranked. One that has to be
/// worked out waits for its turn, and one with misspelt words costs more.
pub async fn search_packages(
    State(state): State<ApiState>,
    MaybeCaller(caller): MaybeCaller,
    Extension(address): Extension<ClientAddress>,
    Extension(query): Extension<QueryPairs>,
) -> Result<Ready<SearchResults>, ApiError> {
    let search = Search::of(&query)?;
    let asked = format!("search?{}", search.canonical);
    if let Some(known) = state.catalogue.known(&asked).await {
        return Ok(search.respond(&state, known));
    }
    let asker = Asker {
        state: &state,
        address: address.0,
        caller: caller.as_ref(),
    };
    let (turns, cached) = (&state.search_turns, &state.catalogue);
    let turn = match turns
        .next(asker.holders().as_slice(), cached, &asked)
        .await?
    {
        Ok(known) => return Ok(search.respond(&state, known)),
        Err(turn) => turn,
    };
    let pool = state.pool().clone();
    let plan = catalog::plan_search(&pool, &search.query).await?;
    let charged = match plan.corrections() as i64 {
        0 => None,
        corrections => Some(asker.charge(corrections * SEARCH_CORRECTION_UNITS).await?),
    };
    let make = async {
        let (filters, offset, limit) = (search.filters.clone(), search.offset, search.limit);
        // In a task of its own, which has the turn until PostgreSQL is done, whoever hangs up.
        let work = places::complete("a search", async move {
            let _turn = turn;
            catalog::search(&pool, &plan, &filters, offset, limit).await
        });
        Ok(answer(&search, work.await?))
    };
    let made = state.catalogue.made(&asked, make).await?;
    let response = search.respond(&state, made);
    Ok(match charged {
        Some(charged) => response.noting(charged),
        None => response,
    })
}

/// What a search found, the best first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchResults {
    /// What was searched for.
    query: String,
    /// How many are on this page.
    count: usize,
    results: Vec<Card>,
    next_cursor: NextCursor,
}

fn answer(search: &Search, (found, has_more): (Vec<catalog::Card>, bool)) -> Found<SearchResults> {
    let next = search.offset + search.limit;
    let next = (has_more && next <= SEARCH_RESULTS_MAX).then_some(next);
    Found {
        data: SearchResults {
            query: search.query.clone(),
            count: found.len(),
            results: cards(&found),
            next_cursor: NextCursor::new(next),
        },
        next: next.map(|next| next_page(PATH, &search.canonical, &next)),
        version: None,
        is_empty: found.is_empty(),
    }
}

/// The address of the next page: the same query with another cursor.
pub fn next_page(path: &str, canonical: &str, cursor: &dyn std::fmt::Display) -> String {
    let parameters = url::form_urlencoded::parse(canonical.as_bytes());
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters.filter(|(name, _)| name != "cursor"))
        .append_pair("cursor", &cursor.to_string())
        .finish();
    format!("{path}?{query}")
}
