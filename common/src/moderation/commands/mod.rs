//! What operators decide, one file per thing.

mod block;
mod take_down;

pub use block::{Decision, block, unblock};
pub use take_down::{TakeDown, restore, take_down};
