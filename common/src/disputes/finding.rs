//! What a re-measurement says about the claim. Pure.

use package::{EvidenceLevel, Limits, Report, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Decision;

/// How a package that is measured again compares with what was sold.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, sqlx::Type,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Finding {
    /// It is what the listing showed.
    AsListed,
    /// The stored bytes do not have their digest.
    BytesDiffer,
    /// They would not be let in today.
    ValidationFails,
    /// The measured epsilon is worse than the one that the listing showed.
    EpsilonWorse,
}

impl Finding {
    /// Compares a report on the right bytes with the listed epsilon, within the validation's own
    /// tolerance. A figure measured on too few anchors is no evidence against the seller.
    pub fn of(report: &Report, epsilon_listed: f64, limits: &Limits) -> Self {
        if report.verdict == Verdict::Refused {
            return Self::ValidationFails;
        }
        let is_evidence = report.evidence_level != EvidenceLevel::Declared;
        match report.epsilon.measured.filter(|_| is_evidence) {
            Some(measured) if Self::is_worse(measured, epsilon_listed, limits) => {
                Self::EpsilonWorse
            }
            _ => Self::AsListed,
        }
    }

    fn is_worse(measured: f64, listed: f64, limits: &Limits) -> bool {
        measured > limits.epsilon_max || measured - listed > limits.epsilon_tolerance(measured)
    }

    /// What follows from it where a measurement decides.
    pub fn decision(self) -> Decision {
        match self {
            Self::AsListed => Decision::Release,
            Self::BytesDiffer | Self::ValidationFails | Self::EpsilonWorse => Decision::Refund,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epsilon_is_worse_beyond_the_limit_or_the_tolerance_and_never_for_being_better() {
        let limits = Limits::default();
        let is_worse = |measured, listed| Finding::is_worse(measured, listed, &limits);
        // The tolerance is 0.005, or 5 % of the measured figure if that is more.
        assert!(!is_worse(0.05, 0.05));
        assert!(!is_worse(0.0549, 0.05));
        assert!(is_worse(0.0551, 0.05));
        assert!(!is_worse(0.01, 0.05));
        assert!(!is_worse(0.10, 0.098));
        assert!(is_worse(0.1001, 0.1001));
    }

    #[test]
    fn only_a_package_that_is_as_listed_leaves_the_seller_the_money() {
        assert_eq!(Finding::AsListed.decision(), Decision::Release);
        for finding in [
            Finding::BytesDiffer,
            Finding::ValidationFails,
            Finding::EpsilonWorse,
        ] {
            assert_eq!(finding.decision(), Decision::Refund, "{finding:?}");
        }
    }
}
