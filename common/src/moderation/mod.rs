//! What operators do to people and packages: block and unblock a user, take down and restore a package.
//!
//! Both are one fact each (`users.blocked_at`, `packages.taken_down_at`), and everything else follows from it:
//! `shown_status` of the schema says how a listing stands, triggers refuse to sell, settle and pay out, the
//! dispatch of webhooks looks whose endpoint it is. So undoing it restores all exactly as it was. A purchase
//! that was settled before stays settled; one under way comes to nothing, its hold is voided.

pub mod commands;
mod error;

pub use error::ModerationError;
