//! Why an operator does something: what its body says, as the commands and the audit log take it.

use common::audit::ActId;
use common::limits::REASON_CHARS_MAX;
use common::moderation::commands::Decision;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::error::ApiError;
use crate::middleware::RequestId;
use crate::routes::free_text;

/// Why an operator does something.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OperatorReason")]
pub struct Because {
    /// The reason, which goes into the audit log.
    #[schemars(length(min = 1, max = REASON_CHARS_MAX))]
    reason: String,
}

impl Because {
    /// The reason, if it is one.
    pub fn checked(&self) -> Result<String, ApiError> {
        free_text::required("reason", &self.reason, REASON_CHARS_MAX)
    }
}

/// The decision that this is the reason of.
pub fn decision<'a>(reason: &'a str, act: ActId, request_id: &'a RequestId) -> Decision<'a> {
    Decision {
        act,
        reason,
        trace: &request_id.0,
    }
}
