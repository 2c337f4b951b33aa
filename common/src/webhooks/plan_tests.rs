//! Claims about retry plans.

use proptest::prelude::*;

use super::*;

const FOREVER: Duration = Duration::from_secs(1 << 40);

fn any_plan() -> impl Strategy<Value = Plan> {
    let custom = prop::collection::vec(1_i32..40_000, 1..CUSTOM_TRIES_MAX)
        .prop_map(|seconds| Plan::custom(&seconds).unwrap());
    prop_oneof![Just(Plan::Standard), Just(Plan::Fast), custom]
}

#[test]
fn the_standard_plan_is_eighteen_tries_over_191_hours_42_minutes_35_seconds() {
    let sum: u64 = STANDARD_SECONDS.iter().sum();
    assert_eq!(Plan::Standard.tries(), 18);
    assert_eq!(sum, 191 * HOUR + 42 * MINUTE + 35);
    assert!(Duration::from_secs(sum) < Plan::Standard.deadline());
    let first_six: u64 = STANDARD_SECONDS[..6].iter().sum();
    assert!(first_six < 43 * MINUTE);
}

#[test]
fn the_fast_plan_is_eight_tries_in_a_day() {
    let sum: u64 = FAST_SECONDS.iter().sum();
    assert_eq!(Plan::Fast.tries(), 8);
    assert!(sum <= DAY && Duration::from_secs(sum) < Plan::Fast.deadline());
}

#[test]
fn the_first_try_is_at_once_and_the_first_retry_after_four_to_eight_seconds() {
    let wait = |made, random| Plan::Standard.next_wait(made, None, FOREVER, random);
    assert_eq!(wait(0, 0.5), Some(Duration::ZERO));
    assert_eq!(wait(1, 0.0), Some(Duration::from_secs(4)));
    assert_eq!(wait(1, 1.0), Some(Duration::from_secs(8)));
}

#[test]
fn a_plan_of_ones_own_is_checked() {
    let custom = |seconds: &[i32]| Plan::from_parts("custom", Some(seconds));
    assert_eq!(custom(&[60, 600]), Ok(Plan::Custom(vec![60, 600])));
    assert_eq!(custom(&[]), Err(PlanError::Tries));
    assert_eq!(custom(&[1; CUSTOM_TRIES_MAX]), Err(PlanError::Tries));
    assert_eq!(custom(&[0]), Err(PlanError::Wait));
    assert_eq!(custom(&[-5]), Err(PlanError::Wait));
    assert_eq!(custom(&[172_801]), Err(PlanError::Wait));
    assert_eq!(custom(&[172_800; 8]), Err(PlanError::Sum));
    assert_eq!(Plan::from_parts("custom", None), Err(PlanError::Name));
    assert_eq!(Plan::from_parts("fast", Some(&[1])), Err(PlanError::Name));
    assert_eq!(Plan::from_parts("", None), Err(PlanError::Name));
}

#[test]
fn a_hint_beyond_the_deadline_ends_the_plan() {
    let left = Duration::from_secs(HOUR);
    let hint = Some(left + Duration::from_secs(1));
    assert_eq!(Plan::Standard.next_wait(1, hint, left, 0.0), None);
}

proptest! {
    #[test]
    fn no_try_falls_after_the_deadline_and_each_chain_ends(plan in any_plan(), seed in any::<u64>()) {
        let (mut left, mut made) = (plan.deadline(), 0);
        let mut random = seed;
        loop {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let unit_random = (random >> 11) as f64 / (1_u64 << 53) as f64;
            match plan.next_wait(made, None, left, unit_random) {
                Some(wait) => {
                    prop_assert!(wait <= left);
                    left -= wait;
                    made += 1;
                }
                None => break,
            }
        }
        // Jitter may eat the last tries, but then one is made at the deadline itself.
        prop_assert!(made == plan.tries() || (made < plan.tries() && left.is_zero()));
    }

    #[test]
    fn a_plan_reads_back_from_its_parts(plan in any_plan()) {
        let seconds = plan.seconds();
        prop_assert_eq!(Plan::from_parts(plan.name(), seconds.as_deref()), Ok(plan));
    }

    #[test]
    fn a_wait_is_never_shorter_than_the_capped_hint(
        plan in any_plan(), made in 0..CUSTOM_TRIES_MAX, hint_seconds in 0_u64..200_000, random in 0.0..1.0,
    ) {
        let hint = Duration::from_secs(hint_seconds);
        if let Some(wait) = plan.next_wait(made, Some(hint), FOREVER, random) {
            prop_assert!(wait >= hint.min(RETRY_AFTER_MAX));
        }
        prop_assert_eq!(plan.next_wait(plan.tries(), Some(hint), FOREVER, random), None);
    }

    #[test]
    fn jitter_stays_within_its_band(plan in any_plan(), made in 2..CUSTOM_TRIES_MAX, random in 0.0..1.0) {
        if let Some(planned) = plan.wait_seconds(made).map(Duration::from_secs) {
            let wait = plan.next_wait(made, None, FOREVER, random).unwrap();
            prop_assert!(wait >= planned && wait <= planned.mul_f64(1.25));
        }
    }
}
