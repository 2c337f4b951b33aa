//! Errors as clients see them: the seed's envelope, or RFC 9457 on request.
//!
//! A handler returns an [`ApiError`]; the outermost middleware writes the body, because only it knows
//! the request id and what the client accepts. So every non-2xx of every path has one shape.

mod accounts;
mod agent_tasks;
mod agents;
mod body;
mod chargebacks;
mod code;
mod event_subscriptions;
mod leases;
mod moderation;
mod payments;
mod purchases;
mod quotes;
mod webhooks;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use common::catalog::CatalogError;
use common::leases::Loss;
use common::storage::StorageError;
use common::uploads::{FieldFault, UploadError};
use common::{db, jobs::JobsError, ledger::AdjustmentError};
use serde_json::{Map, Value};

pub use body::{Fault, Problem};
pub use code::Code;

use crate::body::BodyError;

/// Seconds after which a client may try again when a part of ours is away (the seed's figure).
const UNAVAILABLE_RETRY_SECONDS: u32 = 10;

pub const IDEMPOTENCY_CONFLICT: &str = "This Idempotency-Key was used with a different request, or by a key that may do more. Use a new key for a new request.";

/// An error on its way to a client. What is internal is logged where it is made, never carried.
#[derive(Debug, Clone)]
pub struct ApiError {
    pub code: Code,
    pub message: String,
    pub details: Map<String, Value>,
    pub retry_after_seconds: Option<u32>,
    /// Which limit was reached.
    pub limit: Option<Box<ReachedLimit>>,
}

/// A limit that was reached: what it allows, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachedLimit {
    pub quota: u64,
    pub window: String,
}

impl ApiError {
    /// An error with that code and message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let is_away = matches!(code, Code::ServiceUnavailable | Code::Timeout);
        Self {
            code,
            message: message.into(),
            details: Map::new(),
            retry_after_seconds: is_away.then_some(UNAVAILABLE_RETRY_SECONDS),
            limit: None,
        }
    }

    /// A defect of ours: it is logged, and the client learns no more than that there was one.
    pub fn defect(defect: &str) -> Self {
        tracing::error!(defect, "A defect was met");
        Self::new(Code::InternalError, "An internal error occurred.")
    }

    /// Says what is wrong with a field.
    #[must_use]
    pub fn field(mut self, field: &str, message: impl Into<String>) -> Self {
        self.details
            .insert(field.to_owned(), Value::String(message.into()));
        self
    }

    /// The thing is at another version than the caller knew: which one, in the details and as the
    /// entity tag.
    pub fn version_changed(message: impl Into<String>, current: i64) -> Self {
        let mut error = Self::new(Code::PreconditionFailed, message);
        error.details.insert("version".to_owned(), current.into());
        error
    }

    /// One or more faulty fields.
    pub fn fields(faults: &[FieldFault]) -> Self {
        let first = faults.first().map_or_else(String::new, |fault| {
            format!("{} {}", fault.field, fault.message)
        });
        let message = match faults.len() {
            0 | 1 => first,
            count => format!("{first} (and {} more)", count - 1),
        };
        faults
            .iter()
            .fold(Self::new(Code::InvalidInput, message), |error, fault| {
                error.field(&fault.field, fault.message.clone())
            })
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == Code::PreconditionFailed
            && let Some(version) = self.details.get("version").and_then(Value::as_i64)
        {
            response
                .headers_mut()
                .insert(header::ETAG, version_tag(version));
        }
        if self.code == Code::Unauthorized {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<db::Error> for ApiError {
    fn from(error: db::Error) -> Self {
        if db::is_ours_to_fix(&error) {
            tracing::warn!(%error, "PostgreSQL did not answer");
            return Self::new(
                Code::ServiceUnavailable,
                "The database does not answer. Please try again.",
            );
        }
        if db::is_lease_lost(&error) {
            return Self::lease_lost(Loss::UnderWay);
        }
        tracing::error!(%error, "A statement failed");
        Self::new(Code::InternalError, "An internal error occurred.")
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        tracing::warn!(%error, "The object store failed");
        Self::new(
            Code::ServiceUnavailable,
            "The object store does not answer. Please try again.",
        )
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        let code = match error {
            BodyError::TooLarge { .. } => Code::PayloadTooLarge,
            _ => Code::InvalidInput,
        };
        let (field, reason) = (error.field().to_owned(), error.code());
        let error = Self::new(code, sentence(&error)).field("reason", reason);
        let message = error.message.clone();
        if field.is_empty() {
            error
        } else {
            error.field(&field, message)
        }
    }
}

impl From<UploadError> for ApiError {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::Fields(faults) => Self::fields(&faults),
            UploadError::CallerEnded => Self::caller_ended(),
            UploadError::NotFound => Self::new(Code::NotFound, "There is no such upload."),
            UploadError::IdempotencyConflict => {
                Self::new(Code::IdempotencyConflict, IDEMPOTENCY_CONFLICT)
            }
            UploadError::BytesMissing(field) | UploadError::BytesDiffer(field) => {
                Self::new(Code::Conflict, sentence(&error)).field(field, error.to_string())
            }
            UploadError::WrongState(_) => Self::new(Code::Conflict, sentence(&error)),
            UploadError::LineNotFound => {
                Self::new(Code::NotFound, "There is no such package of yours.")
                    .field("versionOf", error.to_string())
            }
            UploadError::VersionNotHigher(_) => {
                Self::new(Code::Conflict, sentence(&error)).field("version", error.to_string())
            }
            UploadError::Storage(error) => error.into(),
            UploadError::Database(error) => error.into(),
        }
    }
}

impl From<JobsError> for ApiError {
    fn from(error: JobsError) -> Self {
        match error {
            JobsError::NotFound => Self::new(Code::NotFound, "There is no such job."),
            JobsError::WrongState(_) => Self::new(Code::Conflict, sentence(&error)),
            JobsError::Database(error) => error.into(),
        }
    }
}

impl From<AdjustmentError> for ApiError {
    fn from(error: AdjustmentError) -> Self {
        let (code, field) = match error {
            AdjustmentError::UserUnknown => (Code::NotFound, "userId"),
            AdjustmentError::AmountZero => (Code::InvalidInput, "amount"),
            AdjustmentError::Reason => (Code::InvalidInput, "reason"),
            AdjustmentError::IdUsed => (Code::IdempotencyConflict, "id"),
            AdjustmentError::InsufficientCredits => (Code::Conflict, "amount"),
            AdjustmentError::Database(error) => return error.into(),
        };
        Self::new(code, sentence(&error)).field(field, error.to_string())
    }
}

impl From<CatalogError> for ApiError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::NotFound => Self::new(Code::NotFound, "There is no such listing."),
            CatalogError::VersionChanged { current } => {
                Self::version_changed(sentence(&error), current)
            }
            CatalogError::IdempotencyConflict => {
                Self::new(Code::IdempotencyConflict, IDEMPOTENCY_CONFLICT)
            }
            CatalogError::License(error) => {
                Self::fields(&[FieldFault::new(error.field(), error.to_string())])
            }
            CatalogError::Removed | CatalogError::NoDraft => {
                Self::new(Code::Conflict, sentence(&error))
            }
            CatalogError::Unknown(what) => {
                Self::new(Code::NotFound, format!("There is no such {what}."))
            }
            CatalogError::PackageChanged { current } => {
                Self::version_changed(sentence(&error), current)
            }
            CatalogError::NotBought => Self::new(Code::Forbidden, sentence(&error)),
            CatalogError::Field { field, message } => {
                Self::new(Code::InvalidInput, format!("{field} {message}.")).field(field, message)
            }
            CatalogError::SoldAsListed(_) => {
                Self::new(Code::Conflict, sentence(&error)).field("licenseMode", error.to_string())
            }
            CatalogError::SupplyBelowTaken { .. } => {
                Self::new(Code::Conflict, sentence(&error)).field("supply", error.to_string())
            }
            CatalogError::Defect(defect) => Self::defect(&defect),
            CatalogError::Database(error) => error.into(),
        }
    }
}

/// The entity tag of a version.
pub fn version_tag(version: i64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).expect("a quoted number")
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// An error's text as a sentence.
pub fn sentence(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    let first = chars
        .next()
        .map(|char| char.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
