//! The market as an agent of A2A 1.0: a card that says what it can do, and an endpoint that finds agents for a message.
//! What it finds is hired by the API itself.

mod call;
mod card;

pub use call::call_market;
pub use card::get_market_card;
