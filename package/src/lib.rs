//! Latent packages: bytes in, verdict out. The types of packages and the stages of a verdict.

mod declared;
mod monitor;

pub use declared::{Declared, PackageType, UnknownPackageType};
pub use monitor::Stage;
