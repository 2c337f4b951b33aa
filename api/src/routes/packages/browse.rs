//! `GET /api/ai/packages`, `…/trending` and `GET /api/ai/categories`.

use axum::Extension;
use axum::extract::State;
use common::catalog::{self, CATEGORIES, Category, Cursor, Sort};
use common::limits::TRENDING_DAYS;
use schemars::JsonSchema;
use serde::Serialize;

use super::cached::Found;
use super::filters::Parameters;
use super::search::{SearchResults, next_page, search_packages};
use super::view::{Card, cards};
use crate::contract::{Answer, Ready};
use crate::error::ApiError;
use crate::extract::{MaybeCaller, QueryPairs};
use crate::middleware::ClientAddress;
use crate::routes::page::NextCursor;
use crate::state::ApiState;

/// A list of packages, or what a search by relevance found.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub enum PackageList {
    Page(PackagePage),
    Found(SearchResults),
}

/// A page of packages.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PackagePage {
    packages: Vec<Card>,
    /// Their order.
    sort: Sort,
    next_cursor: NextCursor,
}

/// The packages that sell now, the hottest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TrendingPackages {
    packages: Vec<Card>,
    /// How many days are looked at.
    days: i32,
}

/// The categories.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CategoryList {
    categories: Vec<CategoryEntry>,
}

/// A category.
#[derive(Debug, Serialize, JsonSchema)]
struct CategoryEntry {
    #[schemars(with = "Category")]
    category: &'static str,
    /// What it is for.
    about: &'static str,
}

/// What is for sale, filtered and sorted; by relevance it is a search.
pub async fn list_packages(
    State(state): State<ApiState>,
    caller: MaybeCaller,
    address: Extension<ClientAddress>,
    Extension(query): Extension<QueryPairs>,
) -> Result<Ready<PackageList>, ApiError> {
    let mut parameters = Parameters::of(&query);
    let sort = parameters.text("sort");
    if sort.as_deref() == Some("relevance") {
        let query = Extension(query.without("sort"));
        let found = search_packages(State(state), caller, address, query).await?;
        return Ok(Ready::new(found));
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
        let (found, next) = found;
        let next = next.map(|cursor| cursor.to_string());
        let page = PackagePage {
            packages: cards(&found),
            sort,
            next_cursor: NextCursor::new(next.as_ref()),
        };
        Ok(Found {
            data: PackageList::Page(page),
            next: next.map(|next| next_page("/api/ai/packages", &canonical, &next)),
            version: None,
            is_empty: found.is_empty(),
        })
    };
    state.cached(&format!("packages?{canonical}"), make).await
}

/// What sold and was downloaded most of late.
pub async fn list_trending(
    State(state): State<ApiState>,
    Extension(query): Extension<QueryPairs>,
) -> Result<Ready<TrendingPackages>, ApiError> {
    let mut parameters = Parameters::of(&query);
    let limit = parameters.limit();
    let canonical = parameters.finish()?;
    let make = async {
        let packages = cards(&catalog::trending(state.pool(), limit).await?);
        Ok(Found::list(TrendingPackages {
            packages,
            days: TRENDING_DAYS,
        }))
    };
    state.cached(&format!("trending?{canonical}"), make).await
}

/// The categories that there are.
pub async fn list_categories() -> Answer<CategoryList> {
    let categories = CATEGORIES.map(|(category, about)| CategoryEntry { category, about });
    Answer::ok(CategoryList {
        categories: categories.into(),
    })
}
