//! What requests do that leaves no row of its own, counted in memory and written every few seconds.
//!
//! A process writes its totals of an hour, not what was added since: so a write that is repeated, because nobody knows
//! whether it went through, counts nothing twice. What is not written yet is lost if the process is killed; one that
//! stops writes first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgPool;
use unicode_normalization::UnicodeNormalization as _;
use uuid::Uuid;

use super::Period;
use crate::ids::{PackagePublicId, UserId};
use crate::limits::{
    ACTIVE_ACCOUNTS_REMEMBERED_MAX, REQUEST_COUNT_ROWS_MAX, SEARCH_TERM_CHARS_MAX,
    SEARCH_TERMS_PER_HOUR_MAX, VIEWED_PACKAGES_MAX,
};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    View,
    SearchWithoutResults,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::SearchWithoutResults => "search_without_results",
        }
    }

    /// How many keys of an hour are counted one by one.
    fn keys_max(self) -> usize {
        match self {
            Self::View => VIEWED_PACKAGES_MAX,
            Self::SearchWithoutResults => SEARCH_TERMS_PER_HOUR_MAX,
        }
    }
}

/// What was counted under a key, and how much of it is written.
#[derive(Debug, Clone, Copy, Default)]
struct Total {
    requests: i64,
    written: i64,
}

/// An hour of one kind.
type Hour = (DateTime<Utc>, Kind);

#[derive(Debug, Default)]
struct Counts {
    hours: HashMap<Hour, HashMap<String, Total>>,
    /// Whether each is written.
    active: HashMap<(NaiveDate, UserId), bool>,
}

/// The counts of a process; clones share them.
#[derive(Debug, Clone)]
pub struct RequestCounts {
    process: Uuid,
    counts: Arc<Mutex<Counts>>,
}

/// A total that is to be written.
#[derive(Debug)]
struct Row {
    hour: Hour,
    key: String,
    requests: i64,
}

impl Default for RequestCounts {
    fn default() -> Self {
        Self {
            process: Uuid::now_v7(),
            counts: Arc::default(),
        }
    }
}

impl RequestCounts {
    /// The page of a package was shown.
    pub fn view(&self, package: &PackagePublicId) {
        self.add(Kind::View, package.as_str());
    }

    /// A search found nothing.
    pub fn search_without_results(&self, query: &str) {
        self.add(Kind::SearchWithoutResults, &term(query));
    }

    /// An account made a request.
    pub fn account(&self, account: UserId) {
        let mut counts = self.lock();
        let active = &mut counts.active;
        if active.len() >= ACTIVE_ACCOUNTS_REMEMBERED_MAX {
            active.retain(|_, is_written| !*is_written);
        }
        if active.len() < ACTIVE_ACCOUNTS_REMEMBERED_MAX {
            active
                .entry((Utc::now().date_naive(), account))
                .or_default();
        }
    }

    /// Writes what is not written yet.
    pub async fn flush(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let (rows, active) = self.unwritten();
        for rows in rows.chunks(REQUEST_COUNT_ROWS_MAX) {
            write_totals(pool, self.process, rows).await?;
            self.note_written(rows);
        }
        for active in active.chunks(REQUEST_COUNT_ROWS_MAX) {
            write_active(pool, active).await?;
            self.note_active(active);
        }
        self.forget_the_past(Utc::now());
        Ok(())
    }

    fn add(&self, kind: Kind, key: &str) {
        let hour = (Period::Hour.start_of(Utc::now()), kind);
        let mut counts = self.lock();
        let keys = counts.hours.entry(hour).or_default();
        let has_place = keys.contains_key(key) || keys.len() < kind.keys_max();
        let key = if has_place { key } else { "" };
        match keys.get_mut(key) {
            Some(total) => total.requests += 1,
            None => {
                let total = Total {
                    requests: 1,
                    written: 0,
                };
                keys.insert(key.to_owned(), total);
            }
        }
    }

    fn unwritten(&self) -> (Vec<Row>, Vec<(NaiveDate, UserId)>) {
        let counts = self.lock();
        let totals = counts.hours.iter().flat_map(|(hour, keys)| {
            let fresh = keys
                .iter()
                .filter(|(_, total)| total.requests > total.written);
            fresh.map(move |(key, total)| Row {
                hour: *hour,
                key: key.clone(),
                requests: total.requests,
            })
        });
        let active = counts.active.iter().filter(|(_, is_written)| !**is_written);
        (
            totals.collect(),
            active.map(|(active, _)| *active).collect(),
        )
    }

    fn note_written(&self, rows: &[Row]) {
        let mut counts = self.lock();
        for row in rows {
            let keys = counts.hours.get_mut(&row.hour);
            if let Some(total) = keys.and_then(|keys| keys.get_mut(&row.key)) {
                total.written = total.written.max(row.requests);
            }
        }
    }

    fn note_active(&self, written: &[(NaiveDate, UserId)]) {
        let mut counts = self.lock();
        for active in written {
            if let Some(is_written) = counts.active.get_mut(active) {
                *is_written = true;
            }
        }
    }

    /// Hours that are over and written, and the days before today.
    fn forget_the_past(&self, now: DateTime<Utc>) {
        let (hour, today) = (Period::Hour.start_of(now), now.date_naive());
        let mut counts = self.lock();
        counts.hours.retain(|(at, _), keys| {
            *at >= hour || keys.values().any(|total| total.requests > total.written)
        });
        counts
            .active
            .retain(|(day, _), is_written| *day >= today || !*is_written);
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A query as it is counted.
fn term(query: &str) -> String {
    let folded = query.nfkc().collect::<String>().to_lowercase();
    let words: Vec<&str> = folded.split_whitespace().collect();
    let words = words.join(" ");
    let shown = words.chars().filter(|char| !char.is_control());
    shown.take(SEARCH_TERM_CHARS_MAX).collect()
}

async fn write_totals(pool: &PgPool, process: Uuid, rows: &[Row]) -> Result<(), sqlx::Error> {
    let hours: Vec<DateTime<Utc>> = rows.iter().map(|row| row.hour.0).collect();
    let kinds: Vec<&str> = rows.iter().map(|row| row.hour.1.as_str()).collect();
    let keys: Vec<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    let requests: Vec<i64> = rows.iter().map(|row| row.requests).collect();
    sqlx::query(
        "insert into request_counts as known (starts_at, kind, key, process_id, requests)
         select starts_at, kind, key, $5, requests
         from unnest($1, $2, $3, $4) as counted (starts_at, kind, key, requests)
         on conflict (starts_at, kind, key, process_id) do update
         set requests = greatest(known.requests, excluded.requests)",
    )
    .bind(hours)
    .bind(kinds)
    .bind(keys)
    .bind(requests)
    .bind(process)
    .execute(pool)
    .await?;
    Ok(())
}

async fn write_active(pool: &PgPool, active: &[(NaiveDate, UserId)]) -> Result<(), sqlx::Error> {
    let (days, accounts): (Vec<NaiveDate>, Vec<Uuid>) = active
        .iter()
        .map(|(day, account)| (*day, account.0))
        .unzip();
    sqlx::query(
        "insert into active_days (day, account_id)
         select day, account_id
         from unnest($1, $2) as seen (day, account_id)
         on conflict do nothing",
    )
    .bind(days)
    .bind(accounts)
    .execute(pool)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unwritten(counts: &RequestCounts) -> Vec<(String, i64)> {
        let (rows, _) = counts.unwritten();
        let mut rows: Vec<_> = rows
            .into_iter()
            .map(|row| (row.key, row.requests))
            .collect();
        rows.sort();
        rows
    }

    #[test]
    fn terms_that_mean_one_thing_are_one_and_long_ones_are_cut() {
        assert_eq!(term("  ＧＰＴ-4\u{7}  Vision "), "gpt-4 vision");
        assert_eq!(
            term(&"é".repeat(100)).chars().count(),
            SEARCH_TERM_CHARS_MAX
        );
    }

    #[test]
    fn totals_are_written_again_until_nothing_was_added_to_them() {
        let counts = RequestCounts::default();
        counts.search_without_results("zebra");
        counts.search_without_results("Zebra ");
        let (first, _) = counts.unwritten();
        assert_eq!(unwritten(&counts), [("zebra".to_owned(), 2)]);
        counts.search_without_results("zebra");
        counts.note_written(&first);
        assert_eq!(
            unwritten(&counts),
            [("zebra".to_owned(), 3)],
            "the total, not what was added"
        );
        counts.note_written(&counts.unwritten().0);
        assert!(unwritten(&counts).is_empty());
    }

    #[test]
    fn keys_beyond_the_limit_are_counted_together() {
        let counts = RequestCounts::default();
        for number in 0..SEARCH_TERMS_PER_HOUR_MAX + 5 {
            counts.search_without_results(&format!("term {number}"));
        }
        let rows = unwritten(&counts);
        assert_eq!(rows.len(), SEARCH_TERMS_PER_HOUR_MAX + 1);
        assert_eq!(rows[0], (String::new(), 5));
    }

    #[test]
    fn an_account_is_written_once_a_day_and_the_past_is_forgotten_once_it_is_written() {
        let counts = RequestCounts::default();
        let account = UserId::new();
        counts.account(account);
        counts.account(account);
        counts.search_without_results("zebra");
        let (rows, active) = counts.unwritten();
        assert_eq!(active.len(), 1);
        let tomorrow = Utc::now() + Period::Day.length();
        counts.forget_the_past(tomorrow);
        assert_eq!(counts.unwritten().1, active, "not written yet");
        counts.note_active(&active);
        counts.note_written(&rows);
        counts.account(account);
        assert!(counts.unwritten().1.is_empty());
        counts.forget_the_past(tomorrow);
        let kept = counts.lock();
        assert!(kept.hours.is_empty() && kept.active.is_empty());
    }
}
