//! The stages of a verdict, and how a caller watches and stops it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A stage of the validation, in order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[schemars(rename = "ValidationStage")]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Are these safetensors at all, and within the size limit?
    Container,
    /// Is the header well-formed, small and honest about the bytes?
    Header,
    /// Are the tensors the ones that the format asks for?
    Schema,
    /// Are all values numbers, and no row or column of W empty?
    Finite,
    /// Do the dimensions fit each other and the declared models?
    Shape,
    /// Is W a usable map: size, rank, condition, orthogonality?
    Spectral,
    /// How far off is W on the anchors?
    Epsilon,
    /// Does what was declared agree with what was found?
    Policy,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 8] = [
        Self::Container,
        Self::Header,
        Self::Schema,
        Self::Finite,
        Self::Shape,
        Self::Spectral,
        Self::Epsilon,
        Self::Policy,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Header => "header",
            Self::Schema => "schema",
            Self::Finite => "finite",
            Self::Shape => "shape",
            Self::Spectral => "spectral",
            Self::Epsilon => "epsilon",
            Self::Policy => "policy",
        }
    }

    /// Share of the whole that is done when the stage starts, for a large package.
    #[must_use]
    pub const fn percent(self) -> u8 {
        match self {
            Self::Container => 0,
            Self::Header => 1,
            Self::Schema => 2,
            Self::Finite => 4,
            Self::Shape => 12,
            Self::Spectral => 14,
            Self::Epsilon => 80,
            Self::Policy => 99,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A caller's window on a running verdict. `()` watches nothing and never stops it.
pub trait Monitor {
    /// A stage begins.
    fn stage(&mut self, stage: Stage);

    /// Asked between stages and between blocks of work; `true` ends the verdict with
    /// [`Code::Cancelled`](crate::Code::Cancelled).
    fn cancelled(&self) -> bool;
}

impl Monitor for () {
    fn stage(&mut self, _stage: Stage) {}

    fn cancelled(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_never_goes_back_and_stays_below_one_hundred() {
        assert!(
            Stage::ALL
                .windows(2)
                .all(|pair| pair[0].percent() < pair[1].percent())
        );
        assert!(Stage::ALL.iter().all(|stage| stage.percent() < 100));
    }
}
