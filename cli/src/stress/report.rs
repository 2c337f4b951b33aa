//! What a run came to: for people, and as JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::checks::Check;
use super::operations::{Outcome, Player, refusals};
use super::plan::Kind;
use crate::table::Table;

/// A run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    seed: u64,
    clients: usize,
    operations: usize,
    seconds: f64,
    operations_per_second: f64,
    /// Of the operations.
    success_rate: f64,
    conflicts: u64,
    lease_timeouts: usize,
    /// Operations that were refused, by status and code.
    refused: BTreeMap<String, u64>,
    /// Operations without an answer.
    lost: usize,
    kinds: Vec<KindReport>,
    checks: Vec<Check>,
}

/// The operations of a kind.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct KindReport {
    kind: Kind,
    operations: usize,
    done: usize,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
}

impl Report {
    pub fn new(seed: u64, seconds: f64, players: &[Player], checks: Vec<Check>) -> Self {
        let all: Vec<_> = players.iter().flat_map(|player| &player.done).collect();
        let count = |wanted: &dyn Fn(&Outcome) -> bool| {
            all.iter().filter(|(_, outcome, _)| wanted(outcome)).count()
        };
        let done = count(&|outcome| *outcome == Outcome::Done);
        let kinds = Kind::ALL
            .into_iter()
            .filter_map(|kind| KindReport::new(kind, players));
        Self {
            seed,
            clients: players.len(),
            operations: all.len(),
            seconds,
            operations_per_second: all.len() as f64 / seconds,
            success_rate: done as f64 / all.len().max(1) as f64,
            conflicts: players.iter().map(|player| player.conflicts).sum(),
            lease_timeouts: count(&|outcome| *outcome == Outcome::LeaseTimeout),
            refused: refusals(players),
            lost: count(&Outcome::is_lost),
            kinds: kinds.collect(),
            checks,
        }
    }

    /// Whether each check is true.
    pub fn is_sound(&self) -> bool {
        self.checks.iter().all(|check| check.is_true)
    }
}

impl KindReport {
    fn new(kind: Kind, players: &[Player]) -> Option<Self> {
        let done = players.iter().flat_map(|player| &player.done);
        let of_kind: Vec<_> = done.filter(|(other, _, _)| *other == kind).collect();
        let mut times: Vec<f64> = of_kind.iter().map(|(_, _, ms)| *ms).collect();
        times.sort_by(f64::total_cmp);
        let last = times.len().checked_sub(1)?;
        let at = |share: f64| times[(last as f64 * share) as usize];
        Some(Self {
            kind,
            operations: of_kind.len(),
            done: of_kind
                .iter()
                .filter(|(_, outcome, _)| *outcome == Outcome::Done)
                .count(),
            p50_ms: at(0.5),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kinds = Table::new(["KIND", "OPERATIONS", "DONE", "P50 MS", "P95 MS", "P99 MS"]);
        for report in &self.kinds {
            kinds.row([
                report.kind.to_string(),
                report.operations.to_string(),
                report.done.to_string(),
                format!("{:.1}", report.p50_ms),
                format!("{:.1}", report.p95_ms),
                format!("{:.1}", report.p99_ms),
            ]);
        }
        writeln!(f, "{kinds}")?;
        writeln!(
            f,
            "{} operations by {} clients in {:.1} s: {:.0}/s, {:.1} % succeeded, {} conflicts, {} lease timeouts, {} lost (seed {})",
            self.operations,
            self.clients,
            self.seconds,
            self.operations_per_second,
            self.success_rate * 100.0,
            self.conflicts,
            self.lease_timeouts,
            self.lost,
            self.seed,
        )?;
        for (code, count) in &self.refused {
            writeln!(f, "refused: {count} x {code}")?;
        }
        writeln!(f)?;
        for check in &self.checks {
            match &check.fault {
                None => writeln!(f, "true   {}", check.claim)?,
                Some(fault) => writeln!(f, "FALSE  {}: {fault}", check.claim)?,
            }
        }
        Ok(())
    }
}
