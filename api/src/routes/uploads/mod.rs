//! Uploads: three ways in, one status.

mod commit;
mod create;
mod open;
mod status;
mod view;

pub use commit::commit_upload;
pub use create::upload_package;
pub use open::open_upload;
pub use status::{get_package_status, stream_package_status};
