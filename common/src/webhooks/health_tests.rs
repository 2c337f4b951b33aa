//! Claims about the health of endpoints.

use proptest::prelude::*;

use super::*;
use crate::webhooks::rate::BURST_SECONDS;

const LIMITS: Limits = Limits {
    rate_per_second: 50,
    concurrency: 16,
};

fn at(milliseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_800_000_000_000 + milliseconds).unwrap()
}

fn seen(answer: Answer) -> Seen {
    Seen {
        took: Duration::from_millis(20),
        answer,
    }
}

fn healthy() -> Health {
    let mut health = Health::default();
    for _ in 0..20 {
        health.observe(at(0), seen(Answer::Success));
    }
    health
}

fn opened() -> Health {
    let mut health = Health::default();
    for _ in 0..TIMEOUTS_TO_OPEN {
        health.observe(at(0), seen(Answer::Timeout));
    }
    assert_eq!(health.breaker(), "open");
    health
}

/// What is sent within a stretch of time if each request is answered well at once.
fn sent_within(health: &mut Health, from: i64, to: i64, limits: &Limits) -> usize {
    let mut sent = 0;
    let mut time = from;
    while time < to {
        match health.may_send(at(time), 0, limits) {
            Permission::Send => sent += 1,
            Permission::WaitForAnswer => unreachable!("none is under way"),
            Permission::Wait(pause) => time += i64::try_from(pause.as_millis()).unwrap().max(1),
        }
    }
    sent
}

#[test]
fn five_timeouts_in_a_row_open_the_breaker_for_thirty_seconds() {
    let mut health = opened();
    assert_eq!(health.rest_until(at(0)), Some(at(30_000)));
    let wait = health.may_send(at(10_000), 0, &LIMITS);
    assert_eq!(wait, Permission::Wait(Duration::from_secs(20)));
}

#[test]
fn half_of_ten_tries_in_a_minute_open_it_and_nine_do_not() {
    let mut health = Health::default();
    for number in 0..9 {
        let answer = if number % 2 == 0 {
            Answer::Failure
        } else {
            Answer::Success
        };
        assert!(
            !health
                .observe(at(number), seen(answer))
                .contains(&Change::Opened)
        );
    }
    let changes = health.observe(at(9), seen(Answer::Failure));
    assert!(changes.contains(&Change::Opened));
}

#[test]
fn failures_of_more_than_a_minute_ago_do_not_count() {
    let mut health = Health::default();
    for _ in 0..9 {
        health.observe(at(0), seen(Answer::Failure));
    }
    let changes = health.observe(at(75_000), seen(Answer::Failure));
    assert!(!changes.contains(&Change::Opened));
}

#[test]
fn one_probe_at_a_time_and_three_successes_close_it() {
    let mut health = opened();
    assert_eq!(health.may_send(at(30_000), 0, &LIMITS), Permission::Send);
    assert_eq!(
        health.may_send(at(30_000), 1, &LIMITS),
        Permission::WaitForAnswer
    );
    for _ in 1..PROBES_TO_CLOSE {
        assert_eq!(health.observe(at(30_100), seen(Answer::Success)), []);
    }
    assert_eq!(
        health.observe(at(30_200), seen(Answer::Success)),
        [Change::Closed]
    );
    assert_eq!(health.breaker(), "closed");
}

#[test]
fn a_failed_probe_doubles_the_rest_up_to_a_quarter_of_an_hour() {
    let mut health = opened();
    let mut rests = Vec::new();
    let mut now = 0;
    for _ in 0..8 {
        let until = health.rest_until(at(now)).unwrap();
        rests.push((until - at(now)).num_seconds());
        now = (until - at(0)).num_milliseconds();
        assert_eq!(health.may_send(at(now), 0, &LIMITS), Permission::Send);
        assert!(
            health
                .observe(at(now), seen(Answer::Timeout))
                .contains(&Change::Opened)
        );
    }
    assert_eq!(rests, [30, 60, 120, 240, 480, 900, 900, 900]);
}

#[test]
fn after_an_open_breaker_the_rate_doubles_each_ten_seconds() {
    let mut health = opened();
    for _ in 0..PROBES_TO_CLOSE {
        health.may_send(at(30_000), 0, &LIMITS);
        health.observe(at(30_000), seen(Answer::Success));
    }
    let mut sent = Vec::new();
    for step in 0..7 {
        let from = 30_000 + step * 10_000;
        sent.push(sent_within(&mut health, from, from + 10_000, &LIMITS));
    }
    for (step, count) in sent.iter().enumerate() {
        let allowed = (1_usize << step).min(50) * 10;
        assert!(
            *count <= allowed + 2 * (allowed / 10).max(1),
            "step {step}: {count}"
        );
        assert!(*count * 10 >= allowed * 8, "step {step}: {count}");
    }
}

#[test]
fn a_throttled_endpoint_is_held_and_its_rate_halved() {
    let mut health = healthy();
    let hold = Some(Duration::from_secs(7));
    health.observe(at(0), seen(Answer::Throttled(hold)));
    assert_eq!(
        health.may_send(at(0), 0, &LIMITS),
        Permission::Wait(Duration::from_secs(7))
    );
    assert_eq!(health.may_send(at(7_000), 0, &LIMITS), Permission::Send);
    assert!(health.rate.per_second(at(7_000), 50.0) <= 25.0);
    assert!(health.rate.per_second(at(60_000), 50.0) >= 49.9);
}

#[test]
fn a_clock_that_is_set_back_or_ahead_by_an_hour_delays_little() {
    const HOUR: i64 = 3_600_000;
    let mut ahead = opened();
    assert_eq!(ahead.may_send(at(HOUR), 0, &LIMITS), Permission::Send);
    let mut back = opened();
    assert_eq!(back.rest_until(at(-HOUR)), None);
    assert_eq!(back.may_send(at(-HOUR), 0, &LIMITS), Permission::Send);
    let mut health = healthy();
    while health.may_send(at(0), 0, &LIMITS) == Permission::Send {}
    let Permission::Wait(pause) = health.may_send(at(-HOUR), 0, &LIMITS) else {
        panic!("the bucket was empty");
    };
    assert!(pause < Duration::from_secs(1), "{pause:?}");
}

#[test]
fn an_endpoint_that_has_not_answered_gets_two_at_a_time() {
    let mut health = Health::default();
    assert_eq!(health.may_send(at(0), 1, &LIMITS), Permission::Send);
    assert_eq!(
        health.may_send(at(0), 2, &LIMITS),
        Permission::WaitForAnswer
    );
    let mut health = healthy();
    assert_eq!(health.may_send(at(0), 15, &LIMITS), Permission::Send);
    assert_eq!(
        health.may_send(at(0), 16, &LIMITS),
        Permission::WaitForAnswer
    );
}

#[test]
fn its_owner_is_warned_three_times_and_then_it_is_disabled() {
    let mut health = Health::default();
    let mut said = Vec::new();
    for hour in 0..=121 {
        for change in health.observe(at(hour * 3_600_000), seen(Answer::Failure)) {
            match change {
                Change::Failing { since, hours } => {
                    assert_eq!(since, at(0));
                    said.push(hours);
                }
                Change::Disable(reason) => {
                    assert_eq!((reason, hour), (DisableReason::Failing, 120));
                    return assert_eq!(said, WARN_HOURS);
                }
                _ => {}
            }
        }
    }
    panic!("it was never disabled");
}

#[test]
fn a_success_after_a_warning_is_a_recovery_and_without_one_is_not() {
    let mut health = Health::default();
    health.observe(at(0), seen(Answer::Failure));
    assert_eq!(health.observe(at(1), seen(Answer::Success)), []);
    health.observe(at(10), seen(Answer::Failure));
    health.observe(at(3_600_010), seen(Answer::Failure));
    let changes = health.observe(at(3_600_020), seen(Answer::Success));
    assert_eq!(changes, [Change::Recovered { since: at(10) }]);
    assert_eq!(health.failing_since(), None);
}

#[test]
fn two_410_a_minute_apart_disable_it_and_a_success_between_them_does_not() {
    let gone = Change::Disable(DisableReason::Gone);
    let mut health = Health::default();
    assert_eq!(health.observe(at(0), seen(Answer::Gone)), []);
    assert!(
        !health
            .observe(at(59_000), seen(Answer::Gone))
            .contains(&gone)
    );
    assert!(
        health
            .observe(at(60_000), seen(Answer::Gone))
            .contains(&gone)
    );
    let mut health = Health::default();
    health.observe(at(0), seen(Answer::Gone));
    health.observe(at(30_000), seen(Answer::Success));
    assert!(
        !health
            .observe(at(60_000), seen(Answer::Gone))
            .contains(&gone)
    );
}

#[test]
fn a_wish_to_be_left_alone_disables_at_once_and_our_faults_count_nothing() {
    let changes = Health::default().observe(at(0), seen(Answer::Unwanted));
    assert!(changes.contains(&Change::Disable(DisableReason::Unwanted)));
    let mut health = Health::default();
    for number in 0..100 {
        assert_eq!(health.observe(at(number), seen(Answer::Internal)), []);
    }
    assert_eq!(health, Health::default());
}

#[test]
fn what_an_older_version_remembered_can_be_read() {
    let health: Health = serde_json::from_str(r#"{"unknown": 1, "window": 5.0}"#).unwrap();
    assert_eq!(health.breaker(), "closed");
}

fn any_answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        4 => Just(Answer::Success),
        2 => Just(Answer::Failure),
        2 => Just(Answer::Timeout),
        1 => Just(Answer::Gone),
        1 => Just(Answer::Internal),
        1 => (0_u64..100).prop_map(|seconds| Answer::Throttled(Some(Duration::from_secs(seconds)))),
    ]
}

proptest! {
    #[test]
    fn it_never_sends_while_it_rests_nor_beyond_its_window(
        steps in prop::collection::vec((0_i64..20_000, any_answer(), 0_usize..40), 1..200),
    ) {
        let mut health = Health::default();
        let mut now = 0;
        for (pause, answer, in_flight) in steps {
            now += pause;
            let rests = health.rest_until(at(now)).is_some();
            let permission = health.may_send(at(now), in_flight, &LIMITS);
            if permission == Permission::Send {
                prop_assert!(!rests && in_flight < LIMITS.concurrency);
            }
            if let Permission::Wait(pause) = permission {
                prop_assert!(!pause.is_zero());
            }
            health.observe(at(now), seen(answer));
            prop_assert!(health.window >= 1.0);
            let text = serde_json::to_string(&health).unwrap();
            prop_assert!(text.len() < 1024, "{}", text);
            let again: Health = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(again.breaker(), health.breaker());
        }
    }

    #[test]
    fn no_ten_seconds_see_more_than_the_rate_and_a_burst(
        rate_per_second in 1_u32..1000, starts in prop::collection::vec(0_i64..60_000, 1..5),
    ) {
        let limits = Limits { rate_per_second, concurrency: 64 };
        let mut health = healthy();
        sent_within(&mut health, 0, 1_000, &limits);
        for start in starts {
            let mut health = health.clone();
            let sent = sent_within(&mut health, 1_000 + start, 11_000 + start, &limits);
            let allowed = f64::from(rate_per_second) * (10.0 + BURST_SECONDS) + 1.0;
            prop_assert!(sent as f64 <= allowed, "{} > {}", sent, allowed);
        }
    }
}
