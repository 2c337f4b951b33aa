//! What each account must hold: the posting rules, applied anew to every effect that was acknowledged
//! or discovered.

use std::collections::BTreeMap;

use common::ledger::{Posting, Share, Split};
use common::purchases::PurchaseState;
use uuid::Uuid;

use super::books::Books;
use super::history::History;
use super::judge::{Rule, Verdict};

/// The fee of a stack that is told no other.
const FEE_BASIS_POINTS: u16 = 1500;

/// Each account holds what the posting rules make of the effects, and nothing is held any more.
pub fn judge_balances(verdict: &mut Verdict, history: &History, books: &Books) {
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
        // Money comes in through the clearing account alone, and what the platform refunds it may owe.
        let may_owe =
            ["payments_clearing", "platform_fees", "buyer_debt"].contains(&account.kind.as_str());
        let is_owing = !may_owe && account.posted_minor < account.held_minor;
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
        let disputed = books.disputes.iter().find(|found| found.purchase == row.id);
        postings.push(Posting::settlement(row.id.0, row.buyer, row.seller, split));
        if let Some(dispute) = disputed {
            let (id, net_minor) = (dispute.id.0, split.net_minor);
            // Nothing was drawn of a share that can be disputed or handed back.
            let left_minor = net_minor;
            let freeze = Posting::dispute_freeze(id, row.seller, net_minor, left_minor);
            postings.push(freeze);
            if dispute.state == "resolved_release" {
                let release = Posting::dispute_release(id, row.seller, net_minor, left_minor);
                postings.push(release);
            }
        }
        if row.state == PurchaseState::Refunded {
            let is_frozen = disputed.is_some_and(|dispute| dispute.state == "resolved_refund");
            let share = if is_frozen {
                Share::Frozen
            } else {
                Share::Earned {
                    left_minor: split.net_minor,
                }
            };
            let (id, buyer, seller) = (row.id.0, row.buyer, row.seller);
            postings.push(Posting::refund(id, buyer, seller, split, share));
        }
    }
    for paid in books
        .payments
        .iter()
        .filter(|paid| paid.state == "succeeded")
    {
        postings.push(Posting::top_up(paid.id.0, paid.user, paid.amount_minor));
    }
    for row in &books.chargebacks {
        if !["open", "lost"].contains(&row.state.as_str()) {
            continue;
        }
        // With what has paid the debt since: only what is still owed is no more than a debt.
        let (id, amount_minor) = (row.id.0, row.amount_minor);
        let taken = Posting::chargeback(id, row.user, amount_minor, row.owed_minor);
        postings.push(taken);
        if row.state == "lost" {
            postings.push(Posting::chargeback_lost(id, amount_minor));
        }
    }
    for row in &books.tasks {
        if let Some(paid_minor) = row.paid_minor {
            let split = Split::of(paid_minor, FEE_BASIS_POINTS);
            postings.push(Posting::task_settlement(
                row.id.0,
                row.payer,
                row.provider,
                split,
            ));
        }
    }
    for payout in &books.payouts {
        let (id, amount_minor) = (payout.id.0, payout.amount_minor);
        postings.push(Posting::payout(id, payout.seller, amount_minor));
        match payout.state.as_str() {
            "paid" => postings.push(Posting::payout_paid(id, amount_minor)),
            "returned" => postings.push(Posting::payout_returned(id, payout.seller, amount_minor)),
            _ => {}
        }
    }
    postings
}
