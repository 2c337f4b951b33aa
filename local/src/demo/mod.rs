//! The demo journey: what a stranger with a key would do, through the public API of a running stack.
//!
//! Real packages, made from open model weights (`local/demo/README.md`), go in by each of the three
//! forms; their fate, their webhooks and a repeated request are compared with what must come of them.
//! One is then bought by card and credits, downloaded, checked, handed back, and raced for by ten buyers;
//! an audit closes the books. An endpoint fails, is tried again, and catches up. Last, an agent finds another, hires, pays
//! and rates it.

mod agents;
mod caller;
mod client;
mod journey;
mod market;
mod packages;
mod purchase;
mod race;
mod webhooks;

use std::time::Duration;

pub use journey::run;

/// Why the journey could not be made at all.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("the demo's packages cannot be read")]
    Packages(#[from] serde_json::Error),
    #[error("the API did not answer")]
    Http(#[from] common::reqwest::Error),
    #[error("the API answered {status}: {body}")]
    Refused { status: u16, body: String },
    #[error("curl could not be run")]
    Curl(#[source] std::io::Error),
    #[error("{0} did not come within {1:?}")]
    Late(&'static str, Duration),
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
    fn add(&mut self, name: String, as_expected: bool, detail: String) {
        self.steps.push(DemoStep {
            name,
            as_expected,
            detail,
        });
    }

    /// At least one step, and each as expected.
    pub fn passed(&self) -> bool {
        !self.steps.is_empty() && self.steps.iter().all(|step| step.as_expected)
    }
}
