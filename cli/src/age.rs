//! Times as people say them: one unit, rounded down.

use chrono::{DateTime, TimeDelta, Utc};

/// `3 minutes ago`, `in 2 hours`, `now`.
pub fn since(at: DateTime<Utc>) -> String {
    relative(Utc::now() - at)
}

/// `3 minutes ago`, or nothing.
pub fn since_if_any(at: Option<DateTime<Utc>>) -> String {
    at.map(since).unwrap_or_default()
}

/// `3 minutes`; less than a second is `0 seconds`.
pub fn span(duration: TimeDelta) -> String {
    let seconds = duration.num_seconds().abs();
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

fn relative(age: TimeDelta) -> String {
    match age.num_seconds() {
        0 => "now".to_owned(),
        1.. => format!("{} ago", span(age)),
        _ => format!("in {}", span(age)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_in_words_at_every_border() {
        let cases = [
            (0, "now"),
            (1, "1 second ago"),
            (59, "59 seconds ago"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (7_200, "2 hours ago"),
            (86_400, "1 day ago"),
            (-90, "in 1 minute"),
        ];
        for (seconds, words) in cases {
            assert_eq!(relative(TimeDelta::seconds(seconds)), words);
        }
    }
}
