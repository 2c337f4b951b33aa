//! Purchases: attempts to buy a package, from the request to the grant, and back.
//!
//! ```text
//! awaiting_payment ──▶ pending ──▶ settled ◀──▶ disputed
//!   │        ▲           │            └────┬─────────┘
//!   ▼        │           ▼                 ▼
//! payment_unknown      failed           refunded
//! ```
//!
//! A request with credits takes supply and holds the price in one transaction; the settlement's job
//! captures the hold, splits the price and begins the grant in another, up to a batch at a time. One that a
//! card is to pay waits for its payment (`payments`), whose money becomes the credits it holds; it takes
//! supply no earlier than its payment is under way (`supply`), and can be paid otherwise or cancelled. A refund
//! is the way back: a transfer that mirrors the settlement, the grant revoked, the supply given back; it
//! happens once (`two_refunds_at_once_move_the_money_once`). What must
//! never happen (a second sale, a second settlement, an overdraft) the schema refuses; the advisory
//! locks of listings only keep buyers in line.

pub mod budget;
pub mod commands;
mod earnings;
mod error;
mod goods;
mod model;
mod page;
mod parties;
mod queries;
mod receipt;
mod settler;
mod supply;
mod watchers;

pub use earnings::{Earnings, NextShare, find_earnings, lock_earnings_in_tx, lock_share_in_tx};
pub use error::PurchaseError;
pub use goods::{Goods, Handed, StoredObject, find_goods};
pub use model::{
    PaymentMethod, Purchase, PurchaseRequest, PurchaseState, PurchaseView, ReturnReason,
};
pub use page::{Cursor, Page, PageFilter, Side, list};
pub use parties::{News, tell_parties_in_tx};
pub use queries::{find, find_by_number, find_view, live_purchase, lock_in_tx, overdue};
pub use receipt::find_receipt;
pub use settler::{Settled, Settler};
pub use supply::{SUPPLY, is_worth_asking, release_overdue};
pub use watchers::notify_watchers;

/// The topic under which changes of purchases are announced; the id is the public one.
pub const CHANGED: &str = "purchase";

/// The seed's link to a bought package.
pub fn download_url(
    public_base_url: &str,
    package_type: &str,
    package: &crate::ids::PackagePublicId,
) -> String {
    format!("{public_base_url}/api/packages/download/{package_type}/{package}")
}
