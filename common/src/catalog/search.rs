//! Search: words, model names, and words that were meant to be others.
//!
//! A query is split into terms by the function that texts are split with (migration 0031). A term matches
//! the stem of a word (`visions` finds *vision*), the beginning of one (`transl` finds *translation*) or a
//! name whose punctuation is taken out (`gpt4` finds *GPT-4*). A term that nothing on the market begins with
//! is misspelt: it stands for the three words most like it. All terms must match; if that finds too few,
//! the rest is filled with what matches some. A package whose very name is typed is first.
//! `docs/search.md` tells how the result is ranked, `tests/tests/catalogue/relevance.rs` how well.
//!
//! What a query may cost is bounded: its terms, those of them that are corrected, the words that each is
//! compared with, and the time of each statement. Without time for corrections a query is answered as it
//! was typed.

use sqlx::{PgConnection, PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::browse::{Card, Filters, SELECT_CARDS};
use super::candidates::{CANDIDATES, Matching, push_candidates};
use crate::db;
use crate::limits::{
    SEARCH_CANDIDATE_WORDS_MAX, SEARCH_CORRECTED_TERMS_MAX, SEARCH_CORRECTED_WORD_CHARS,
    SEARCH_TERMS_MAX,
};

/// A search reads in one transaction; a statement of it may take so long.
const BEGIN_SEARCH: &str = "begin read only; set local statement_timeout = '2s'";
/// Corrections have less time, for they can be done without. A misspelt word shares 0.4 of its trigrams
/// with what it was meant to be.
const BEGIN_CORRECTIONS: &str = "begin read only; set local statement_timeout = '100ms';
    set local pg_trgm.similarity_threshold = 0.4";

/// One term of a query, as `search_terms` reads it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
struct Term {
    word: String,
    /// A word such as `the`, which is needed only if there is nothing else.
    is_common: bool,
    /// Nothing on the market begins with it, and something may be like it.
    is_unknown: bool,
    /// What it matches, as a tsquery.
    matches: String,
}

/// A query as it was read, before it is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPlan {
    /// As it was typed, for the very name.
    text: String,
    terms: Vec<Term>,
}

impl SearchPlan {
    /// Terms that are to be corrected: what makes a query dear.
    pub fn corrections(&self) -> usize {
        self.misspelt().count()
    }

    /// The first of the unknown terms, with their places.
    fn misspelt(&self) -> impl Iterator<Item = (usize, &Term)> {
        let terms = self.terms.iter().enumerate();
        terms
            .filter(|(_, term)| term.is_unknown)
            .take(SEARCH_CORRECTED_TERMS_MAX)
    }
}

/// Reads a query. PostgreSQL splits it, by the function that texts are split with.
pub async fn plan_search(pool: &PgPool, query: &str) -> Result<SearchPlan, sqlx::Error> {
    let (least, most) = SEARCH_CORRECTED_WORD_CHARS;
    let terms = sqlx::query_as(
        "select terms.word, is_common, matches,
                not is_unspaced
                    and length(terms.word) between $3 and $4
                    -- A number is never misspelt.
                    and terms.word !~ '^[0-9]+$'
                    and not exists (
                        select
                        from shelf_word_packages
                        where shelf_word_packages.word >= terms.word
                          and shelf_word_packages.word < terms.word || chr(1114111)
                    ) as is_unknown
         from search_terms($1, $2) with ordinality as terms (word, is_common, is_unspaced, matches, ordinal)
         order by ordinal",
    )
    .bind(query)
    .bind(SEARCH_TERMS_MAX)
    .bind(least)
    .bind(most)
    .fetch_all(pool)
    .await?;
    Ok(SearchPlan {
        text: query.to_owned(),
        terms,
    })
}

/// What matches best, the best first: `limit` cards from `offset` on, and whether there are more.
pub async fn search(
    pool: &PgPool,
    plan: &SearchPlan,
    filters: &Filters,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Card>, bool), sqlx::Error> {
    let mut terms = plan.terms.clone();
    if plan.corrections() > 0 {
        match correct(pool, plan, &mut terms).await {
            Err(error) if db::is_timeout(&error) => {
                tracing::info!("A search is answered without corrections: they took too long");
            }
            corrected => corrected?,
        }
    }
    let (text, all, any) = (
        plan.text.as_str(),
        needed(&terms, " & "),
        needed(&terms, " | "),
    );
    let mut tx = db::begin_with(pool, BEGIN_SEARCH).await?;
    let wanted = offset + limit + 1;
    let matching = Matching {
        text: &all,
        name: Some(text),
        enough: CANDIDATES,
    };
    let mut cards = find(&mut tx, text, &matching, filters, &[], wanted).await?;
    if (cards.len() as i64) < wanted && any != all {
        let known: Vec<Uuid> = cards.iter().map(|card| card.package_id.0).collect();
        let missing = wanted - cards.len() as i64;
        // They only fill the page: the most popular will do.
        let matching = Matching {
            text: &any,
            name: None,
            enough: missing.min(CANDIDATES),
        };
        cards.extend(find(&mut tx, text, &matching, filters, &known, missing).await?);
    }
    tx.commit().await?;
    let skip = usize::try_from(offset).unwrap_or(usize::MAX);
    let take = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = cards.len() > skip + take;
    Ok((cards.into_iter().skip(skip).take(take).collect(), has_more))
}

/// The terms that a package must match, as one tsquery; an empty one matches nothing.
fn needed(terms: &[Term], operator: &str) -> String {
    let all_are_common = terms.iter().all(|term| term.is_common);
    let needed = terms
        .iter()
        .filter(|term| all_are_common || !term.is_common);
    let each: Vec<String> = needed.map(|term| format!("({})", term.matches)).collect();
    each.join(operator)
}

/// Adds to each misspelt term the words that it may have been meant to be, all in one statement.
async fn correct(pool: &PgPool, plan: &SearchPlan, terms: &mut [Term]) -> Result<(), sqlx::Error> {
    let (places, words): (Vec<i64>, Vec<&str>) = plan
        .misspelt()
        .map(|(place, term)| (place as i64, term.word.as_str()))
        .unzip();
    let mut tx = db::begin_with(pool, BEGIN_CORRECTIONS).await?;
    let near: Vec<(i64, String)> = sqlx::query_as(
        "select place, near.word
         from (
             select place, word, ascii_letters(word) as letters
             from unnest($1::text[], $2::bigint[]) as asked (word, place)
         ) as asked,
             lateral (
                 select word
                 from (
                     select word, letters
                     from shelf_words
                     where shelf_words.letters % asked.letters
                       -- Letters that stand for others are like those only.
                       and (shelf_words.letters = shelf_words.word) = (asked.letters = asked.word)
                     limit $3
                 ) as candidates
                 where exists (select from shelf_word_packages where shelf_word_packages.word = candidates.word)
                 order by similarity(candidates.letters, asked.letters) desc, word
                 limit 3
             ) as near",
    )
    .bind(words)
    .bind(places)
    .bind(SEARCH_CANDIDATE_WORDS_MAX)
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    for (place, word) in near {
        let place = usize::try_from(place).unwrap_or_default();
        if let Some(term) = terms.get_mut(place) {
            term.matches.push_str(&format!(" | '{word}':*"));
        }
    }
    Ok(())
}

/// The best of what matches, without those that are known already.
async fn find(
    conn: &mut PgConnection,
    text: &str,
    matching: &Matching<'_>,
    filters: &Filters,
    known: &[Uuid],
    limit: i64,
) -> Result<Vec<Card>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("with ");
    push_candidates(&mut query, matching, |query, place, sought| {
        filters.push(query);
        let (before, after) = place.condition();
        query.push(before).push_bind(sought.to_owned()).push(after);
        query.push(" and package_id <> all(");
        query.push_bind(known.to_vec()).push(")");
    });
    query.push(
        ", best as (
             select package_id,
                 ts_rank('{0.05, 0.2, 0.6, 1.0}', search, ",
    );
    query.push_bind(matching.text.to_owned());
    query.push("::tsquery, 1) * 10 + case when folded_name = (select folded_name(");
    query.push_bind(text.to_owned());
    query.push(")) then 100 when name_search @@ ");
    query.push_bind(matching.text.to_owned());
    query.push(
        "::tsquery then 2 else 0 end + 0.15 * popularity as score
             from candidates
             join shelf using (package_id)
             order by score desc, package_id desc
             limit ",
    );
    query.push_bind(limit);
    query.push(") ");
    query.push(SELECT_CARDS);
    query.push(" join best on best.package_id = shelf.package_id order by score desc, shelf.package_id desc");
    query.build_query_as().fetch_all(conn).await
}
