//! What changes endpoints.

mod change;
mod create;
mod delete;
mod disable;
mod enable;
mod news;
mod rotate_secret;
mod test;
mod write;

pub use change::{Change, change};
pub use create::{CreatedEndpoint, NewEndpoint, create};
pub use delete::delete;
pub use disable::{DisabledBy, disable, disable_by_worker};
pub use enable::{Held, enable};
pub use news::{tell_failing, tell_recovered};
pub use rotate_secret::rotate_secret;
pub use test::test;
