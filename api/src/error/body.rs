//! What every bad answer is, in its two forms.

use chrono::Utc;
use common::wire::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{ApiError, Code};

/// A bad answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Fault {
    /// Always false.
    success: bool,
    error: FaultDetail,
    metadata: FaultMetadata,
}

/// What happened.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct FaultDetail {
    /// For machines. Codes are only ever added.
    #[schemars(extend("examples" = json!(Code::ALL.map(Code::as_str))))]
    code: &'static str,
    /// For people.
    message: String,
    #[serde(flatten)]
    more: FaultMore,
    /// A page about the code.
    #[schemars(url)]
    doc_url: String,
}

/// What both forms have.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct FaultMore {
    /// By the path of a field, if fields are at fault.
    details: Map<String, Value>,
    /// Whether the same request may succeed later.
    retryable: bool,
    /// Seconds after which it may be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
    /// The requests that the limit allows, with `RATE_LIMIT_EXCEEDED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    /// In which time, with `RATE_LIMIT_EXCEEDED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<String>,
}

/// When it happened, and under which id.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct FaultMetadata {
    /// When it happened.
    timestamp: Timestamp,
    /// To be named when asking for help.
    request_id: String,
}

/// A bad answer by RFC 9457, for clients that accept `application/problem+json`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// A page about the code.
    #[schemars(url)]
    r#type: String,
    /// The status in words.
    title: Option<&'static str>,
    /// The HTTP status.
    status: u16,
    /// For people.
    detail: String,
    /// For machines. Codes are only ever added.
    #[schemars(extend("examples" = json!(Code::ALL.map(Code::as_str))))]
    code: &'static str,
    #[serde(flatten)]
    more: FaultMore,
    /// To be named when asking for help.
    request_id: String,
}

impl ApiError {
    /// The body of the answer; `base_url` is where the pages about codes are.
    pub fn body(&self, request_id: &str, base_url: &str, as_problem: bool) -> Value {
        let code = self.code.as_str();
        let doc_url = format!("{base_url}/errors/{code}");
        let request_id = request_id.to_owned();
        let more = FaultMore {
            details: self.details.clone(),
            retryable: self.code.is_retryable(),
            retry_after: self.retry_after_seconds,
            limit: self.limit.as_ref().map(|limit| limit.quota),
            window: self.limit.as_ref().map(|limit| limit.window.clone()),
        };
        if as_problem {
            return json!(Problem {
                r#type: doc_url,
                title: self.code.status().canonical_reason(),
                status: self.code.status().as_u16(),
                detail: self.message.clone(),
                code,
                more,
                request_id,
            });
        }
        json!(Fault {
            success: false,
            error: FaultDetail {
                code,
                message: self.message.clone(),
                more,
                doc_url,
            },
            metadata: FaultMetadata {
                timestamp: Timestamp(Utc::now()),
                request_id,
            },
        })
    }
}
