//! What the catalogue knows beyond single packages: what is trending, the best map between two models,
//! and whether there is a way at all.

use package::{Model, find_model};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{PgPool, QueryBuilder};

use super::browse::{Card, SELECT_CARDS};
use crate::ids::PackagePublicId;
use crate::limits::TRENDING_DAYS;

/// What most accounts paid for and fetched within seven days, yesterday's counting more than last week's;
/// then what is popular. An account counts once for a package, however often it comes back.
pub async fn trending(pool: &PgPool, limit: i64) -> Result<Vec<Card>, sqlx::Error> {
    let mut query = QueryBuilder::new(SELECT_CARDS);
    query.push(
        " left join (
             select package_id,
                 sum((3 * package_days.sales + package_days.downloads) * exp((day - current_date) / 2.0)) as heat
             from package_days
             where day > current_date - ",
    );
    query.push_bind(TRENDING_DAYS);
    query.push(
        "    group by package_id
         ) as recent on recent.package_id = shelf.package_id
         where is_shown
         order by coalesce(heat, 0) desc, popularity desc, shelf.package_id desc
         limit ",
    );
    query.push_bind(limit);
    query.build_query_as().fetch_all(pool).await
}

/// The maps from one model to another that are for sale: measured ones before declared ones, then the
/// smallest error, the strongest evidence, the most popular.
pub async fn best_matrices(
    pool: &PgPool,
    source_model: &str,
    target_model: &str,
    limit: i64,
) -> Result<Vec<Card>, sqlx::Error> {
    let mut query = QueryBuilder::new(SELECT_CARDS);
    query.push(" where is_shown and source_key = model_key(");
    query.push_bind(source_model.to_owned());
    query.push(") and target_key = model_key(");
    query.push_bind(target_model.to_owned());
    query.push(
        ") order by epsilon_order, evidence_rank desc, popularity desc, shelf.package_id
         limit ",
    );
    query.push_bind(limit);
    query
        .build_query_as()
        .persistent(false)
        .fetch_all(pool)
        .await
}

/// What is known of a model.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KnownModel {
    /// Its name, as it was asked for.
    pub model: String,
    /// Length of its hidden states; none if its maker does not tell.
    pub hidden_dimension: Option<usize>,
}

impl KnownModel {
    pub fn of(name: &str) -> Self {
        let hidden_dimension = match find_model(name) {
            Model::Open(dimensions) => Some(dimensions.hidden),
            Model::Undisclosed => None,
        };
        Self {
            model: name.to_owned(),
            hidden_dimension,
        }
    }
}

/// A way over a third model: two maps, and what their errors come to when one follows the other.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Detour {
    /// The third model.
    pub via_model: String,
    /// The map to it.
    #[schemars(with = "PackagePublicId")]
    pub first_package_id: String,
    /// The map from it.
    #[schemars(with = "PackagePublicId")]
    pub second_package_id: String,
    /// The most that both together are off: e1 + e2 + e1 · e2.
    pub epsilon_bound: f64,
    /// The price of both together, in minor units.
    pub price_minor: i64,
}

/// Ways over one other model, the smallest error first: of measured maps alone, because a bound that rests
/// on a claim is none.
pub async fn detours(
    pool: &PgPool,
    source_model: &str,
    target_model: &str,
    limit: i64,
) -> Result<Vec<Detour>, sqlx::Error> {
    sqlx::query_as(
        "with first as (
             select distinct on (target_key) target_key as via, package_id, epsilon, price_minor
             from shelf
             where is_shown
               and is_measured
               and source_key = model_key($1)
               and target_key <> model_key($2)
             order by target_key, epsilon_order, package_id
         ), second as (
             select distinct on (source_key) source_key as via, package_id, epsilon, price_minor
             from shelf
             where is_shown
               and is_measured
               and target_key = model_key($2)
               and source_key <> model_key($1)
             order by source_key, epsilon_order, package_id
         )
         select two.source_model as via_model, one.public_id as first_package_id, two.public_id as second_package_id,
                first.epsilon + second.epsilon + first.epsilon * second.epsilon as epsilon_bound,
                first.price_minor + second.price_minor as price_minor
         from first
         join second using (via)
         join packages as one on one.id = first.package_id
         join packages as two on two.id = second.package_id
         order by epsilon_bound, price_minor
         limit $3",
    )
    .bind(source_model)
    .bind(target_model)
    .bind(limit)
    .fetch_all(pool)
    .await
}
