//! Which packages a search ranks: a few of what matches, found without reading all of it.

use sqlx::{Postgres, QueryBuilder};

use crate::limits::SEARCH_ROWS_MAX;

/// The most popular of what matches that are ranked.
pub(super) const CANDIDATES: i64 = 300;
/// The most popular of all, which are looked at first: a frequent word has its candidates among them.
const POPULAR: i64 = 2_000;
/// The most popular of those whose name matches that are ranked too.
const NAMED_CANDIDATES: i64 = 100;
/// The most popular of those whose very name is typed that are ranked in any case.
const NAMESAKE_CANDIDATES: i64 = 100;

/// Where a package is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// In all that it says.
    Text,
    /// In its name alone.
    Name,
    /// Its name as a whole.
    WholeName,
}

impl Place {
    /// The condition, before and after what is sought.
    pub(super) fn condition(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => (" and search @@ ", "::tsquery"),
            Self::Name => (" and name_search @@ ", "::tsquery"),
            Self::WholeName => (" and folded_name = folded_name(", ")"),
        }
    }
}

/// What is looked for.
pub(super) struct Matching<'a> {
    /// As a tsquery.
    pub text: &'a str,
    /// As it was typed, if names are looked through too.
    pub name: Option<&'a str>,
    /// So many of the most popular are enough.
    pub enough: i64,
}

/// What is ranked: the most popular of what matches, of what matches by its name, and of what is so named.
///
/// Sorting all that has a frequent word would take longest, and looking through the most popular for a
/// rare one. So a few of the most popular are looked through; if they are not enough, so are some of what
/// the index finds. The inner `limit` bounds that, and makes it so whatever the planner guesses.
pub(super) fn push_candidates(
    query: &mut QueryBuilder<Postgres>,
    matching: &Matching<'_>,
    push_match: impl Fn(&mut QueryBuilder<Postgres>, Place, &str),
) {
    let Matching { text, name, enough } = *matching;
    query.push(format!(
        "popular as materialized (
             select package_id
             from (
                 select *
                 from shelf
                 where is_shown
                 order by popularity desc, package_id desc
                 limit {POPULAR}
             ) as shelf"
    ));
    push_match(query, Place::Text, text);
    query.push(format!(
        "    order by popularity desc, package_id desc
             limit {CANDIDATES}
         ), matching as materialized (
             select package_id
             from popular
             union (
                 select package_id
                 from (select package_id, popularity from shelf"
    ));
    push_match(query, Place::Text, text);
    query.push(format!(
        "        limit {SEARCH_ROWS_MAX}) as found
                 where (select count(*) from popular) < {enough}
                 order by popularity desc, package_id desc
                 limit {CANDIDATES}
             )
         ), candidates as (
             select package_id
             from matching"
    ));
    if let Some(name) = name {
        query.push(
            " union (
                 select package_id
                 from (select package_id, popularity from shelf",
        );
        push_match(query, Place::Name, text);
        query.push(format!(
            "    limit {SEARCH_ROWS_MAX}) as found
                 where (select count(*) from matching) >= {CANDIDATES}
                 order by popularity desc, package_id desc
                 limit {NAMED_CANDIDATES}
             ) union (
                 select package_id
                 from shelf"
        ));
        push_match(query, Place::WholeName, name);
        query.push(format!(
            "    order by popularity desc, package_id desc
                 limit {NAMESAKE_CANDIDATES}
             )"
        ));
    }
    query.push(")");
}
