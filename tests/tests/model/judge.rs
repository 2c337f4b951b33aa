//! Compares what clients were told with what the books hold. Pure: it finds, and needs no database.
//!
//! Money is not taken from the books: the posting rules are applied anew to every effect that was
//! acknowledged or discovered, and each account must hold that sum to the cent.

use std::collections::BTreeMap;
use std::fmt;

use common::ids::PurchaseId;

use super::aftermath::{judge_payments, judge_payouts, judge_returns};
use super::books::{Books, PurchaseRow};
use super::history::History;
use super::money::judge_balances;
use super::promises::{
    judge_answers, judge_changes, judge_downloads, judge_key, judge_origins, leads_to,
};
use super::rows::{judge_purchase, judge_supply};
use super::tasks::judge_tasks;

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Something that was acknowledged is not there, or is another's.
    Lost,
    /// Something happened twice that was asked for once.
    Doubled,
    /// Something happened that nobody asked for.
    Invented,
    /// A state that was told was taken back.
    Undone,
    /// Another price than told, expected or listed.
    WrongPrice,
    /// A purchase, its hold, transfers and events disagree.
    Inconsistent,
    /// More was sold than there was.
    Oversold,
    /// A buyer or a seller owes.
    Overdraft,
    /// An account holds another sum than the effects add up to.
    WrongBalance,
    /// Something did not come to its end.
    Unfinished,
    /// The audit of the ledger found something.
    Audit,
    /// An answer or a log line that must not be.
    Fault,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub rule: Rule,
    pub what: String,
}

/// What a run amounts to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    pub violations: Vec<Violation>,
    /// Intentions to buy of which an answer was lost.
    pub unknown: usize,
    /// Those of them that had happened all the same.
    pub unknown_happened: usize,
}

impl Verdict {
    /// How often a rule was broken.
    pub fn count(&self, rule: Rule) -> usize {
        let broken = self.violations.iter().filter(|found| found.rule == rule);
        broken.count()
    }

    /// Writes a violation down.
    pub fn find(&mut self, rule: Rule, what: String) {
        self.violations.push(Violation { rule, what });
    }

    /// Writes it down unless it holds.
    pub fn must(&mut self, holds: bool, rule: Rule, what: impl FnOnce() -> String) {
        if !holds {
            self.find(rule, what());
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Violation { rule, what } in &self.violations {
            writeln!(f, "{rule:?}: {what}")?;
        }
        write!(
            f,
            "lost {}, doubled {}, unknown {} of which {} had happened",
            self.count(Rule::Lost),
            self.count(Rule::Doubled),
            self.unknown,
            self.unknown_happened
        )
    }
}

/// Judges a run that has come to rest.
pub fn judge(history: &History, books: &Books) -> Verdict {
    let mut verdict = Verdict::default();
    let by_id: BTreeMap<PurchaseId, &PurchaseRow> =
        books.purchases.iter().map(|row| (row.id, row)).collect();
    for buy in &history.buys {
        judge_answers(&mut verdict, buy, &by_id);
        judge_key(&mut verdict, buy, books);
    }
    judge_origins(&mut verdict, history, books);
    for sight in &history.sights {
        match by_id.get(&sight.purchase) {
            Some(row) if row.buyer == sight.buyer => {
                verdict.must(leads_to(sight.state, row.state), Rule::Undone, || {
                    format!(
                        "{} was seen as {} and is {}",
                        row.id, sight.state, row.state
                    )
                })
            }
            _ => verdict.find(Rule::Lost, format!("{sight:?}")),
        }
    }
    for row in &books.purchases {
        judge_purchase(&mut verdict, row, books);
    }
    judge_supply(&mut verdict, books);
    judge_downloads(&mut verdict, history, &by_id);
    judge_changes(&mut verdict, history, books);
    judge_payments(&mut verdict, history, books);
    judge_returns(&mut verdict, history, books, &by_id);
    judge_payouts(&mut verdict, history, books);
    judge_tasks(&mut verdict, history, books);
    judge_balances(&mut verdict, history, books);
    for (rule, found) in [
        (Rule::Unfinished, &books.leftovers),
        (Rule::Audit, &books.audit),
        (Rule::Inconsistent, &books.unexplained),
        (Rule::Fault, &history.faults),
    ] {
        for what in found {
            verdict.find(rule, what.clone());
        }
    }
    verdict
}
