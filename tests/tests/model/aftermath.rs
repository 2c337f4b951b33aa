//! What clients were told of cards, refunds, disputes and payouts, against what is there.

use std::collections::BTreeMap;

use common::ids::PurchaseId;
use common::purchases::PurchaseState;
use uuid::Uuid;

use super::books::{Books, PurchaseRow};
use super::history::History;
use super::judge::{Rule, Verdict};

/// A card that was said to have paid has paid, and each payment belongs to a request or a purchase.
pub fn judge_payments(verdict: &mut Verdict, history: &History, books: &Books) {
    let told: BTreeMap<_, _> = history.top_ups.iter().map(|told| (told.id, told)).collect();
    for told in told.values() {
        let found = books.payments.iter().find(|row| row.id == told.id);
        let is_right = found.is_some_and(|row| {
            row.user == told.user
                && row.amount_minor == told.amount_minor
                && (!told.is_paid || row.state == "succeeded")
        });
        verdict.must(is_right, Rule::Lost, || format!("{told:?} is {found:?}"));
    }
    for row in &books.payments {
        let is_over = ["succeeded", "failed", "canceled"].contains(&row.state.as_str());
        verdict.must(is_over, Rule::Unfinished, || format!("{row:?}"));
        let is_asked = match row.purchase {
            None => told.contains_key(&row.id),
            Some(id) => books.purchases.iter().any(|purchase| {
                purchase.id == id
                    && purchase.buyer == row.user
                    && purchase.price_minor == row.amount_minor
            }),
        };
        verdict.must(is_asked, Rule::Invented, || format!("{row:?}"));
    }
}

/// A dispute that was told is there, and nothing was handed back that nobody wanted back.
pub fn judge_returns(
    verdict: &mut Verdict,
    history: &History,
    books: &Books,
    by_id: &BTreeMap<PurchaseId, &PurchaseRow>,
) {
    for told in &history.disputes {
        let found = books.disputes.iter().find(|row| row.id == told.id);
        let is_right = found.is_some_and(|row| row.purchase == told.purchase)
            && by_id
                .get(&told.purchase)
                .is_some_and(|row| row.buyer == told.buyer);
        verdict.must(is_right, Rule::Lost, || format!("{told:?} is {found:?}"));
    }
    for row in by_id.values() {
        let disputes = books
            .disputes
            .iter()
            .filter(|found| found.purchase == row.id);
        let disputes: Vec<_> = disputes.collect();
        let is_returned = row.state == PurchaseState::Refunded || !disputes.is_empty();
        let is_wanted = history.returns.contains(&row.id);
        verdict.must(is_wanted || !is_returned, Rule::Invented, || {
            format!("returned: {row:?}")
        });
        verdict.must(disputes.len() <= 1, Rule::Doubled, || {
            format!("{disputes:?}")
        });
        let is_frozen = disputes
            .iter()
            .any(|dispute| ["open", "measured"].contains(&dispute.state.as_str()));
        let is_disputed = row.state == PurchaseState::Disputed;
        verdict.must(is_frozen == is_disputed, Rule::Inconsistent, || {
            format!("{disputes:?} of {row:?}")
        });
    }
    for row in books.disputes.iter().filter(|row| row.state == "open") {
        verdict.find(Rule::Unfinished, format!("{row:?}"));
    }
}

/// A payout that was told is there, none is there that was not, and an end that was told stands.
pub fn judge_payouts(verdict: &mut Verdict, history: &History, books: &Books) {
    let told: BTreeMap<_, _> = history.payouts.iter().map(|told| (told.id, told)).collect();
    for told in told.values() {
        let found = books.payouts.iter().find(|row| row.id == told.id);
        let is_right = found
            .is_some_and(|row| row.seller == told.seller && row.amount_minor == told.amount_minor);
        verdict.must(is_right, Rule::Lost, || format!("{told:?} is {found:?}"));
    }
    for row in &books.payouts {
        verdict.must(told.contains_key(&row.id), Rule::Invented, || {
            format!("{row:?}")
        });
    }
    let disputes = books.disputes.iter().map(|row| (row.id.0, &row.state));
    let payouts = books.payouts.iter().map(|row| (row.id.0, &row.state));
    let states: BTreeMap<Uuid, &String> = disputes.chain(payouts).collect();
    for ending in &history.endings {
        let state = states.get(&ending.id);
        verdict.must(state == Some(&&ending.state), Rule::Undone, || {
            format!("{ending:?} is {state:?}")
        });
    }
}
