//! What changes subscriptions.

mod acknowledge;
mod create;
mod delete;
mod fetch;
mod release;
mod replay_parked;
mod seek;

pub use acknowledge::acknowledge;
pub use create::create;
pub use delete::delete;
pub use fetch::fetch;
pub use release::release;
pub use replay_parked::replay_parked;
pub use seek::seek;
