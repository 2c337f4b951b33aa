//! Browsing: filters, sorts, and pages that do not shift while somebody turns them.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use package::{EvidenceLevel, PackageType, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::ids::{PackageId, PackagePublicId, UserId};

/// What a list shows of a package.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Card {
    pub package_id: PackageId,
    pub public_id: PackagePublicId,
    pub package_type: String,
    pub name: String,
    pub description: String,
    pub price_minor: i64,
    pub currency: String,
    pub license_mode: String,
    pub epsilon: f64,
    /// What epsilons sort by: measured ones before declared ones.
    pub epsilon_sort: f64,
    pub evidence_level: String,
    pub tier: Option<String>,
    pub downloads: i64,
    /// What downloads sort by: the paying accounts among those who fetched it.
    pub downloads_sort: i64,
    pub sales: i64,
    pub semver: String,
    pub category: Option<String>,
    pub tags: Vec<String>,
    pub source_model: String,
    pub target_model: String,
    pub source_dimension: Option<i32>,
    pub target_dimension: Option<i32>,
    pub rating_count: i64,
    pub rating_sum: i64,
    /// What ratings sort by; see the schema.
    pub rating_sort: f64,
    pub star_count: i64,
    pub seller_id: UserId,
    pub seller_name: String,
    pub created_at: DateTime<Utc>,
}

impl Card {
    /// The mean of its reviews, none without any.
    pub fn rating(&self) -> Option<f64> {
        let mean = self.rating_sum as f64 / self.rating_count as f64;
        (self.rating_count > 0).then(|| (mean * 100.0).round() / 100.0)
    }
}

/// The columns of a [`Card`], from the shelf on.
pub(super) const SELECT_CARDS: &str = "
    select shelf.package_id, packages.public_id, shelf.package_type, packages.name, packages.description,
           listings.price_minor, listings.currency, listings.license_mode, shelf.epsilon,
           shelf.epsilon_order as epsilon_sort, packages.evidence_level, packages.tier, packages.downloads,
           shelf.downloads as downloads_sort, packages.sales, packages.semver, packages.category, packages.tags,
           packages.source_model, packages.target_model, packages.source_dimension, packages.target_dimension,
           packages.rating_count, packages.rating_sum, shelf.rating as rating_sort, packages.star_count,
           shelf.seller_id, users.name as seller_name, packages.created_at
    from shelf
    join packages on packages.id = shelf.package_id
    join listings on listings.package_id = shelf.package_id
    join users on users.id = shelf.seller_id ";

/// What a buyer looks for. Nothing said means everything that is for sale in its latest version.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filters {
    pub package_type: Option<PackageType>,
    pub source_model: Option<String>,
    pub target_model: Option<String>,
    pub category: Option<String>,
    pub tags: Vec<String>,
    pub price_min_minor: Option<i64>,
    pub price_max_minor: Option<i64>,
    pub tier: Option<Tier>,
    /// At least this level.
    pub evidence: Option<EvidenceLevel>,
    /// Measured, or declared if the evidence is said to be at least declared.
    pub epsilon_max: Option<f64>,
    pub rating_min: Option<f64>,
    pub source_dimension: Option<i32>,
    pub target_dimension: Option<i32>,
    pub seller: Option<UserId>,
}

impl Filters {
    /// Adds `where` and what follows.
    pub(super) fn push(&self, query: &mut QueryBuilder<Postgres>) {
        query.push(" where shelf.is_shown");
        if let Some(package_type) = self.package_type {
            query
                .push(" and shelf.package_type = ")
                .push_bind(package_type.to_string());
        }
        for (column, model) in [
            ("source_key", &self.source_model),
            ("target_key", &self.target_model),
        ] {
            if let Some(model) = model {
                query.push(format!(" and shelf.{column} = model_key("));
                query.push_bind(model.clone()).push(")");
            }
        }
        if let Some(category) = &self.category {
            query
                .push(" and shelf.category = ")
                .push_bind(category.clone());
        }
        if !self.tags.is_empty() {
            query
                .push(" and shelf.tags @> ")
                .push_bind(self.tags.clone());
        }
        for (condition, amount) in [
            ("shelf.price_minor >= ", self.price_min_minor),
            ("shelf.price_minor <= ", self.price_max_minor),
        ] {
            if let Some(amount) = amount {
                query.push(format!(" and {condition}")).push_bind(amount);
            }
        }
        if let Some(tier) = self.tier {
            query.push(" and shelf.tier = ").push_bind(word(&tier));
        }
        if let Some(level) = self.evidence {
            query.push(" and shelf.evidence_rank >= evidence_rank(");
            query.push_bind(word(&level)).push(")");
        }
        // A claim is as good as a measurement to whoever says so.
        let epsilon = match self.evidence {
            Some(EvidenceLevel::Declared) => "shelf.epsilon <= ",
            _ => "shelf.epsilon_order <= ",
        };
        for (condition, figure) in [
            (epsilon, self.epsilon_max),
            ("shelf.rating >= ", self.rating_min),
        ] {
            if let Some(figure) = figure {
                query.push(format!(" and {condition}")).push_bind(figure);
            }
        }
        for (column, dimension) in [
            ("source_dimension", self.source_dimension),
            ("target_dimension", self.target_dimension),
        ] {
            if let Some(dimension) = dimension {
                query
                    .push(format!(" and shelf.{column} = "))
                    .push_bind(dimension);
            }
        }
        if let Some(seller) = self.seller {
            query.push(" and shelf.seller_id = ").push_bind(seller);
        }
    }
}

/// The name of a value on the wire and in SQL.
fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).expect("plain words");
    value.as_str().unwrap_or_default().to_owned()
}

/// In which order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PackageOrder")]
pub enum Sort {
    #[default]
    Newest,
    Downloads,
    Rating,
    Price,
    PriceDescending,
    Epsilon,
}

impl Sort {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Newest,
        Self::Downloads,
        Self::Rating,
        Self::Price,
        Self::PriceDescending,
        Self::Epsilon,
    ];

    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Downloads => "downloads",
            Self::Rating => "rating",
            Self::Price => "price",
            Self::PriceDescending => "priceDescending",
            Self::Epsilon => "epsilon",
        }
    }

    /// The column, its type, and whether it falls.
    fn column(self) -> (&'static str, &'static str, bool) {
        match self {
            Self::Newest => ("published_at", "timestamptz", true),
            Self::Downloads => ("downloads", "bigint", true),
            Self::Rating => ("rating", "double precision", true),
            Self::Price => ("price_minor", "bigint", false),
            Self::PriceDescending => ("price_minor", "bigint", true),
            Self::Epsilon => ("epsilon_order", "double precision", false),
        }
    }

    /// What a card is sorted by, as PostgreSQL reads it.
    fn value(self, card: &Card) -> String {
        match self {
            Self::Newest => card.created_at.to_rfc3339(),
            Self::Downloads => card.downloads_sort.to_string(),
            Self::Rating => card.rating_sort.to_string(),
            Self::Price | Self::PriceDescending => card.price_minor.to_string(),
            Self::Epsilon => card.epsilon_sort.to_string(),
        }
    }
}

impl FromStr for Sort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = Self::ALL.map(Self::as_str);
        let found = Self::ALL.into_iter().find(|sort| sort.as_str() == text);
        found.ok_or_else(|| format!("must be relevance, {}", names.join(", ")))
    }
}

/// The last row of a page: where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    sort: Sort,
    value: String,
    id: Uuid,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(self).expect("plain text");
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(json))
    }
}

impl Cursor {
    /// Reads what a client sends back; it must be of the same sort and make sense.
    pub fn parse(text: &str, sort: Sort) -> Option<Self> {
        let json = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let cursor: Self = serde_json::from_slice(&json).ok()?;
        let makes_sense = match sort {
            Sort::Newest => DateTime::parse_from_rfc3339(&cursor.value).is_ok(),
            Sort::Rating | Sort::Epsilon => cursor.value.parse::<f64>().is_ok_and(f64::is_finite),
            _ => cursor.value.parse::<i64>().is_ok(),
        };
        (cursor.sort == sort && makes_sense).then_some(cursor)
    }
}

/// A page, and the cursor of the next one.
pub async fn browse(
    pool: &PgPool,
    filters: &Filters,
    sort: Sort,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<(Vec<Card>, Option<Cursor>), sqlx::Error> {
    let (column, kind, falls) = sort.column();
    let (sign, order) = if falls { ("<", "desc") } else { (">", "asc") };
    let mut query = QueryBuilder::new(SELECT_CARDS);
    filters.push(&mut query);
    if let Some(after) = after {
        query.push(format!(" and (shelf.{column}, shelf.package_id) {sign} ("));
        query.push_bind(after.value.clone());
        query.push(format!("::text::{kind}, "));
        query.push_bind(after.id).push(")");
    }
    query.push(format!(
        " order by shelf.{column} {order}, shelf.package_id {order} limit "
    ));
    query.push_bind(limit + 1);
    // Planned for these very values: a rare model and a frequent one want different plans.
    let mut cards: Vec<Card> = query
        .build_query_as()
        .persistent(false)
        .fetch_all(pool)
        .await?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = cards.len() > shown;
    cards.truncate(shown);
    let next = cards.last().filter(|_| has_more).map(|card| Cursor {
        sort,
        value: sort.value(card),
        id: card.package_id.0,
    });
    Ok((cards, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_for_its_sort_alone() {
        let cursor = Cursor {
            sort: Sort::Price,
            value: "999".to_owned(),
            id: Uuid::nil(),
        };
        let text = cursor.to_string();
        assert_eq!(Cursor::parse(&text, Sort::Price), Some(cursor.clone()));
        assert_eq!(Cursor::parse(&text, Sort::Newest), None);
        let forged = Cursor {
            value: "1 or true".to_owned(),
            ..cursor
        };
        assert_eq!(Cursor::parse(&forged.to_string(), Sort::Price), None);
        assert_eq!(Cursor::parse("x", Sort::Price), None);
    }

    #[test]
    fn each_sort_has_its_name() {
        for sort in Sort::ALL {
            assert_eq!(sort.as_str().parse(), Ok(sort));
            assert_eq!(word(&sort), sort.as_str());
        }
    }
}
