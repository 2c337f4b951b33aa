//! Uploads: three ways in, one status; and up to ten at once.

mod batch;
mod batch_status;
mod commit;
mod create;
mod open;
mod package;
mod request;
mod status;
mod validate;
mod view;

pub use batch::batch_upload;
pub use batch_status::get_batch;
pub use commit::commit_upload;
pub use create::upload_package;
pub use open::open_upload;
pub use request::{Batch, PackageForm, PackageInJson, UploadSessionRequest};
pub use status::{get_package_status, stream_package_status};
pub use validate::validate_package;
pub use view::CompletedUploads;
