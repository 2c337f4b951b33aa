//! Request bodies, parsed as they arrive. No I/O and no async: bytes in, pieces out.
//!
//! [`UploadParser`] reads one JSON upload of any size in constant memory. Under it, [`tokenizer`] knows
//! JSON and no fields, [`base64`] knows text and no JSON; a body of another form is another
//! [`event::Receiver`] over the same tokenizer, told apart by its paths.
//!
//! ```text
//! chunk ─▶ Tokenizer ─ Event, Path ─▶ UploadParser ─ text ─▶ Base64Decoder ─ Piece ─▶ caller
//!                                         └─ small fields ──────────────────────────▶ finish()
//! ```

pub mod base64;
pub mod error;
pub mod event;
pub mod fields;
mod layout;
mod number;
pub mod path;
mod state;
mod text;
pub mod tokenizer;
pub mod upload;

pub use error::BodyError;
pub use fields::{FieldValue, Fields};
pub use layout::Layout;
pub use upload::{Blob, PackageField, Piece, UploadLimits, UploadParser};
