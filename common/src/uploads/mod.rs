//! Uploads: attempts to publish a package, from its bytes in staging to a verdict.
//!
//! ```text
//! awaiting ──commit──▶ pending ──▶ processing ──▶ completed
//!    │ (presigned form)    └────────────┴───────▶ failed
//!    └──▶ expired
//! ```
//!
//! Every step is one transaction: state, event, the next job, and the webhook that was promised.

mod batches;
pub mod commands;
mod error;
mod model;
mod queries;

pub use batches::{
    BatchReceipt, BatchUpload, BatchView, ItemError, JudgedItem, RefusedItem, TakenItem, find_batch,
};
pub use error::UploadError;
pub use model::{
    BlobInfo, FieldFault, NewUpload, Receipt, Refusal, Stage, Upload, UploadFields, UploadState,
    UploadStatus, UploadView,
};
pub use queries::{
    expire_sessions, find, find_view, mark_staging_swept, owns_staging, staged_to_sweep,
};

/// The topic under which changes of uploads are announced; the id is the public one.
pub const CHANGED: &str = "upload";
