//! The standard retry plan: how long to wait before the next try of a delivery.
//!
//! Pure: the random number and the receiver's hint are arguments. The plan ends by itself after
//! [`TRIES_MAX`] tries; the caller also stops at [`DEADLINE`] after acceptance, because jitter and
//! `Retry-After` can stretch the plan beyond it.

use std::time::Duration;

use super::retry_after::RETRY_AFTER_MAX;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// Seconds between a try and the one before it. The first try is at once; 191 h 42 m 35 s in all, so
/// a receiver may be away for a long weekend and a working week.
const DELAYS_SECONDS: [u64; 18] = [
    0,
    5,
    30,
    2 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    4 * HOUR,
    8 * HOUR,
    12 * HOUR,
    20 * HOUR,
    24 * HOUR,
    24 * HOUR,
    24 * HOUR,
    24 * HOUR,
    24 * HOUR,
    24 * HOUR,
];

/// The number of tries a delivery gets.
pub const TRIES_MAX: u32 = DELAYS_SECONDS.len() as u32;

/// A delivery is given up this long after it was accepted, whatever the plan says.
pub const DEADLINE: Duration = Duration::from_secs(192 * HOUR);

/// The wait before the next try, or `None` when the plan is exhausted.
///
/// `tries_made` counts the tries so far, `retry_after` is the receiver's hint (capped at
/// [`RETRY_AFTER_MAX`] and never undercut), `unit_random` is uniform in [0, 1). Jitter multiplies the
/// planned delay by 1.0 to 1.25, the first retry by 0.8 to 1.6: it spreads what failed together.
pub fn next_delay(
    tries_made: u32,
    retry_after: Option<Duration>,
    unit_random: f64,
) -> Option<Duration> {
    let planned_seconds = *DELAYS_SECONDS.get(usize::try_from(tries_made).ok()?)?;
    let (lowest, highest) = if tries_made == 1 {
        (0.8, 1.6)
    } else {
        (1.0, 1.25)
    };
    let factor = lowest + (highest - lowest) * unit_random.clamp(0.0, 1.0);
    let jittered = Duration::from_secs(planned_seconds).mul_f64(factor);
    let hint = retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
    Some(jittered.max(hint))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_plan_is_eighteen_tries_over_191_hours_42_minutes_35_seconds() {
        let waits: Vec<Duration> = (0..)
            .map_while(|made| next_delay(made, None, 0.25))
            .collect();
        assert_eq!(waits.len(), 18);
        let unjittered: u64 = DELAYS_SECONDS.iter().sum();
        assert_eq!(unjittered, 191 * HOUR + 42 * MINUTE + 35);
        assert!(Duration::from_secs(unjittered) < DEADLINE);
    }

    #[test]
    fn the_first_try_is_at_once_and_the_first_retry_after_four_to_eight_seconds() {
        assert_eq!(next_delay(0, None, 0.5), Some(Duration::ZERO));
        assert_eq!(next_delay(1, None, 0.0), Some(Duration::from_secs(4)));
        assert_eq!(next_delay(1, None, 1.0), Some(Duration::from_secs(8)));
    }

    #[test]
    fn six_tries_fall_into_the_first_hour() {
        let first_six: Duration = (0..6).filter_map(|made| next_delay(made, None, 0.0)).sum();
        assert!(first_six < Duration::from_secs(43 * MINUTE));
    }

    #[test]
    fn the_plan_ends_even_when_the_receiver_asks_for_more() {
        assert_eq!(next_delay(TRIES_MAX, Some(RETRY_AFTER_MAX), 0.0), None);
        assert_eq!(next_delay(u32::MAX, None, 0.0), None);
    }

    proptest! {
        #[test]
        fn waits_never_shrink_from_one_try_to_the_next(made in 0..TRIES_MAX - 1, random in 0.0..1.0) {
            prop_assert!(next_delay(made, None, random) <= next_delay(made + 1, None, random));
        }

        #[test]
        fn a_wait_is_never_shorter_than_the_capped_hint(
            made in 0..TRIES_MAX, hint_seconds in 0_u64..200_000, random in 0.0..1.0,
        ) {
            let hint = Duration::from_secs(hint_seconds);
            let wait = next_delay(made, Some(hint), random).unwrap();
            prop_assert!(wait >= hint.min(RETRY_AFTER_MAX));
            prop_assert!(wait >= next_delay(made, None, random).unwrap());
        }

        #[test]
        fn jitter_stays_within_its_band(made in 2..TRIES_MAX, random in 0.0..1.0) {
            let planned = Duration::from_secs(DELAYS_SECONDS[made as usize]);
            let wait = next_delay(made, None, random).unwrap();
            prop_assert!(wait >= planned && wait <= planned.mul_f64(1.25));
        }
    }
}
