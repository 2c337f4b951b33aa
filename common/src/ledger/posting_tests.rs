//! The posting rules, for any amounts: what they move, and whose.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::money::PRICE_MINOR_MAX;

/// Who takes part.
#[derive(Debug, Clone, Copy)]
struct Parties {
    subject: Uuid,
    buyer: UserId,
    seller: UserId,
}

fn parties() -> impl Strategy<Value = Parties> {
    // Nobody is the nil user, who is the platform.
    (any::<u128>(), 1..u128::MAX, 1..u128::MAX).prop_map(|(subject, buyer, seller)| Parties {
        subject: Uuid::from_u128(subject),
        buyer: UserId(Uuid::from_u128(buyer)),
        seller: UserId(Uuid::from_u128(seller)),
    })
}

fn split() -> impl Strategy<Value = Split> {
    (0..=PRICE_MINOR_MAX, 0..=10_000_u16).prop_map(|(price, rate)| Split::of(price, rate))
}

/// Every rule, with the users whose accounts it may touch.
fn every_rule(parties: Parties, amount: i64, split: Split) -> Vec<(Posting, Vec<UserId>)> {
    let Parties {
        subject,
        buyer,
        seller,
    } = parties;
    let net = split.net_minor;
    vec![
        (Posting::top_up(subject, buyer, amount), vec![buyer]),
        (Posting::adjustment(subject, buyer, -amount), vec![buyer]),
        (
            Posting::settlement(subject, buyer, seller, split),
            vec![buyer, seller],
        ),
        (
            Posting::refund(subject, buyer, seller, split, earned(net)),
            vec![buyer, seller],
        ),
        (
            Posting::refund(subject, buyer, seller, split, earned(net / 3)),
            vec![buyer, seller],
        ),
        (
            Posting::refund(subject, buyer, seller, split, Share::Frozen),
            vec![buyer],
        ),
        (
            Posting::dispute_freeze(subject, seller, net, net),
            vec![seller],
        ),
        (
            Posting::dispute_release(subject, seller, net, net / 3),
            vec![seller],
        ),
        (Posting::payout(subject, seller, amount), vec![seller]),
        (Posting::payout_paid(subject, amount), vec![]),
        (
            Posting::payout_returned(subject, seller, amount),
            vec![seller],
        ),
    ]
}

/// Of that share so much is left among the earnings.
fn earned(left_minor: i64) -> Share {
    Share::Earned { left_minor }
}

/// What all these postings together do to each account; accounts that end where they began are
/// left out.
fn effect(postings: &[&Posting]) -> HashMap<(Uuid, AccountKind), i64> {
    let mut effect = HashMap::new();
    for leg in postings.iter().flat_map(|posting| &posting.legs) {
        *effect.entry((leg.owner, leg.account)).or_insert(0) += leg.amount_minor;
    }
    effect.retain(|_, amount| *amount != 0);
    effect
}

proptest! {
    #[test]
    fn every_rule_sums_to_zero_and_has_no_empty_leg(
        parties in parties(), amount in 1..=PRICE_MINOR_MAX, split in split(),
    ) {
        for (posting, _) in every_rule(parties, amount, split) {
            prop_assert_eq!(posting.legs.iter().map(|leg| leg.amount_minor).sum::<i64>(), 0);
            prop_assert!(posting.legs.iter().all(|leg| leg.amount_minor != 0));
            prop_assert_ne!(posting.legs.len(), 1);
        }
    }

    #[test]
    fn no_rule_touches_a_foreign_account(
        parties in parties(), amount in 1..=PRICE_MINOR_MAX, split in split(),
    ) {
        for (posting, users) in every_rule(parties, amount, split) {
            for leg in &posting.legs {
                let is_of_user = matches!(
                    leg.account,
                    AccountKind::BuyerCredits | AccountKind::SellerEarnings
                );
                prop_assert_eq!(is_of_user, leg.owner != Uuid::nil());
                prop_assert!(!is_of_user || users.contains(&UserId(leg.owner)));
            }
            let accounts: Vec<_> = posting.legs.iter().map(|leg| (leg.owner, leg.account)).collect();
            let is_once = |account| accounts.iter().filter(|other| *other == account).count() == 1;
            prop_assert!(accounts.iter().all(is_once), "two legs for one account");
        }
    }

    #[test]
    fn the_parts_are_not_negative_and_sum_to_the_price(split in split()) {
        prop_assert!(split.fee_minor >= 0 && split.net_minor >= 0);
        prop_assert_eq!(split.fee_minor + split.net_minor, split.price_minor);
    }

    #[test]
    fn the_fee_is_the_exact_share_rounded_half_up(price in 0..=PRICE_MINOR_MAX, rate in 0..=10_000_u16) {
        // fee - 1/2 <= price * rate / 10000 < fee + 1/2, without fractions.
        let exact = i128::from(price) * i128::from(rate) * 2;
        let fee = i128::from(Split::of(price, rate).fee_minor);
        prop_assert!((fee * 2 - 1) * 10_000 <= exact);
        prop_assert!(exact < (fee * 2 + 1) * 10_000);
    }

    #[test]
    fn a_higher_price_or_rate_never_lowers_the_fee(
        price in 0..PRICE_MINOR_MAX, more in 0..10_000_i64, rate in 0..10_000_u16,
    ) {
        let dearer = (price + more).min(PRICE_MINOR_MAX);
        let fee = Split::of(price, rate).fee_minor;
        prop_assert!(Split::of(dearer, rate).fee_minor >= fee);
        prop_assert!(Split::of(dearer, rate).net_minor >= Split::of(price, rate).net_minor);
        prop_assert!(Split::of(price, rate + 1).fee_minor >= fee);
    }

    #[test]
    fn a_refund_undoes_its_settlement(parties in parties(), split in split()) {
        let Parties { subject, buyer, seller } = parties;
        let settlement = Posting::settlement(subject, buyer, seller, split);
        let net = split.net_minor;
        let refund = Posting::refund(subject, buyer, seller, split, earned(net));
        prop_assert_eq!(effect(&[&settlement, &refund]), HashMap::new());
        let freeze = Posting::dispute_freeze(subject, seller, net, net);
        let frozen = Posting::refund(subject, buyer, seller, split, Share::Frozen);
        prop_assert_eq!(effect(&[&settlement, &freeze, &frozen]), HashMap::new());
    }

    #[test]
    fn a_refund_takes_no_more_from_a_seller_than_is_left(parties in parties(), split in split()) {
        let Parties { subject, buyer, seller } = parties;
        let left = split.net_minor / 3;
        let refund = Posting::refund(subject, buyer, seller, split, earned(left));
        let earnings = effect(&[&refund]).remove(&(seller.0, AccountKind::SellerEarnings));
        prop_assert_eq!(earnings.unwrap_or_default(), -left);
    }

    #[test]
    fn a_release_undoes_its_freeze_and_a_return_its_payout(
        parties in parties(), amount in 1..=PRICE_MINOR_MAX, drawn in 0..=PRICE_MINOR_MAX,
    ) {
        let Parties { subject, seller, .. } = parties;
        let left = (amount - drawn).max(0);
        let freeze = Posting::dispute_freeze(subject, seller, amount, left);
        let release = Posting::dispute_release(subject, seller, amount, left);
        prop_assert_eq!(effect(&[&freeze, &release]), HashMap::new());
        let payout = Posting::payout(subject, seller, amount);
        let returned = Posting::payout_returned(subject, seller, amount);
        prop_assert_eq!(effect(&[&payout, &returned]), HashMap::new());
    }
}

#[test]
fn half_a_cent_is_rounded_up() {
    for (price, rate, fee) in [
        (999, 1_500, 150),
        (10, 1_500, 2),
        (3, 1_500, 0),
        (1, 5_000, 1),
        (1, 4_999, 0),
        (0, 1_500, 0),
        (PRICE_MINOR_MAX, 10_000, PRICE_MINOR_MAX),
    ] {
        assert_eq!(Split::of(price, rate).fee_minor, fee, "{price} at {rate}");
    }
}
