//! What the books hold, in itself: a purchase agrees with all that belongs to it, a listing with its
//! purchases.

use std::collections::BTreeMap;

use common::ids::{PackageId, UserId};
use common::purchases::PurchaseState;

use super::books::{Books, PurchaseRow};
use super::judge::{Rule, Verdict};

/// A purchase agrees with its listing, its hold, its transfers and its events.
pub fn judge_purchase(verdict: &mut Verdict, row: &PurchaseRow, books: &Books) {
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
        ("refunded events", row.refunded_events, is_refunded),
    ] {
        verdict.must(is <= 1, Rule::Doubled, || format!("{is} {what}: {row:?}"));
        verdict.must((is > 0) == should, Rule::Inconsistent, || {
            format!("{is} {what}: {row:?}")
        });
    }
    let is_right = match row.hold.as_deref() {
        // A card is asked first; if it declines, nothing was held.
        None => !is_paid || (row.is_by_card && row.state == PurchaseState::Failed),
        Some("pending") => !row.state.is_final(),
        Some("posted") => row.is_settled(),
        Some(_) => row.state == PurchaseState::Failed,
    };
    verdict.must(is_right, Rule::Inconsistent, || {
        format!("the hold: {row:?}")
    });
}

/// Nobody bought twice, and nothing was sold that was not there.
pub fn judge_supply(verdict: &mut Verdict, books: &Books) {
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
        let rows = || {
            books
                .purchases
                .iter()
                .filter(|row| row.listing == listing.id)
        };
        let sales = rows().filter(|row| row.state.is_granted()).count() as i64;
        let downloads: i64 = rows().map(|row| row.downloads).sum();
        let counted = (listing.sales, listing.downloads);
        verdict.must(counted == (sales, downloads), Rule::Inconsistent, || {
            format!("{sales} sales, {downloads} downloads: {listing:?}")
        });
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
