//! Rows and values of uploads.

use chrono::{DateTime, Utc};
use package::PackageType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::catalog::{License, LicenseMode, Placement};
use crate::ids::{
    ApiKeyId, PackageId, PackagePublicId, SessionId, UploadId, UploadPublicId, UserId,
};
use crate::limits::{MODEL_NAME_CHARS_MAX, WEBHOOK_URL_CHARS_MAX};
use crate::money::Price;

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldFault {
    pub field: String,
    pub message: String,
}

impl FieldFault {
    /// A fault of that field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

/// The fields of an upload, checked.
#[derive(Debug, Clone)]
pub struct UploadFields {
    pub package_type: PackageType,
    pub name: String,
    pub description: String,
    pub source_model: String,
    pub target_model: String,
    pub epsilon: f64,
    pub price: Price,
    pub license: License,
    pub webhook_url: Option<String>,
    pub placement: Placement,
}

impl UploadFields {
    /// Checks lengths and ranges; the webhook's address is checked against the egress policy by the
    /// caller, who has it.
    pub fn faults(&self) -> Vec<FieldFault> {
        let mut faults = Vec::new();
        let mut length = |field: &str, text: &str, min: usize, max: usize| {
            let count = text.trim().chars().count();
            if count < min || text.chars().count() > max {
                faults.push(FieldFault::new(
                    field,
                    format!("must have {min} to {max} characters, and has {count}"),
                ));
            } else if text
                .chars()
                .any(|char| char.is_control() && char != '\n' && char != '\t')
            {
                faults.push(FieldFault::new(field, "must have no control characters"));
            }
        };
        length("name", &self.name, 3, 100);
        length("description", &self.description, 10, 1000);
        length("sourceModel", &self.source_model, 1, MODEL_NAME_CHARS_MAX);
        length("targetModel", &self.target_model, 1, MODEL_NAME_CHARS_MAX);
        if let Some(url) = &self.webhook_url {
            length("webhookUrl", url, 1, WEBHOOK_URL_CHARS_MAX);
        }
        if !(self.epsilon.is_finite() && (0.0..=1000.0).contains(&self.epsilon)) {
            faults.push(FieldFault::new(
                "epsilon",
                "must be a number from 0 to 1000",
            ));
        }
        let placement = self.placement.faults().into_iter();
        faults.extend(placement.map(|(field, message)| FieldFault::new(field, message)));
        faults
    }
}

/// A blob whose bytes are staged, or will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobInfo {
    pub size_bytes: u64,
    pub sha256: Vec<u8>,
    pub parts: u16,
}

/// An upload to be recorded.
#[derive(Debug, Clone)]
pub struct NewUpload {
    pub id: UploadId,
    pub owner: UserId,
    pub api_key: ApiKeyId,
    /// The session that uploads, if no key was sent.
    pub session: Option<SessionId>,
    pub request_id: String,
    pub fields: UploadFields,
    pub package: BlobInfo,
    pub w_matrix: BlobInfo,
}

impl NewUpload {
    /// Both blobs together.
    pub fn size_bytes(&self) -> u64 {
        self.package.size_bytes + self.w_matrix.size_bytes
    }

    /// Digest of everything that makes this upload what it is.
    pub fn fingerprint(&self) -> Vec<u8> {
        let fields = &self.fields;
        let mut digest = Sha256::new();
        for text in [
            fields.package_type.to_string().as_str(),
            &fields.name,
            &fields.description,
            &fields.source_model,
            &fields.target_model,
            &fields.epsilon.to_bits().to_string(),
            &fields.price.minor().to_string(),
            fields.license.mode().as_str(),
            &fields.license.supply().unwrap_or_default().to_string(),
            fields.webhook_url.as_deref().unwrap_or(""),
            &serde_json::json!(fields.placement).to_string(),
        ] {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text.as_bytes());
        }
        digest.update(&self.package.sha256);
        digest.update(&self.w_matrix.sha256);
        digest.finalize().to_vec()
    }
}

/// What the caller gets for an accepted upload: the seed's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "UploadReceipt")]
pub struct Receipt {
    /// Whoever holds it may follow the upload.
    pub upload_id: UploadPublicId,
    /// Where the upload is followed.
    pub status_url: String,
    /// What happens next, for people.
    pub message: String,
}

impl Receipt {
    /// The receipt of an upload.
    pub fn of(id: &UploadPublicId) -> Self {
        Self {
            upload_id: id.clone(),
            status_url: format!("/api/ai/package-status/{id}"),
            message: "Upload initiated. Check status URL for progress.".to_owned(),
        }
    }
}

/// Where an upload stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum UploadStatus {
    /// Its bytes have not been committed yet.
    Awaiting,
    Pending,
    Processing,
    Completed,
    Failed,
    Expired,
}

/// Where an upload stands, as clients see it: one of the seed's four words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UploadState {
    Pending,
    Processing,
    /// The package is published.
    Completed,
    Failed,
}

impl UploadStatus {
    /// As clients see it.
    pub fn state(self) -> UploadState {
        match self {
            Self::Awaiting | Self::Pending => UploadState::Pending,
            Self::Processing => UploadState::Processing,
            Self::Completed => UploadState::Completed,
            Self::Failed | Self::Expired => UploadState::Failed,
        }
    }

    /// Whether nothing follows.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Expired)
    }
}

/// What is being done, finer than the status. The per cent rises monotonically through them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    AwaitingBytes,
    Queued,
    Fetching,
    Verifying(package::Stage),
    Publishing,
}

impl Stage {
    /// Its name on the wire.
    pub fn name(self) -> String {
        match self {
            Self::AwaitingBytes => "awaiting_bytes".to_owned(),
            Self::Queued => "queued".to_owned(),
            Self::Fetching => "fetching".to_owned(),
            Self::Verifying(stage) => format!("verifying_{stage}"),
            Self::Publishing => "publishing".to_owned(),
        }
    }

    /// How far the whole upload is when the stage begins, in per cent.
    pub fn progress(self) -> i16 {
        match self {
            Self::AwaitingBytes => 0,
            Self::Queued => 5,
            Self::Fetching => 10,
            // The verdict takes the share from 25 to 80 per cent.
            Self::Verifying(stage) => 25 + i16::from(stage.percent()) * 55 / 100,
            Self::Publishing => 80,
        }
    }
}

/// Why an upload fails, for its owner.
#[derive(Debug, Clone)]
pub struct Refusal {
    pub code: String,
    pub message: String,
}

/// An upload as the handlers need it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Upload {
    pub id: UploadId,
    pub public_id: UploadPublicId,
    pub owner_id: UserId,
    pub api_key_id: ApiKeyId,
    pub request_id: String,
    pub package_type: String,
    pub name: String,
    pub description: String,
    pub source_model: String,
    pub target_model: String,
    pub epsilon: f64,
    pub price_minor: i64,
    pub currency: String,
    pub license_mode: LicenseMode,
    pub supply: Option<i32>,
    pub webhook_url: Option<String>,
    pub category: Option<String>,
    pub tags: Vec<String>,
    pub semver: String,
    pub line_id: Option<PackageId>,
    pub is_draft: bool,
    pub package_bytes: i64,
    pub package_sha256: Option<Vec<u8>>,
    pub package_parts: i16,
    pub w_matrix_bytes: i64,
    pub w_matrix_sha256: Option<Vec<u8>>,
    pub w_matrix_parts: i16,
    pub status: UploadStatus,
    pub report: Option<serde_json::Value>,
}

impl Upload {
    /// Both blobs together.
    pub fn size_bytes(&self) -> u64 {
        let blobs = [self.package_bytes, self.w_matrix_bytes];
        blobs.map(i64::unsigned_abs).iter().sum()
    }

    /// One of its blobs.
    pub fn blob(&self, blob: crate::storage::Blob) -> BlobInfo {
        let (size, sha256, parts) = match blob {
            crate::storage::Blob::Package => {
                (self.package_bytes, &self.package_sha256, self.package_parts)
            }
            crate::storage::Blob::WMatrix => (
                self.w_matrix_bytes,
                &self.w_matrix_sha256,
                self.w_matrix_parts,
            ),
        };
        BlobInfo {
            size_bytes: size.unsigned_abs(),
            sha256: sha256.clone().unwrap_or_default(),
            parts: parts.unsigned_abs(),
        }
    }
}

/// An upload as whoever holds its id may see it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct UploadView {
    pub public_id: UploadPublicId,
    pub owner_id: UserId,
    pub status: UploadStatus,
    pub stage: String,
    pub progress: i16,
    pub attempts: i32,
    pub version: i64,
    pub package_public_id: Option<PackagePublicId>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub report: Option<serde_json::Value>,
    pub created_at: DateTime<Utc>,
    pub committed_at: Option<DateTime<Utc>>,
    pub validating_at: Option<DateTime<Utc>>,
    pub publishing_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
}
