//! The judge finds what goes wrong after a sale: refunds, disputes, payouts and cards.

use common::ids::{DisputeId, PaymentId, PayoutId};
use common::purchases::PurchaseState;
use uuid::Uuid;

use super::books::{AccountRow, Books, DisputeRow, PaymentRow, PayoutRow};
use super::history::{Dispute, Ending, History, Payout, TopUp};
use super::judge::Rule;
use super::judgements::{BUYER, PURCHASE, SELLER, broken};

const DISPUTE: DisputeId = DisputeId(Uuid::from_u128(11));
const PAYOUT: PayoutId = PayoutId(Uuid::from_u128(12));
const PAYMENT: PaymentId = PaymentId(Uuid::from_u128(13));

/// An account of the platform.
fn platform(books: &mut Books, kind: &str, posted_minor: i64) {
    books.accounts.push(AccountRow {
        owner: Uuid::nil(),
        kind: kind.to_owned(),
        posted_minor,
        held_minor: 0,
    });
}

/// The sale was handed back, and the money with it.
fn refund(history: &mut History, books: &mut Books) {
    history.returns.push(PURCHASE);
    let row = &mut books.purchases[0];
    row.state = PurchaseState::Refunded;
    (row.refunds, row.refunded_events) = (1, 1);
    (books.listings[0].taken, books.listings[0].sales) = (0, 0);
    books.accounts[0].posted_minor += 999;
    books.accounts[1].posted_minor -= 849;
    books.accounts[2].posted_minor -= 150;
}

/// The sale is disputed, and the seller's share frozen.
fn dispute(history: &mut History, books: &mut Books) {
    history.returns.push(PURCHASE);
    history.disputes.push(Dispute {
        id: DISPUTE,
        purchase: PURCHASE,
        buyer: BUYER,
    });
    books.disputes.push(DisputeRow {
        id: DISPUTE,
        purchase: PURCHASE,
        state: "measured".to_owned(),
    });
    books.purchases[0].state = PurchaseState::Disputed;
    books.accounts[1].posted_minor -= 849;
    platform(books, "refunds_reserve", 849);
}

/// The seller was paid five.
fn payout(history: &mut History, books: &mut Books) {
    history.payouts.push(Payout {
        id: PAYOUT,
        seller: SELLER,
        amount_minor: 500,
    });
    history.endings.push(Ending {
        id: PAYOUT.0,
        state: "paid".to_owned(),
    });
    books.payouts.push(PayoutRow {
        id: PAYOUT,
        seller: SELLER,
        amount_minor: 500,
        state: "paid".to_owned(),
    });
    books.accounts[1].posted_minor -= 500;
    books.accounts[3].posted_minor += 500;
}

/// The buyer topped up five by card.
fn top_up(history: &mut History, books: &mut Books) {
    history.top_ups.push(TopUp {
        id: PAYMENT,
        user: BUYER,
        amount_minor: 500,
        is_paid: true,
    });
    books.payments.push(PaymentRow {
        id: PAYMENT,
        user: BUYER,
        purchase: None,
        amount_minor: 500,
        state: "succeeded".to_owned(),
    });
    books.accounts[0].posted_minor += 500;
    books.accounts[3].posted_minor -= 500;
}

#[test]
fn what_follows_a_sale_soundly_breaks_no_rule() {
    assert_eq!(broken(refund), []);
    assert_eq!(broken(dispute), []);
    assert_eq!(broken(payout), []);
    assert_eq!(broken(top_up), []);
}

#[test]
fn a_second_refund_and_one_that_nobody_wanted_are_found() {
    let doubled = broken(|history, books| {
        refund(history, books);
        books.purchases[0].refunds = 2;
        books.accounts[0].posted_minor += 999;
        books.accounts[1].posted_minor -= 999;
    });
    // The share is taken from its seller twice, too.
    assert_eq!(
        doubled,
        [Rule::Doubled, Rule::Overdraft, Rule::WrongBalance]
    );
    let unwanted = broken(|history, books| {
        refund(history, books);
        history.returns.clear();
    });
    assert_eq!(unwanted, [Rule::Invented]);
    let unpaid = broken(|history, books| {
        refund(history, books);
        books.accounts[1].posted_minor += 849;
    });
    assert_eq!(unpaid, [Rule::WrongBalance], "the seller kept the share");
}

#[test]
fn a_dispute_that_is_lost_forgotten_or_froze_nothing_is_found() {
    let lost = broken(|history, books| {
        dispute(history, books);
        books.disputes.clear();
    });
    assert_eq!(
        lost,
        [Rule::Lost, Rule::Inconsistent, Rule::WrongBalance],
        "the purchase still says disputed"
    );
    let unmeasured = broken(|history, books| {
        dispute(history, books);
        books.disputes[0].state = "open".to_owned();
    });
    assert_eq!(unmeasured, [Rule::Unfinished]);
    let unfrozen = broken(|history, books| {
        dispute(history, books);
        books.accounts[1].posted_minor += 849;
        books.accounts[4].posted_minor = 0;
    });
    assert_eq!(unfrozen, [Rule::WrongBalance]);
    let overruled = broken(|history, books| {
        dispute(history, books);
        history.endings.push(Ending {
            id: DISPUTE.0,
            state: "resolved_release".to_owned(),
        });
    });
    assert_eq!(overruled, [Rule::Undone]);
}

#[test]
fn a_payout_that_is_lost_invented_or_ended_twice_is_found() {
    let lost = broken(|history, books| {
        payout(history, books);
        books.payouts.clear();
    });
    assert_eq!(lost, [Rule::Lost, Rule::Undone, Rule::WrongBalance]);
    let invented = broken(|history, books| {
        payout(history, books);
        history.payouts.clear();
    });
    assert_eq!(invented, [Rule::Invented]);
    let both = broken(|history, books| {
        payout(history, books);
        history.endings.push(Ending {
            id: PAYOUT.0,
            state: "returned".to_owned(),
        });
    });
    assert_eq!(both, [Rule::Undone]);
}

#[test]
fn a_card_that_paid_for_nothing_twice_or_never_is_found() {
    let nothing = broken(|history, books| {
        top_up(history, books);
        books.payments[0].state = "failed".to_owned();
    });
    assert_eq!(nothing, [Rule::Lost, Rule::WrongBalance]);
    let twice = broken(|history, books| {
        top_up(history, books);
        books.accounts[0].posted_minor += 500;
        books.accounts[3].posted_minor -= 500;
    });
    assert_eq!(twice, [Rule::WrongBalance]);
    let never = broken(|history, books| {
        top_up(history, books);
        history.top_ups.clear();
    });
    assert_eq!(never, [Rule::Invented]);
    let undecided = broken(|history, books| {
        top_up(history, books);
        history.top_ups[0].is_paid = false;
        books.payments[0].state = "unknown".to_owned();
        books.accounts[0].posted_minor -= 500;
        books.accounts[3].posted_minor += 500;
    });
    assert_eq!(undecided, [Rule::Unfinished]);
}
