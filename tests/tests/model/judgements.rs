//! The judge finds what it is there for: small histories and books, each broken in one way.

use common::ids::{PackageId, PurchaseId, UserId};
use common::purchases::PurchaseState;
use uuid::Uuid;

use super::books::{AccountRow, Books, ListingRow, PurchaseRow};
use super::history::{Adjustment, Answer, Buy, Change, Download, History, Sight, Told};
use super::judge::{Rule, judge};

pub const BUYER: UserId = UserId(Uuid::from_u128(1));
pub const SELLER: UserId = UserId(Uuid::from_u128(2));
const LISTING: PackageId = PackageId(Uuid::from_u128(3));
pub const PURCHASE: PurchaseId = PurchaseId(Uuid::from_u128(4));
const SECOND: PurchaseId = PurchaseId(Uuid::from_u128(5));
const CREDITS: Uuid = Uuid::from_u128(6);

/// A buyer with 10.00 credits bought for 9.99, and was told.
fn sale() -> (History, Books) {
    let history = History {
        buys: vec![Buy {
            buyer: BUYER,
            listing: LISTING,
            key: Some("key".to_owned()),
            expected_minor: Some(999),
            quoted_minor: None,
            answers: vec![settled(PURCHASE)],
        }],
        adjustments: vec![Adjustment {
            id: CREDITS,
            user: BUYER,
            amount_minor: 1000,
            is_made: true,
        }],
        changes: vec![Change {
            listing: LISTING,
            version: 1,
            price_minor: 999,
        }],
        ..History::default()
    };
    let account = |owner: Uuid, kind: &str, posted_minor| AccountRow {
        owner,
        kind: kind.to_owned(),
        posted_minor,
        held_minor: 0,
    };
    let books = Books {
        purchases: vec![PurchaseRow {
            id: PURCHASE,
            listing: LISTING,
            listing_version: 1,
            buyer: BUYER,
            seller: SELLER,
            price_minor: 999,
            request_id: "req_1".to_owned(),
            state: PurchaseState::Settled,
            is_by_card: false,
            hold: Some("posted".to_owned()),
            settlements: 1,
            refunds: 0,
            completed_events: 1,
            failed_events: 0,
            refunded_events: 0,
            downloads: 0,
        }],
        listings: vec![ListingRow {
            id: LISTING,
            supply: Some(1),
            taken: 1,
            sales: 1,
            downloads: 0,
        }],
        accounts: vec![
            account(BUYER.0, "buyer_credits", 1),
            account(SELLER.0, "seller_earnings", 849),
            account(Uuid::nil(), "platform_fees", 150),
            account(Uuid::nil(), "payments_clearing", -1000),
        ],
        prices: [((LISTING, 1), 999)].into(),
        keys: [((BUYER, "key".to_owned()), PURCHASE)].into(),
        adjustments: [(CREDITS, 1)].into(),
        ..Books::default()
    };
    (history, books)
}

fn settled(id: PurchaseId) -> Answer {
    Answer {
        request_id: Some("req_1".to_owned()),
        told: Told::Purchase {
            id,
            state: PurchaseState::Settled,
            price_minor: Some(999),
        },
    }
}

fn unknown() -> Answer {
    Answer {
        request_id: None,
        told: Told::Unknown,
    }
}

/// The rules that are broken once a sound sale was tampered with.
pub fn broken(tamper: impl FnOnce(&mut History, &mut Books)) -> Vec<Rule> {
    let (mut history, mut books) = sale();
    tamper(&mut history, &mut books);
    let verdict = judge(&history, &books);
    let mut rules: Vec<Rule> = verdict.violations.iter().map(|found| found.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

#[test]
fn a_sound_sale_breaks_no_rule() {
    assert_eq!(broken(|_, _| {}), []);
}

#[test]
fn a_purchase_that_was_told_and_is_not_there_is_lost() {
    let rules = broken(|_, books| {
        books.purchases.clear();
        books.keys.clear();
        (books.listings[0].taken, books.listings[0].sales) = (0, 0);
    });
    assert_eq!(rules, [Rule::Lost, Rule::WrongBalance]);
    let of_another = broken(|_, books| books.purchases[0].buyer = UserId(Uuid::from_u128(9)));
    assert!(of_another.contains(&Rule::Lost));
    let seen = broken(|history, _| {
        history.sights.push(Sight {
            buyer: BUYER,
            purchase: SECOND,
            state: PurchaseState::Pending,
        });
    });
    assert_eq!(seen, [Rule::Lost]);
}

#[test]
fn a_key_of_two_purchases_and_a_key_that_was_forgotten_are_found() {
    let doubled = broken(|history, _| history.buys[0].answers.push(settled(SECOND)));
    assert_eq!(doubled, [Rule::Lost, Rule::Doubled]);
    let forgotten = broken(|_, books| books.keys.clear());
    assert_eq!(forgotten, [Rule::Lost]);
    let refused = broken(|history, _| {
        history.buys[0].answers[0].told = Told::Refused("sold out");
    });
    assert_eq!(refused, [Rule::Lost, Rule::Invented]);
}

#[test]
fn a_second_settlement_and_its_money_are_found() {
    let rules = broken(|_, books| {
        books.purchases[0].settlements = 2;
        books.accounts[0].posted_minor -= 999;
        books.accounts[1].posted_minor += 849;
        books.accounts[2].posted_minor += 150;
    });
    assert_eq!(rules, [Rule::Doubled, Rule::Overdraft, Rule::WrongBalance]);
    let announced = broken(|_, books| books.purchases[0].completed_events = 2);
    assert_eq!(announced, [Rule::Doubled]);
}

#[test]
fn a_second_sale_of_what_there_is_once_is_found() {
    let rules = broken(|history, books| {
        let rival = UserId(Uuid::from_u128(9));
        let mut row = books.purchases[0].clone();
        (row.id, row.buyer, row.request_id) = (SECOND, rival, "req_2".to_owned());
        books.listings[0].sales = 2;
        books.purchases.push(row);
        let mut buy = history.buys[0].clone();
        (buy.buyer, buy.key, buy.answers) = (rival, None, vec![settled(SECOND)]);
        history.buys.push(buy);
    });
    assert_eq!(
        rules,
        [Rule::Oversold, Rule::WrongBalance],
        "the rival's money is missing too"
    );
    let miscounted = broken(|_, books| books.listings[0].taken = 0);
    assert_eq!(miscounted, [Rule::Oversold]);
}

#[test]
fn one_package_bought_twice_by_one_buyer_is_found() {
    let rules = broken(|history, books| {
        (books.listings[0].supply, books.listings[0].sales) = (None, 2);
        let mut row = books.purchases[0].clone();
        row.id = SECOND;
        books.purchases.push(row);
        let mut buy = history.buys[0].clone();
        (buy.key, buy.answers) = (None, vec![settled(SECOND)]);
        history.buys.push(buy);
    });
    assert_eq!(rules, [Rule::Doubled, Rule::WrongBalance]);
}

#[test]
fn a_purchase_that_nobody_asked_for_is_found_unless_an_answer_was_lost() {
    let keyless = |history: &mut History, books: &mut Books| {
        books.keys.clear();
        history.buys[0].key = None;
    };
    let rules = broken(|history, books| {
        keyless(history, books);
        history.buys.clear();
    });
    assert_eq!(rules, [Rule::Invented]);
    let (mut history, mut books) = sale();
    keyless(&mut history, &mut books);
    history.buys[0].answers = vec![unknown()];
    history.buys.push(history.buys[0].clone());
    let verdict = judge(&history, &books);
    assert_eq!(verdict.violations, []);
    assert_eq!((verdict.unknown, verdict.unknown_happened), (2, 1));
}

#[test]
fn what_had_happened_before_its_repeat_is_counted_as_such() {
    let (mut history, mut books) = sale();
    history.buys[0].answers.insert(0, unknown());
    let verdict = judge(&history, &books);
    assert_eq!((verdict.unknown, verdict.unknown_happened), (1, 0));
    books.purchases[0].request_id = "req_of_the_lost_answer".to_owned();
    let verdict = judge(&history, &books);
    assert_eq!((verdict.unknown, verdict.unknown_happened), (1, 1));
    assert_eq!(verdict.violations, []);
}

#[test]
fn a_state_that_was_told_and_taken_back_is_found() {
    let rules = broken(|_, books| {
        let row = &mut books.purchases[0];
        row.state = PurchaseState::Failed;
        row.hold = Some("expired".to_owned());
        (row.settlements, row.completed_events, row.failed_events) = (0, 0, 1);
        (books.listings[0].taken, books.listings[0].sales) = (0, 0);
        books.accounts.drain(1..3);
        books.accounts[0].posted_minor = 1000;
    });
    assert_eq!(rules, [Rule::Undone]);
}

#[test]
fn another_price_than_told_expected_or_listed_is_found() {
    let charged = broken(|_, books| books.purchases[0].price_minor = 998);
    assert_eq!(charged, [Rule::WrongPrice, Rule::WrongBalance]);
    let expected = broken(|history, _| history.buys[0].expected_minor = Some(998));
    assert_eq!(expected, [Rule::WrongPrice]);
    let quoted = broken(|history, _| history.buys[0].quoted_minor = Some(998));
    assert_eq!(quoted, [Rule::WrongPrice]);
    let listed = broken(|_, books| books.prices.extend([((LISTING, 1), 998)]));
    assert_eq!(listed, [Rule::Lost, Rule::WrongPrice]);
}

#[test]
fn a_cent_too_much_or_too_little_in_any_account_is_found() {
    for place in 0..4 {
        let rules = broken(|_, books| books.accounts[place].posted_minor += 1);
        assert_eq!(rules, [Rule::WrongBalance]);
    }
    let missing = broken(|_, books| drop(books.accounts.remove(2)));
    assert_eq!(missing, [Rule::WrongBalance]);
}

#[test]
fn a_purchase_its_hold_its_transfer_and_its_events_agree() {
    for tamper in [
        (|row| row.hold = Some("voided".to_owned())) as fn(&mut PurchaseRow),
        |row| row.hold = None,
        |row| row.settlements = 0,
        |row| row.refunds = 1,
        |row| row.completed_events = 0,
        |row| row.failed_events = 1,
    ] {
        let rules = broken(|_, books| tamper(&mut books.purchases[0]));
        assert_eq!(rules, [Rule::Inconsistent]);
    }
    let held = broken(|_, books| books.accounts[0].held_minor = 1);
    assert_eq!(held, [Rule::Unfinished]);
}

#[test]
fn goods_that_were_refused_to_their_buyer_or_handed_to_another_are_found() {
    let download = |handed| Download {
        buyer: BUYER,
        listing: LISTING,
        owned: vec![PURCHASE],
        is_known: true,
        handed,
    };
    let handed = |books: &mut Books, times| {
        (books.purchases[0].downloads, books.listings[0].downloads) = (times, times);
    };
    let sound = broken(|history, books| {
        let mut unknown = download(None);
        unknown.is_known = false;
        history.downloads = vec![download(Some(PURCHASE)), unknown];
        handed(books, 2);
    });
    assert_eq!(sound, []);
    let refused = broken(|history, _| history.downloads.push(download(None)));
    assert_eq!(refused, [Rule::Lost]);
    let stolen = broken(|history, books| {
        let mut stolen = download(Some(PURCHASE));
        stolen.buyer = SELLER;
        history.downloads.push(stolen);
        handed(books, 1);
    });
    assert_eq!(stolen, [Rule::Invented]);
    let unrecorded = broken(|history, _| history.downloads.push(download(Some(PURCHASE))));
    assert_eq!(unrecorded, [Rule::Lost]);
    let uncounted = broken(|_, books| books.listings[0].sales = 0);
    assert_eq!(uncounted, [Rule::Inconsistent]);
}

#[test]
fn credits_that_were_lost_doubled_or_never_given_are_found() {
    let lost = broken(|_, books| books.adjustments.clear());
    assert_eq!(lost, [Rule::Lost]);
    let doubled = broken(|_, books| books.adjustments.extend([(CREDITS, 2)]));
    assert_eq!(doubled, [Rule::Doubled]);
    let invented = broken(|history, _| history.adjustments[0].is_made = false);
    assert_eq!(invented, [Rule::Invented, Rule::WrongBalance]);
}

#[test]
fn leftovers_audit_findings_and_faults_are_passed_on() {
    let rules = broken(|history, books| {
        history.faults.push("500".to_owned());
        books
            .leftovers
            .push("settle_purchase quarantined".to_owned());
        books.audit.push("a finding".to_owned());
        books.unexplained.push("a difference".to_owned());
    });
    let expected = [
        Rule::Inconsistent,
        Rule::Unfinished,
        Rule::Audit,
        Rule::Fault,
    ];
    assert_eq!(rules, expected);
}
