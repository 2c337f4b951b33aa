//! Search: words, model names, and words that were meant to be others.
//!
//! A query is split into terms. A term matches the stem of a word (`visions` finds *vision*), the
//! beginning of one (`transl` finds *translation*) or a name whose punctuation is taken out (`gpt4` finds
//! *GPT-4*). A term that nothing on the market begins with is misspelt: it stands for the three words most
//! like it. All terms must match; if that finds too few, the rest is filled with what matches some.
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

/// One term: the alternatives that match it, as lexemes of letters and digits.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    /// As it was typed, for stemming.
    word: String,
    /// Beginnings of squeezed words.
    beginnings: Vec<String>,
}

/// The terms of a query.
fn terms(query: &str) -> Vec<Term> {
    let lower = query.to_lowercase();
    let tokens: Vec<&str> = lower
        .split(|char: char| char.is_whitespace() || ",;:!?()\"'".contains(char))
        .filter(|token| token.chars().any(char::is_alphanumeric))
        .take(SEARCH_TERMS_MAX)
        .collect();
    let squeezed = |token: &str| -> String {
        let name = token.rsplit('/').next().unwrap_or(token);
        name.chars().filter(|char| char.is_alphanumeric()).collect()
    };
    let mut terms: Vec<Term> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let this = squeezed(token);
        if this.is_empty() {
            continue;
        }
        let starts_with_digit = this.starts_with(|char: char| char.is_ascii_digit());
        let before = at.checked_sub(1).map(|before| squeezed(tokens[before]));
        let follows_word = before
            .as_ref()
            .is_some_and(|before| before.chars().all(char::is_alphabetic) && !before.is_empty());
        if starts_with_digit && follows_word {
            // `gpt 4` is gpt4 to whoever types it.
            let joined = format!("{}{this}", before.unwrap_or_default());
            if let Some(last) = terms.last_mut() {
                *last = Term {
                    word: joined.clone(),
                    beginnings: vec![joined],
                };
                continue;
            }
        }
        terms.push(Term {
            word: this.clone(),
            beginnings: vec![this],
        });
    }
    terms
}

/// A query as it was read, before it is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPlan {
    /// As it was typed, for the very name.
    text: String,
    terms: Vec<Term>,
    /// Positions of the terms that are to be corrected.
    misspelt: Vec<usize>,
}

impl SearchPlan {
    /// Terms that are to be corrected: what makes a query dear.
    pub fn corrections(&self) -> usize {
        self.misspelt.len()
    }
}

/// Reads a query. Nothing on the market begins with a term that is misspelt; of those that are too many
/// the first are corrected.
pub async fn plan_search(pool: &PgPool, query: &str) -> Result<SearchPlan, sqlx::Error> {
    let terms = terms(query);
    let (least, most) = SEARCH_CORRECTED_WORD_CHARS;
    let may_be_misspelt = |word: &str| {
        // A number is never misspelt.
        (least..=most).contains(&word.chars().count())
            && !word.chars().all(|char| char.is_ascii_digit())
    };
    let (positions, words): (Vec<i64>, Vec<&str>) = terms
        .iter()
        .enumerate()
        .filter(|(_, term)| may_be_misspelt(&term.word))
        .map(|(at, term)| (at as i64, term.word.as_str()))
        .unzip();
    let mut misspelt: Vec<i64> = Vec::new();
    if !words.is_empty() {
        misspelt = sqlx::query_scalar(
            "select position
             from unnest($1::text[], $2::bigint[]) as asked (word, position)
             where not exists (
                 select
                 from shelf_word_packages
                 where word >= asked.word
                   and word < asked.word || chr(1114111)
             )
             order by position
             limit $3",
        )
        .bind(words)
        .bind(positions)
        .bind(SEARCH_CORRECTED_TERMS_MAX)
        .fetch_all(pool)
        .await?;
    }
    let misspelt = misspelt.into_iter();
    Ok(SearchPlan {
        text: query.to_owned(),
        misspelt: misspelt.filter_map(|at| at.try_into().ok()).collect(),
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
    let (text, mut terms) = (plan.text.as_str(), plan.terms.clone());
    if terms.is_empty() {
        return Ok((Vec::new(), false));
    }
    if !plan.misspelt.is_empty() {
        match correct(pool, plan, &mut terms).await {
            Err(error) if db::is_timeout(&error) => {
                tracing::info!("A search is answered without corrections: they took too long");
            }
            corrected => corrected?,
        }
    }
    let mut tx = db::begin_with(pool, BEGIN_SEARCH).await?;
    let asked = ask(&mut tx, &terms).await?;
    let wanted = offset + limit + 1;
    let all = &asked.all_of;
    let matching = Matching {
        text: all,
        name: Some(&asked.named),
        enough: CANDIDATES,
    };
    let mut cards = find(&mut tx, text, &matching, filters, &[], wanted).await?;
    if (cards.len() as i64) < wanted && asked.any_of != *all {
        let known: Vec<Uuid> = cards.iter().map(|card| card.package_id.0).collect();
        let missing = wanted - cards.len() as i64;
        // They only fill the page: the most popular will do.
        let matching = Matching {
            text: &asked.any_of,
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

/// Adds to each misspelt term the words that it may have been meant to be, all in one statement.
async fn correct(pool: &PgPool, plan: &SearchPlan, terms: &mut [Term]) -> Result<(), sqlx::Error> {
    let misspelt = plan.misspelt.iter();
    let (positions, words): (Vec<i64>, Vec<&str>) = misspelt
        .map(|at| (*at as i64, plan.terms[*at].word.as_str()))
        .unzip();
    let mut tx = db::begin_with(pool, BEGIN_CORRECTIONS).await?;
    let near: Vec<(i64, String)> = sqlx::query_as(
        "select position, near.word
         from unnest($1::text[], $2::bigint[]) as asked (word, position),
             lateral (
                 select word
                 from (
                     select word
                     from shelf_words
                     where shelf_words.word % asked.word
                     limit $3
                 ) as candidates
                 where exists (select from shelf_word_packages where shelf_word_packages.word = candidates.word)
                 order by similarity(candidates.word, asked.word) desc, word
                 limit 3
             ) as near",
    )
    .bind(words)
    .bind(positions)
    .bind(SEARCH_CANDIDATE_WORDS_MAX)
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    for (position, word) in near {
        let at = usize::try_from(position).unwrap_or_default();
        if let Some(term) = terms.get_mut(at) {
            term.beginnings.push(word);
        }
    }
    Ok(())
}

/// A query in PostgreSQL's words.
#[derive(Debug, sqlx::FromRow)]
struct Asked {
    all_of: String,
    any_of: String,
    /// All of them, for the name alone.
    named: String,
}

async fn ask(conn: &mut PgConnection, terms: &[Term]) -> Result<Asked, sqlx::Error> {
    let beginnings = |term: &Term| {
        let each = term.beginnings.iter().map(|word| format!("{word}:*"));
        each.collect::<Vec<String>>().join(" | ")
    };
    let anywhere: Vec<String> = terms.iter().map(beginnings).collect();
    let words: Vec<&str> = terms.iter().map(|term| term.word.as_str()).collect();
    sqlx::query_as(
        "with asked as (
             select word, to_tsquery('english', word) as stem, to_tsquery('simple', anywhere) as anywhere
             from unnest($1::text[], $2::text[]) as term (word, anywhere)
         ), needed as (
             -- A word such as `the` is needed only if there is nothing else.
             select *
             from asked
             where numnode(stem) > 0
                or not exists (select from asked where numnode(stem) > 0)
         )
         select string_agg(format('(%s)', either), ' & ') as all_of,
                string_agg(format('(%s)', either), ' | ') as any_of,
                string_agg(format('(%s)', anywhere), ' & ') as named
         from (
             -- A stem that is the word itself is among its beginnings.
             select anywhere::text,
                    case
                        when numnode(stem) = 0 or stem::text = quote_literal(word) then anywhere
                        else stem || anywhere
                    end::text as either
             from needed
         ) as terms",
    )
    .bind(words)
    .bind(anywhere)
    .fetch_one(conn)
    .await
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
    push_candidates(&mut query, matching, |query, column, lexemes| {
        filters.push(query);
        query.push(format!(" and {column} @@ "));
        query.push_bind(lexemes.to_owned()).push("::tsquery");
        query.push(" and package_id <> all(");
        query.push_bind(known.to_vec()).push(")");
    });
    query.push(
        ", best as (
             select package_id,
                 ts_rank('{0.05, 0.2, 0.6, 1.0}', search, ",
    );
    query.push_bind(matching.text.to_owned());
    query.push("::tsquery, 1) * 10 + case when lower(name) = ");
    query.push_bind(text.trim().to_lowercase());
    query.push(
        " then 5 else 0 end + 0.15 * popularity as score
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_names_are_one_term_however_they_are_typed() {
        let words = |query: &str| {
            let terms = terms(query).into_iter();
            terms.map(|term| term.word).collect::<Vec<String>>()
        };
        assert_eq!(words("GPT-4 vision"), ["gpt4", "vision"]);
        assert_eq!(words("gpt 4 vision"), ["gpt4", "vision"]);
        assert_eq!(words("gpt4"), ["gpt4"]);
        assert_eq!(words("openai/gpt-3.5-turbo"), ["gpt35turbo"]);
        assert_eq!(words("  \"vision\", (captions)! "), ["vision", "captions"]);
        assert_eq!(words("4 all"), ["4", "all"]);
        assert!(words("!?& | ' :*").is_empty());
        assert_eq!(terms(&"a ".repeat(100)).len(), SEARCH_TERMS_MAX);
    }
}
