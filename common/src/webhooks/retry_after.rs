//! Reading the `Retry-After` header of a webhook receiver (RFC 9110 §10.2.3).
//!
//! The text is under the receiver's control: anything that is not a plain number of seconds or one of
//! the three HTTP date forms is no hint at all, and no hint is longer than [`RETRY_AFTER_MAX`].

use std::time::{Duration, SystemTime};

/// A receiver can push the next try this far away and no further.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// How long to wait from `now`; zero for a date in the past, `None` for text that is no hint.
///
/// Seconds may carry decimals, which some gateways send.
pub fn parse(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim_matches([' ', '\t']);
    let wait = match seconds(text) {
        Some(wait) => wait,
        None => httpdate::parse_http_date(text)
            .ok()?
            .duration_since(now)
            .unwrap_or_default(),
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

/// Digits with at most one decimal point inside them: no sign, exponent, `inf` or `nan`.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let seconds: f64 = text.parse().ok()?;
    Some(Duration::from_secs_f64(
        seconds.min(RETRY_AFTER_MAX.as_secs_f64()),
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sun, 06 Nov 1994 08:48:37 GMT: one minute before the date that RFC 9110 prints in three forms.
    fn a_minute_before_the_example() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_717)
    }

    #[test]
    fn seconds_are_read_with_and_without_decimals() {
        let now = SystemTime::UNIX_EPOCH;
        assert_eq!(parse("120", now), Some(Duration::from_secs(120)));
        assert_eq!(parse(" 1.5 ", now), Some(Duration::from_millis(1_500)));
        assert_eq!(parse("0", now), Some(Duration::ZERO));
    }

    #[test]
    fn the_three_date_forms_mean_the_same() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            let wait = parse(text, a_minute_before_the_example());
            assert_eq!(wait, Some(Duration::from_secs(60)), "{text}");
        }
    }

    #[test]
    fn a_past_date_means_no_wait_and_a_far_one_is_capped() {
        let past = "Sun, 06 Nov 1994 08:00:00 GMT";
        let far = "Fri, 31 Dec 9999 23:59:59 GMT";
        let now = a_minute_before_the_example();
        assert_eq!(parse(past, now), Some(Duration::ZERO));
        assert_eq!(parse(far, now), Some(RETRY_AFTER_MAX));
        assert_eq!(parse(&"9".repeat(400), now), Some(RETRY_AFTER_MAX));
    }

    #[test]
    fn text_that_is_no_hint_is_ignored() {
        for text in [
            "", "-1", "+1", "1e9", "inf", "NaN", "1.", ".5", "1.2.3", "soon", "1,5",
        ] {
            assert_eq!(parse(text, SystemTime::UNIX_EPOCH), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_at_most_the_cap(text in "\\PC*", now_seconds in 0_u64..4_000_000_000) {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now_seconds);
            prop_assert!(parse(&text, now).unwrap_or_default() <= RETRY_AFTER_MAX);
        }

        #[test]
        fn a_formatted_date_reads_back_as_the_wait(
            now_seconds in 0_u64..4_000_000_000, wait_seconds in 0_u64..86_400,
        ) {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now_seconds);
            let wait = Duration::from_secs(wait_seconds);
            prop_assert_eq!(parse(&httpdate::fmt_http_date(now + wait), now), Some(wait));
        }
    }
}
