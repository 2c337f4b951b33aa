//! The market through the public API: listings, purchases and what follows from them. One binary, so
//! that all share one PostgreSQL and one Redis; each test has its own world.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod market {
    mod card_faults;
    mod card_notices;
    mod card_purchases;
    mod card_refusals;
    mod chargebacks;
    mod claims;
    mod defects;
    mod dispute_races;
    mod disputes;
    mod download_links;
    mod downloads;
    mod lists;
    mod moderation;
    mod originals;
    mod payments;
    mod payout_guards;
    mod payouts;
    mod purchases;
    mod quotes;
    mod receipts;
    mod refunds;
    mod replays;
    mod resale;
    mod reservation_guards;
    mod reservations;
    mod returns;
    mod sales;
}
