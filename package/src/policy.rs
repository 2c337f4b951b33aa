//! The policy stage: what was declared against what was found, and the sentence for an epsilon that
//! is too high. Measured wins; without enough anchors the declared figure rules and is labelled so.

use crate::declared::Declared;
use crate::evidence::{EvidenceLevel, Tier};
use crate::limits::Limits;
use crate::monitor::Stage;
use crate::refusal::{Code, Refusal};
use crate::report::EpsilonReport;

/// How well the epsilon is known from the package alone.
pub(crate) fn evidence_level(report: &EpsilonReport, limits: &Limits) -> EvidenceLevel {
    if report.measured.is_some() && report.anchors_distinct >= limits.anchors_min {
        EvidenceLevel::SelfAttested
    } else {
        EvidenceLevel::Declared
    }
}

/// The tier, of a measured epsilon only.
pub(crate) fn tier(report: &EpsilonReport, limits: &Limits) -> Option<Tier> {
    match evidence_level(report, limits) {
        EvidenceLevel::Declared => None,
        _ => report.measured.and_then(Tier::of),
    }
}

/// Holds the declared epsilon against the measured one, or against the limit if there is none.
pub(crate) fn check(
    declared: &Declared,
    report: &EpsilonReport,
    limits: &Limits,
) -> Result<(), Refusal> {
    let refuse = |code, message| Err(Refusal::new(Stage::Policy, code, message));
    let claim = declared.epsilon;
    if !claim.is_finite() || claim < 0.0 {
        return refuse(
            Code::EpsilonInvalid,
            "the declared epsilon is no number from 0".to_owned(),
        );
    }
    if let (EvidenceLevel::SelfAttested, Some(measured)) =
        (evidence_level(report, limits), report.measured)
    {
        if (measured - claim).abs() > limits.epsilon_tolerance(measured) {
            let message =
                format!("the declared epsilon {claim:.4} is not the measured {measured:.4}");
            return refuse(Code::EpsilonMisdeclared, message);
        }
    } else if claim > limits.epsilon_max {
        return refuse(
            Code::EpsilonTooHigh,
            epsilon_too_high(claim, limits.epsilon_max),
        );
    }
    Ok(())
}

/// The sentence that clients see: `W-Matrix epsilon too high: 0.15 (max: 0.10)`.
pub(crate) fn epsilon_too_high(epsilon: f64, limit: f64) -> String {
    format!(
        "W-Matrix epsilon too high: {} (max: {limit:.2})",
        above(epsilon, limit)
    )
}

/// At least two decimals, and as many more (up to six) as it takes to show that the value is above
/// the limit; a value that is closer still is rounded up, so that it never reads as the limit.
fn above(value: f64, limit: f64) -> String {
    const DECIMALS_MAX: usize = 6;
    if value >= 1e6 {
        return format!("{value:.2e}");
    }
    let shown = (2..=DECIMALS_MAX).map(|decimals| format!("{value:.decimals$}"));
    let mut distinct = shown.filter(|text| text.parse().is_ok_and(|shown: f64| shown > limit));
    distinct
        .next()
        .unwrap_or_else(|| format!("{:.DECIMALS_MAX$}", limit + 1e-6))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_sentence_is_the_published_one() {
        assert_eq!(
            epsilon_too_high(0.15, 0.10),
            "W-Matrix epsilon too high: 0.15 (max: 0.10)"
        );
        assert_eq!(
            epsilon_too_high(2.0, 0.10),
            "W-Matrix epsilon too high: 2.00 (max: 0.10)"
        );
    }

    #[test]
    fn a_value_just_above_the_limit_shows_the_digits_that_say_so() {
        for (value, shown) in [
            (0.104, "0.104"),
            (0.1004, "0.1004"),
            (0.100_004, "0.100004"),
            (0.100_000_1, "0.100001"),
            (1e9, "1.00e9"),
        ] {
            assert_eq!(above(value, 0.10), shown);
        }
    }

    proptest! {
        #[test]
        fn a_value_above_the_limit_never_reads_as_the_limit(excess in 1e-12f64..1e3) {
            let shown: f64 = above(0.10 + excess, 0.10).parse().unwrap();
            prop_assert!(shown > 0.10);
            prop_assert!((shown - (0.10 + excess)).abs() <= 0.005 + 1e-9);
        }
    }
}
