//! Quotes, purchases, cards, refunds, payouts and the ledger.

use std::time::Duration;

/// A signed statement in its compact form: a receipt takes about one KiB.
pub const SIGNED_STATEMENT_BYTES_MAX: usize = 8 * 1024;
/// A file of public keys (JWKS), 200 bytes each.
pub const KEY_SET_BYTES_MAX: usize = 64 * 1024;
/// Between two folds of the ledger: so old may the row of a hot account be.
pub const FOLD: Duration = Duration::from_millis(500);
/// Deltas one fold takes: it holds the rows of hot accounts for some milliseconds.
pub const FOLD_DELTAS_MAX: i32 = 20_000;
/// Between two audits of the ledger.
pub const AUDIT: Duration = Duration::from_secs(60);
/// One statement of an audit: it reads whole tables.
pub const AUDIT_STATEMENT_SECONDS_MAX: u64 = 300;
/// A page of a statement.
pub const STATEMENT_ROWS_MAX: i64 = 100;
/// Why an operator gives credits.
pub const ADJUSTMENT_REASON_CHARS_MAX: usize = 500;
/// The platform's fee may be set up to this: half of the price.
pub const FEE_BASIS_POINTS_MAX: u16 = 5_000;
/// Purchases that one transaction settles. More add latency and hardly speed.
pub const SETTLE_BATCH_MAX: usize = 32;
/// Transactions that settle at once in one worker: more only wait for each other.
pub const SETTLE_CONNECTIONS: usize = 4;
/// Tries to record a purchase while earlier ones of the same buyer keep ending under its hands.
pub const PURCHASE_TRIES_MAX: usize = 3;
/// How long a purchase may wait for its settlement before its hold is given back.
pub const PURCHASE_SECONDS: u64 = 3600;
/// How long a purchase may wait for a card.
pub const CARD_PURCHASE_SECONDS: u64 = 3600;
/// A quote holds its price this long.
pub const QUOTE_SECONDS: i64 = 600;
/// The right to download lasts this long; its owner may renew it (design §3 row 13).
pub const GRANT_SECONDS: u64 = 7 * 24 * 3600;
/// A grant that has longer to live is not renewed, so that asking twice changes nothing more.
pub const GRANT_FRESH_SECONDS: u64 = 6 * 24 * 3600;
/// How long a request waits for its purchase when the client does not say (design §3 row 8).
pub const PURCHASE_WAIT_SECONDS: u64 = 10;
/// How long after its settlement a buyer may hand a purchase back.
pub const REFUND_SECONDS: u64 = 7 * 24 * 3600;
/// How long after its settlement a buyer may dispute a purchase.
pub const DISPUTE_SECONDS: u64 = 30 * 24 * 3600;
/// What a buyer may write about a dispute.
pub const DISPUTE_DESCRIPTION_CHARS_MAX: usize = 2000;
/// Why something was refunded, decided or returned.
pub const REASON_CHARS_MAX: usize = 500;
/// What the bank or the card provider calls a payout.
pub const PAYOUT_REFERENCE_CHARS_MAX: usize = 200;
/// Until a connection to the card provider is there: nothing was sent, so giving up is cheap.
pub const CARD_CONNECT: Duration = Duration::from_secs(3);
/// A whole request to the card provider. Longer than a bank usually thinks; giving up leaves the
/// outcome unknown.
pub const CARD_REQUEST: Duration = Duration::from_secs(15);
/// An answer of the card provider: a payment with all its metadata is far smaller.
pub const CARD_ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// The least that the card provider charges, in minor units: 0.50 dollars.
pub const CARD_AMOUNT_MINOR_MIN: i64 = 50;
/// The most that it charges at once, in minor units: eight digits.
pub const CARD_AMOUNT_MINOR_MAX: i64 = 99_999_999;
/// A card as its provider calls it.
pub const CARD_METHOD_CHARS_MAX: usize = 100;
/// The provider forgets an idempotency key after 24 h; from then on the same again could charge anew.
pub const CARD_KEY_AGE_MAX: Duration = Duration::from_secs(23 * 3600);
/// First pause before an open payment that nobody touches is looked at; it doubles.
pub const CARD_LOOK_MIN: Duration = Duration::from_secs(30);
/// Longest pause between two looks.
pub const CARD_LOOK_MAX: Duration = Duration::from_secs(300);
/// Open payments that one round of the sweep wakes.
pub const CARD_LOOKS_ROWS_MAX: i64 = 100;
/// What an operator answers to a dispute of a cardholder (the provider's figure is higher).
pub const EVIDENCE_CHARS_MAX: usize = 10_000;
/// The longest `Retry-After` of the card provider that is believed.
pub const CARD_RETRY_AFTER_MAX: Duration = Duration::from_secs(600);
/// How long an unpaid purchase keeps supply from others, in seconds from when its payment method was
/// accepted: enough to confirm a payment with one's bank, too short to keep a listing off the market.
pub const CARD_RESERVATION_SECONDS: u64 = 600;
/// Listings that one account may have reserved at a time; a sixth purchase waits for its payment without
/// a reservation.
pub const RESERVATIONS_MAX: i64 = 5;
/// For so many seconds after a reservation an account does not reserve the same listing again: else it
/// would keep it for ever by asking anew.
pub const RESERVATION_PAUSE_SECONDS: u64 = 6 * 3600;
/// Buyers of one listing that are notified when its reserved license is free again; later ones ask again themselves.
pub const WATCHERS_MAX: i64 = 100;
/// Hours for which such a buyer is remembered.
pub const WATCH_HOURS: i32 = 24;
/// Buyers that one round of the sweep notifies, in one transaction.
pub const WATCHERS_NOTIFIED_MAX: i64 = 500;
/// Reservations that are over which one round of the sweep gives back.
pub const RESERVATIONS_SWEPT_MAX: i64 = 500;
/// Payments that one purchase may begin, one after the other.
pub const PAYMENTS_PER_PURCHASE_MAX: i64 = 5;
/// Quotes of one account that have not run out: each keeps a price and a row.
pub const QUOTES_LIVE_MAX: i64 = 500;
/// Purchases that an account may hand back after a download without an operator, within
/// [`RETURNS_DAYS`]: honest mistakes are fewer, and whoever reads everything for nothing is stopped.
pub const RETURNS_MAX: i64 = 3;
/// The days that [`RETURNS_MAX`] counts.
pub const RETURNS_DAYS: i32 = 30;
/// How long after its settlement the share of a sale can be drawn, in seconds: as long as it may be
/// refunded or disputed, and a day for clocks that differ and transactions that are under way.
pub const PAYOUT_MATURITY_SECONDS: u64 = DISPUTE_SECONDS + 24 * 3600;
const _: () = assert!(PAYOUT_MATURITY_SECONDS > DISPUTE_SECONDS);
const _: () = assert!(PAYOUT_MATURITY_SECONDS > REFUND_SECONDS);
