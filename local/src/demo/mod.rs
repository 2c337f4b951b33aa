//! The demo journey over a running stack.

use crate::stack::Stack;

/// Why the journey could not be made at all.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("the demo is not part of this build")]
    Missing,
}

/// One thing the demo did.
#[derive(Debug, Clone)]
pub struct DemoStep {
    pub name: String,
    pub as_expected: bool,
    pub detail: String,
}

/// What the demo did, in order.
#[derive(Debug, Clone, Default)]
pub struct DemoReport {
    pub steps: Vec<DemoStep>,
}

impl DemoReport {
    /// At least one step, and each as expected.
    pub fn passed(&self) -> bool {
        !self.steps.is_empty() && self.steps.iter().all(|step| step.as_expected)
    }
}

/// Makes the journey.
pub async fn run(_stack: &Stack) -> Result<DemoReport, DemoError> {
    Err(DemoError::Missing)
}
