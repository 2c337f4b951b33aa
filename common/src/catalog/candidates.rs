//! Which packages a search ranks: a few of what matches, found without reading all of it.

use sqlx::{Postgres, QueryBuilder};

use crate::limits::SEARCH_ROWS_MAX;

/// The most popular of what matches that are ranked.
pub(super) const CANDIDATES: i64 = 300;
/// The most popular of all, which are looked at first: a frequent word has its candidates among them.
const POPULAR: i64 = 2_000;
/// The most popular of those whose name matches that are ranked too.
const NAMED_CANDIDATES: i64 = 100;
/// Where a package is searched by all that it says, and by its name alone.
const TEXT: &str = "search";
const NAME: &str = "name_search";

/// What is looked for, as lexemes.
pub(super) struct Matching<'a> {
    pub text: &'a str,
    /// In the name alone, if names are looked through too.
    pub name: Option<&'a str>,
    /// So many of the most popular are enough.
    pub enough: i64,
}

/// What is ranked: the most popular of what matches, and of what matches by its name.
///
/// Sorting all that has a frequent word would take longest, and looking through the most popular for a
/// rare one. So a few of the most popular are looked through; if they are not enough, so are some of what
/// the index finds. The inner `limit` bounds that, and makes it so whatever the planner guesses.
pub(super) fn push_candidates(
    query: &mut QueryBuilder<Postgres>,
    matching: &Matching<'_>,
    push_match: impl Fn(&mut QueryBuilder<Postgres>, &str, &str),
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
    push_match(query, TEXT, text);
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
    push_match(query, TEXT, text);
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
        push_match(query, NAME, name);
        query.push(format!(
            "    limit {SEARCH_ROWS_MAX}) as found
                 where (select count(*) from matching) >= {CANDIDATES}
                 order by popularity desc, package_id desc
                 limit {NAMED_CANDIDATES}
             )"
        ));
    }
    query.push(")");
}
