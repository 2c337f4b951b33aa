//! Payments by card: credits bought with one, and the notices of the card provider.

mod notice;
mod status;
mod top_up;
mod view;

pub use notice::take_card_notice;
pub use status::{get_top_up, list_top_ups};
pub use top_up::{check_method_id, create_top_up};
pub use view::{PurchasePayment, delayed};
