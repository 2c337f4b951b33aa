//! Values of the catalogue.

use super::LicenseMode;
use crate::ids::{ApiKeyId, PackageId, UploadId, UserId};

/// What becomes a package.
#[derive(Debug, Clone)]
pub struct NewPackage {
    pub upload: UploadId,
    pub owner: UserId,
    pub api_key: ApiKeyId,
    pub package_type: String,
    pub name: String,
    pub description: String,
    pub source_model: String,
    pub target_model: String,
    pub epsilon_declared: f64,
    pub epsilon_measured: Option<f64>,
    pub evidence_level: String,
    pub tier: Option<String>,
    pub price_minor: i64,
    pub currency: String,
    pub license_mode: LicenseMode,
    pub supply: Option<i32>,
    /// Where the seller hears of the listing.
    pub webhook_url: Option<String>,
    pub category: Option<String>,
    pub tags: Vec<String>,
    pub semver: String,
    /// The first package of its line, if this is a later version.
    pub line: Option<PackageId>,
    pub is_draft: bool,
    /// Columns and rows of the W-matrix.
    pub source_dimension: Option<i32>,
    pub target_dimension: Option<i32>,
    pub package_key: String,
    pub w_matrix_key: String,
    pub report: serde_json::Value,
}
