//! How well a figure is known ([`EvidenceLevel`]) and how good it is ([`Tier`]). The validator itself
//! grants only the first two levels; the others need a challenge or the platform's own anchors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who stands behind an epsilon.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceLevel {
    /// The seller typed a number.
    Declared,
    /// Recomputed here, on anchors that the seller chose.
    SelfAttested,
    /// Recomputed on rows that the platform picked after the matrix was committed.
    Challenged,
    /// Recomputed on the platform's reference anchors.
    Verified,
}

/// A band of the *measured* epsilon. A declared one has no tier.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[schemars(rename = "EpsilonTier")]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// At most 0.01.
    Platinum,
    /// At most 0.05.
    Gold,
    /// At most 0.10.
    Silver,
}

impl Tier {
    /// The tier of a measured epsilon; none above 0.10 or when it is not a number.
    #[must_use]
    pub fn of(epsilon: f64) -> Option<Self> {
        [
            (0.01, Self::Platinum),
            (0.05, Self::Gold),
            (0.10, Self::Silver),
        ]
        .into_iter()
        .find_map(|(epsilon_max, tier)| (epsilon <= epsilon_max).then_some(tier))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tier_includes_its_own_limit() {
        assert_eq!(Tier::of(0.01), Some(Tier::Platinum));
        assert_eq!(Tier::of(0.010_000_1), Some(Tier::Gold));
        assert_eq!(Tier::of(0.10), Some(Tier::Silver));
        assert_eq!(Tier::of(0.100_000_1), None);
        assert_eq!(Tier::of(f64::NAN), None);
    }

    #[test]
    fn evidence_levels_are_kebab_case_on_the_wire() {
        let json = serde_json::to_string(&EvidenceLevel::SelfAttested).unwrap();
        assert_eq!(json, "\"self-attested\"");
    }
}
