//! What the market is asked, for the document. The queries are read by `filters`, which names every fault at
//! once and knows who means the same.

#![expect(dead_code, reason = "only the schemas are used")]

use std::borrow::Cow;

use common::catalog::{Category, Sort};
use common::ids::UserId;
use common::limits::{CLIENT_PAGE_ROWS_MAX, MODEL_NAME_CHARS_MAX};
use package::{EvidenceLevel, Tier};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// What a list is filtered by.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct Filters {
    /// Only packages of this type.
    package_type: Option<PackageTypes>,
    /// The model that it comes from, however its name is written.
    #[schemars(length(max = MODEL_NAME_CHARS_MAX))]
    source_model: Option<String>,
    /// The model that it is aligned to.
    #[schemars(length(max = MODEL_NAME_CHARS_MAX))]
    target_model: Option<String>,
    category: Option<Category>,
    /// With all of these tags, separated by commas.
    tags: Option<String>,
    /// The lowest price, with at most two decimals.
    min_price: Option<f64>,
    /// The highest price.
    max_price: Option<f64>,
    /// The band of its measured error.
    tier: Option<Tier>,
    /// At least this level of evidence.
    evidence: Option<EvidenceLevel>,
    /// The largest measured error; with `evidence=declared` declared ones count too.
    #[schemars(range(min = 0, max = 1000))]
    max_epsilon: Option<f64>,
    /// The least rating.
    #[schemars(range(min = 0, max = 5))]
    min_rating: Option<f64>,
    /// The length of the states that it takes.
    #[schemars(range(min = 1, max = 131_072))]
    source_dimension: Option<i32>,
    /// The length of the states that it gives.
    #[schemars(range(min = 1, max = 131_072))]
    target_dimension: Option<i32>,
    /// Only packages of this seller.
    seller_id: Option<UserId>,
    /// How many at most.
    #[schemars(range(min = 1, max = CLIENT_PAGE_ROWS_MAX), extend("default" = 10))]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// A type of packages, or all of them.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", rename = "PackageTypeFilter")]
enum PackageTypes {
    Vector,
    Memory,
    Chain,
    All,
}

#[derive(JsonSchema)]
pub struct SearchQuery {
    /// What to search for.
    #[schemars(length(min = 1, max = 200))]
    query: String,
    #[serde(flatten)]
    filters: Filters,
}

#[derive(JsonSchema)]
pub struct PackageQuery {
    /// The order; the default is `newest`.
    sort: Option<Order>,
    /// Words, with `sort=relevance`.
    #[schemars(length(max = 200))]
    query: Option<String>,
    #[serde(flatten)]
    filters: Filters,
}

/// An order of packages, or `relevance`.
struct Order;

impl JsonSchema for Order {
    fn schema_name() -> Cow<'static, str> {
        "PackageListOrder".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let orders = Sort::ALL.map(Sort::as_str);
        json_schema!({
            "type": "string",
            "description": "The order of packages; `relevance` with a `query` is a search.",
            "enum": orders.into_iter().chain(["relevance"]).collect::<Vec<_>>(),
        })
    }
}

#[derive(JsonSchema)]
pub struct TrendingQuery {
    /// How many at most.
    #[schemars(range(min = 1, max = CLIENT_PAGE_ROWS_MAX), extend("default" = 10))]
    limit: Option<i64>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct MatrixQuery {
    /// The model to start from.
    #[schemars(length(min = 1, max = MODEL_NAME_CHARS_MAX))]
    source_model: String,
    /// The model to arrive at.
    #[schemars(length(min = 1, max = MODEL_NAME_CHARS_MAX))]
    target_model: String,
    /// How many at most.
    #[schemars(range(min = 1, max = CLIENT_PAGE_ROWS_MAX), extend("default" = 10))]
    limit: Option<i64>,
}
