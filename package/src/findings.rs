//! What a stage noticed on its way, short of refusing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::refusal::{Code, Refusal};

/// How much a finding matters.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[schemars(rename = "FindingSeverity")]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// A buyer should look at it.
    Warning,
    /// The reason of the refusal.
    Error,
}

/// One observation of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ValidationFinding")]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What was found, for machines.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// What was found, for people.
    pub message: String,
    /// The tensor that it is about, when it is one.
    pub tensor: Option<String>,
}

/// The findings of one stage while it runs.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    pub(crate) fn info(&mut self, code: Code, message: impl Into<String>) {
        self.push(Severity::Info, code, message.into());
    }

    pub(crate) fn warn(&mut self, code: Code, message: impl Into<String>) {
        self.push(Severity::Warning, code, message.into());
    }

    pub(crate) fn refuse(&mut self, refusal: &Refusal) {
        self.push(Severity::Error, refusal.code, refusal.message.clone());
        if let Some(last) = self.0.last_mut() {
            last.tensor.clone_from(&refusal.tensor);
        }
    }

    pub(crate) fn worst(&self) -> Option<Severity> {
        self.0.iter().map(|finding| finding.severity).max()
    }

    pub(crate) fn into_vec(self) -> Vec<Finding> {
        self.0
    }

    fn push(&mut self, severity: Severity, code: Code, message: String) {
        self.0.push(Finding {
            code,
            severity,
            message,
            tensor: None,
        });
    }
}
