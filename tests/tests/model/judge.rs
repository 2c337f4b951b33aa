//! Compares what clients were told with what the books hold. Pure: it finds, and needs no database.
//!
//! Money is not taken from the books: the posting rules are applied anew to every effect that was
//! acknowledged or discovered, and each account must hold that sum to the cent.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use common::ids::{PackageId, PurchaseId, UserId};
use common::ledger::{Posting, Split};
use common::purchases::PurchaseState;
use uuid::Uuid;

use super::books::{Books, PurchaseRow};
use super::history::{Buy, History, Told};

/// The fee of a stack that is told no other.
pub const FEE_BASIS_POINTS: u16 = 1500;

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
    /// A buyer owes.
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

    fn find(&mut self, rule: Rule, what: String) {
        self.violations.push(Violation { rule, what });
    }

    fn must(&mut self, holds: bool, rule: Rule, what: impl FnOnce() -> String) {
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
    judge_changes(&mut verdict, history, books);
    judge_balances(&mut verdict, history, books);
    for (rule, found) in [
        (Rule::Unfinished, &books.leftovers),
        (Rule::Audit, &books.audit),
        (Rule::Fault, &history.faults),
    ] {
        for what in found {
            verdict.find(rule, what.clone());
        }
    }
    verdict
}

/// Every answer is true, or was until a legal step later.
fn judge_answers(verdict: &mut Verdict, buy: &Buy, by_id: &BTreeMap<PurchaseId, &PurchaseRow>) {
    for answer in &buy.answers {
        let (id, state, price_minor) = match answer.told {
            Told::Purchase {
                id,
                state,
                price_minor,
            } => (id, Some(state), price_minor),
            Told::BoughtBefore(id) => (id, None, None),
            Told::Refused(_) | Told::Unknown => continue,
        };
        let found = by_id.get(&id);
        let Some(row) = found.filter(|row| row.buyer == buy.buyer && row.listing == buy.listing)
        else {
            verdict.find(Rule::Lost, format!("{answer:?} of {buy:?}"));
            continue;
        };
        let Some(state) = state else { continue };
        verdict.must(leads_to(state, row.state), Rule::Undone, || {
            format!("{id} was told as {state} and is {}", row.state)
        });
        let said = [price_minor, buy.expected_minor];
        let is_right = said.iter().flatten().all(|said| *said == row.price_minor);
        verdict.must(is_right, Rule::WrongPrice, || {
            format!("{id} costs {} against {buy:?}", row.price_minor)
        });
    }
}

/// A key stands for one purchase, which every repeat was told.
fn judge_key(verdict: &mut Verdict, buy: &Buy, books: &Books) {
    let Some(key) = &buy.key else { return };
    let told: BTreeSet<PurchaseId> = buy.purchases().collect();
    verdict.must(told.len() <= 1, Rule::Doubled, || {
        format!("one key, {told:?}")
    });
    let kept = books.keys.get(&(buy.buyer, key.clone()));
    verdict.must(kept == told.first(), Rule::Lost, || {
        format!("key {key} is kept for {kept:?}, and was told {told:?}")
    });
}

/// Every purchase comes from one request: one that was answered, or one whose answer was lost.
fn judge_origins(verdict: &mut Verdict, history: &History, books: &Books) {
    let mut kept_for: BTreeMap<PurchaseId, usize> = BTreeMap::new();
    for id in books.keys.values() {
        *kept_for.entry(*id).or_default() += 1;
    }
    for (id, keys) in kept_for {
        verdict.must(keys == 1, Rule::Inconsistent, || {
            format!("{id} belongs to {keys} keys")
        });
    }
    let mut claimed: BTreeMap<PurchaseId, usize> = BTreeMap::new();
    let mut lost_answers: BTreeMap<(UserId, PackageId), usize> = BTreeMap::new();
    for buy in &history.buys {
        let told: BTreeSet<PurchaseId> = buy.purchases().collect();
        for id in &told {
            *claimed.entry(*id).or_default() += 1;
        }
        if buy.has_unknown() {
            verdict.unknown += 1;
            if told.is_empty() {
                *lost_answers.entry((buy.buyer, buy.listing)).or_default() += 1;
            }
            let was_answered = |row: &PurchaseRow| {
                let answered = buy.answers.iter().filter(|a| a.told != Told::Unknown);
                let mut ids = answered.filter_map(|answer| answer.request_id.as_deref());
                ids.any(|id| id == row.request_id)
            };
            let own = books.purchases.iter().filter(|row| told.contains(&row.id));
            verdict.unknown_happened += own.filter(|row| !was_answered(row)).count();
        }
    }
    for row in &books.purchases {
        match claimed.get(&row.id) {
            Some(1) => {}
            Some(_) => verdict.find(
                Rule::Doubled,
                format!("{} answers two intentions to buy", row.id),
            ),
            None => match lost_answers.get_mut(&(row.buyer, row.listing)) {
                Some(left) if *left > 0 => {
                    *left -= 1;
                    verdict.unknown_happened += 1;
                }
                _ => verdict.find(Rule::Invented, format!("{row:?}")),
            },
        }
    }
}

/// A purchase agrees with its listing, its hold, its transfers and its events.
fn judge_purchase(verdict: &mut Verdict, row: &PurchaseRow, books: &Books) {
    let listed = books.prices.get(&(row.listing, row.listing_version));
    verdict.must(listed == Some(&row.price_minor), Rule::WrongPrice, || {
        format!("the listing asked {listed:?} for {row:?}")
    });
    verdict.must(row.state.is_final(), Rule::Unfinished, || {
        format!("{row:?}")
    });
    let is_paid = row.price_minor > 0;
    let is_refunded = row.state == PurchaseState::Refunded;
    for (what, is, should) in [
        ("settlements", row.settlements, row.is_settled() && is_paid),
        ("refunds", row.refunds, is_refunded && is_paid),
        ("completed events", row.completed_events, row.is_settled()),
        (
            "failed events",
            row.failed_events,
            row.state == PurchaseState::Failed,
        ),
    ] {
        verdict.must(is <= 1, Rule::Doubled, || format!("{is} {what}: {row:?}"));
        verdict.must((is > 0) == should, Rule::Inconsistent, || {
            format!("{is} {what}: {row:?}")
        });
    }
    let is_right = match row.hold.as_deref() {
        None => !is_paid,
        Some("pending") => !row.state.is_final(),
        Some("posted") => row.is_settled(),
        Some(_) => row.state == PurchaseState::Failed,
    };
    verdict.must(is_right, Rule::Inconsistent, || {
        format!("the hold: {row:?}")
    });
}

/// Nobody bought twice, and nothing was sold that was not there.
fn judge_supply(verdict: &mut Verdict, books: &Books) {
    let mut live: BTreeMap<PackageId, BTreeMap<UserId, usize>> = BTreeMap::new();
    for row in books.purchases.iter().filter(|row| row.is_live()) {
        let buyers = live.entry(row.listing).or_default();
        *buyers.entry(row.buyer).or_default() += 1;
    }
    for (listing, buyers) in &live {
        for (buyer, times) in buyers {
            verdict.must(*times == 1, Rule::Doubled, || {
                format!("{buyer} has {listing} {times} times")
            });
        }
    }
    for listing in &books.listings {
        let Some(supply) = listing.supply else {
            continue;
        };
        let sold: usize = live
            .get(&listing.id)
            .map_or(0, |buyers| buyers.values().sum());
        let is_sound =
            i32::try_from(sold).is_ok_and(|sold| sold <= supply && sold == listing.taken);
        verdict.must(is_sound, Rule::Oversold, || {
            format!("{sold} live purchases: {listing:?}")
        });
    }
}

fn judge_changes(verdict: &mut Verdict, history: &History, books: &Books) {
    for change in &history.changes {
        let kept = books.prices.get(&(change.listing, change.version));
        verdict.must(kept == Some(&change.price_minor), Rule::Lost, || {
            format!("{change:?} is kept as {kept:?}")
        });
    }
    let made: BTreeSet<Uuid> = history
        .adjustments
        .iter()
        .filter(|adjustment| adjustment.is_made)
        .map(|adjustment| adjustment.id)
        .collect();
    for id in &made {
        let times = books.adjustments.get(id).copied().unwrap_or_default();
        verdict.must(times > 0, Rule::Lost, || format!("adjustment {id}"));
        verdict.must(times <= 1, Rule::Doubled, || format!("adjustment {id}"));
    }
    for id in books.adjustments.keys() {
        verdict.must(made.contains(id), Rule::Invented, || {
            format!("adjustment {id}")
        });
    }
}

/// Each account holds what the posting rules make of the effects, and nothing is held any more.
fn judge_balances(verdict: &mut Verdict, history: &History, books: &Books) {
    let mut expected: BTreeMap<(Uuid, String), i64> = BTreeMap::new();
    for leg in postings(history, books)
        .iter()
        .flat_map(|posting| &posting.legs)
    {
        let account = (leg.owner, leg.account.to_string());
        *expected.entry(account).or_default() += leg.amount_minor;
    }
    for account in &books.accounts {
        let key = (account.owner, account.kind.clone());
        let should = expected.remove(&key).unwrap_or_default();
        verdict.must(account.posted_minor == should, Rule::WrongBalance, || {
            format!("the model says {should}: {account:?}")
        });
        verdict.must(account.held_minor == 0, Rule::Unfinished, || {
            format!("{account:?}")
        });
        let is_owing = account.kind == "buyer_credits" && account.posted_minor < account.held_minor;
        verdict.must(!is_owing, Rule::Overdraft, || format!("{account:?}"));
    }
    for (account, should) in expected.into_iter().filter(|(_, should)| *should != 0) {
        verdict.find(
            Rule::WrongBalance,
            format!("the model says {should}, and there is no {account:?}"),
        );
    }
}

/// What must have been posted.
fn postings(history: &History, books: &Books) -> Vec<Posting> {
    let made = history.adjustments.iter().filter(|made| made.is_made);
    let mut postings: Vec<Posting> = made
        .map(|made| Posting::adjustment(made.id, made.user, made.amount_minor))
        .collect();
    for row in books.purchases.iter().filter(|row| row.is_settled()) {
        let split = Split::of(row.price_minor, FEE_BASIS_POINTS);
        postings.push(Posting::settlement(row.id.0, row.buyer, row.seller, split));
        if row.state == PurchaseState::Refunded {
            postings.push(Posting::refund(
                row.id.0, row.buyer, row.seller, split, false,
            ));
        }
    }
    postings
}

/// Whether a purchase may have come from one state to the other.
fn leads_to(from: PurchaseState, to: PurchaseState) -> bool {
    use PurchaseState::{
        AwaitingPayment, Disputed, Failed, PaymentUnknown, Pending, Refunded, Settled,
    };
    from == to
        || match from {
            AwaitingPayment | PaymentUnknown => true,
            Pending => !matches!(to, AwaitingPayment | PaymentUnknown),
            Settled | Disputed => matches!(to, Settled | Disputed | Refunded),
            Failed | Refunded => false,
        }
}
