//! Writes of uploads, one file each.

mod accept;
mod batch;
mod begin;
mod complete;
mod create;
mod fail;
mod session;
mod tell_batch;

pub use accept::accept;
pub use batch::{BatchItem, CreatedBatch, create_batch};
pub use begin::{begin, report_progress};
pub use complete::complete;
pub use create::{Created, create, replay};
pub use fail::{fail_in_tx, internal_refusal, refuse, revive_in_tx};
pub use session::{commit_session, open_session};
