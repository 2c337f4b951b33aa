//! Downloads: addresses of the store that open one package to one buyer for a quarter of an hour.
//!
//! Each one that is given out was recorded before. None is ever logged.

mod addresses;
mod link;
mod package;

pub use link::{FileAddress, follow_download_link};
pub use package::download_package;
