//! The service itself.

mod docs;
mod health;
mod jwks;
mod openapi;
mod pages;
pub mod tools;

pub use docs::{show_docs, show_docs_file};
pub use health::health;
pub use jwks::get_jwks;
pub use openapi::{get_openapi, get_openapi_3_1};
pub use pages::{get_llms_txt, show_error_page, show_home, show_page};
pub use tools::get_tools;
