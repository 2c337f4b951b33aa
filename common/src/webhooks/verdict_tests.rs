//! Claims about verdicts: each chain is one, ends, and never passes its deadline.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::webhooks::timing::Timings;

const PLAN: Plan = Plan::Standard;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn fresh() -> Chain {
    Chain {
        tries: 0,
        holds: 0,
        trigger: Trigger::Plan,
        ended_as: None,
        accepted_at: at(0),
        hours_max: None,
    }
}

fn attempt(outcome: Outcome) -> Attempt {
    Attempt {
        outcome,
        timings: Timings::default(),
        directive: None,
        response_excerpt: None,
    }
}

fn answered(status: u16, retry_after_seconds: Option<u64>) -> Attempt {
    attempt(match status {
        200..300 => Outcome::Delivered { status },
        _ => Outcome::Refused {
            class: ErrorClass::Status,
            status: Some(status),
            retry_after: retry_after_seconds.map(Duration::from_secs),
            detail: String::new(),
        },
    })
}

fn unanswered(class: ErrorClass) -> Attempt {
    attempt(Outcome::Refused {
        class,
        status: None,
        retry_after: None,
        detail: String::new(),
    })
}

fn judge(chain: &Chain, attempt: &Attempt) -> Verdict {
    decide(chain, &PLAN, attempt, Options::default(), at(0), 0.5)
}

#[test]
fn a_success_ends_the_chain_whatever_it_was() {
    for (trigger, ended_as) in [
        (Trigger::Plan, None),
        (Trigger::Manual, Some(DeliveryState::Failed)),
        (Trigger::Test, None),
    ] {
        let chain = Chain {
            trigger,
            ended_as,
            ..fresh()
        };
        let verdict = judge(&chain, &answered(204, None));
        assert_eq!(
            (verdict.state, verdict.ended),
            (DeliveryState::Delivered, Some(End::Delivered))
        );
    }
}

#[test]
fn every_other_answer_burns_one_try_and_follows_the_plan() {
    for attempt in [
        answered(500, None),
        answered(404, None),
        answered(408, None),
        answered(301, None),
        unanswered(ErrorClass::Dns),
        unanswered(ErrorClass::ConnectRefused),
        unanswered(ErrorClass::Tls),
        unanswered(ErrorClass::TimeoutBody),
        unanswered(ErrorClass::BlockedAddress),
    ] {
        let verdict = judge(&fresh(), &attempt);
        assert_eq!(
            (verdict.state, verdict.tries, verdict.holds),
            (DeliveryState::Pending, 1, 0)
        );
        assert_eq!(
            verdict.next_in,
            PLAN.next_wait(1, None, PLAN.deadline(), 0.5)
        );
    }
}

#[test]
fn a_hint_is_never_undercut_and_with_429_or_503_costs_no_try() {
    let verdict = judge(&fresh(), &answered(500, Some(900)));
    assert_eq!(
        (verdict.tries, verdict.next_in),
        (1, Some(Duration::from_secs(900)))
    );
    for status in [429, 503] {
        let verdict = judge(&fresh(), &answered(status, Some(900)));
        assert_eq!((verdict.tries, verdict.holds), (0, 1));
        assert_eq!(verdict.next_in, Some(Duration::from_secs(900)));
        let without = judge(&fresh(), &answered(status, None));
        assert_eq!((without.tries, without.holds), (1, 0));
        let patience = Chain {
            holds: HOLDS_MAX,
            ..fresh()
        };
        let verdict = judge(&patience, &answered(status, Some(900)));
        assert_eq!((verdict.tries, verdict.holds), (1, HOLDS_MAX));
    }
}

#[test]
fn a_hint_beyond_a_short_plan_ends_nothing_and_leaves_its_tries() {
    let plan = Plan::from_parts("custom", Some(&[1, 1])).unwrap();
    let judge = |chain: &Chain, status, hint, now| {
        let attempt = answered(status, hint);
        decide(chain, &plan, &attempt, Options::default(), now, 0.5)
    };
    let asked = judge(&fresh(), 503, Some(7200), at(0));
    assert_eq!((asked.tries, asked.holds), (0, 1));
    assert_eq!(asked.next_in, Some(Duration::from_secs(7200)));
    let chain = Chain {
        holds: asked.holds,
        ..fresh()
    };
    let failed = judge(&chain, 500, None, at(7200));
    assert_eq!((failed.state, failed.tries), (DeliveryState::Pending, 1));
    let last = Chain { tries: 2, ..chain };
    assert_eq!(
        judge(&last, 500, None, at(7202)).ended,
        Some(End::Exhausted)
    );
}

#[test]
fn a_fault_of_ours_costs_nothing_for_any_trigger() {
    let internal = unanswered(ErrorClass::Internal);
    for (trigger, ended_as) in [
        (Trigger::Plan, None),
        (Trigger::Manual, Some(DeliveryState::Delivered)),
        (Trigger::Test, None),
        (Trigger::Recovery, None),
    ] {
        let chain = Chain {
            trigger,
            ended_as,
            ..fresh()
        };
        let verdict = judge(&chain, &internal);
        assert_eq!(
            (verdict.state, verdict.tries, verdict.holds),
            (DeliveryState::Pending, 0, 1)
        );
        assert_eq!((verdict.trigger, verdict.ended_as), (trigger, ended_as));
    }
}

#[test]
fn a_manual_send_that_fails_goes_back_to_what_it_was() {
    for ended_as in [
        DeliveryState::Delivered,
        DeliveryState::Failed,
        DeliveryState::Discarded,
    ] {
        let chain = Chain {
            trigger: Trigger::Manual,
            ended_as: Some(ended_as),
            ..fresh()
        };
        let verdict = judge(&chain, &answered(503, Some(60)));
        assert_eq!(
            (verdict.state, verdict.ended),
            (ended_as, Some(End::ReturnedTo(ended_as)))
        );
    }
    let pending = Chain {
        trigger: Trigger::Manual,
        tries: 3,
        ..fresh()
    };
    let verdict = judge(&pending, &answered(500, None));
    assert_eq!((verdict.state, verdict.tries), (DeliveryState::Pending, 3));
    assert_eq!((verdict.trigger, verdict.ended_as), (Trigger::Plan, None));
}

#[test]
fn the_receivers_word_the_endpoints_rule_and_a_trial_end_at_once() {
    let stopped = |verdict: Verdict| {
        assert_eq!(
            (verdict.state, verdict.ended),
            (DeliveryState::Failed, Some(End::Stopped))
        );
    };
    let abort = Attempt {
        directive: Some(Directive::AbortMessage),
        ..answered(500, None)
    };
    stopped(judge(&fresh(), &abort));
    stopped(judge(
        &Chain {
            trigger: Trigger::Test,
            ..fresh()
        },
        &answered(500, None),
    ));
    stopped(judge(&fresh(), &unanswered(ErrorClass::Expunged)));
    let options = Options {
        stop_on_client_error: true,
    };
    let strict = |status| {
        decide(
            &fresh(),
            &PLAN,
            &answered(status, None),
            options,
            at(0),
            0.5,
        )
    };
    for status in [400, 401, 404, 410, 422] {
        stopped(strict(status));
    }
    for status in [408, 425, 429, 500, 503] {
        assert_eq!(strict(status).state, DeliveryState::Pending, "{status}");
    }
}

#[test]
fn an_ordered_chain_ends_after_its_own_hours() {
    let chain = Chain {
        hours_max: Some(72),
        tries: 9,
        ..fresh()
    };
    let late = at(72 * 3600 + 1);
    let verdict = decide(
        &chain,
        &PLAN,
        &answered(500, None),
        Options::default(),
        late,
        0.5,
    );
    assert_eq!(verdict.ended, Some(End::Exhausted));
}

#[test]
fn health_sees_what_the_receiver_did() {
    let hint = Some(Duration::from_secs(9));
    for (attempt, expected) in [
        (answered(200, None), Answer::Success),
        (answered(410, None), Answer::Gone),
        (answered(429, Some(9)), Answer::Throttled(hint)),
        (answered(503, None), Answer::Throttled(None)),
        (answered(500, Some(9)), Answer::Failure),
        (unanswered(ErrorClass::TimeoutHeaders), Answer::Timeout),
        (unanswered(ErrorClass::ConnectTimeout), Answer::Timeout),
        (unanswered(ErrorClass::ConnectRefused), Answer::Failure),
        (unanswered(ErrorClass::Internal), Answer::Internal),
    ] {
        assert_eq!(seen(&attempt).answer, expected);
        let disable = Attempt {
            directive: Some(Directive::Disable),
            ..attempt
        };
        assert_eq!(seen(&disable).answer, Answer::Unwanted);
    }
}

fn any_attempt() -> impl Strategy<Value = Attempt> {
    prop_oneof![
        1 => Just(answered(200, None)),
        8 => (300_u16..600, prop::option::of(0_u64..100_000)).prop_map(|(status, hint)| answered(status, hint)),
        4 => prop::sample::select(ErrorClass::ALL.to_vec()).prop_map(unanswered),
    ]
}

proptest! {
    #[test]
    fn each_chain_has_one_next_attempt_or_an_end_and_never_passes_its_deadline(
        attempts in prop::collection::vec((any_attempt(), 0.0..1.0), 1..80), fast in any::<bool>(),
    ) {
        let plan = if fast { Plan::Fast } else { Plan::Standard };
        let (mut chain, mut now) = (fresh(), at(0));
        for (attempt, random) in attempts {
            let verdict = decide(&chain, &plan, &attempt, Options::default(), now, random);
            let is_pending = verdict.state == DeliveryState::Pending;
            prop_assert_eq!(is_pending, verdict.next_in.is_some());
            prop_assert_eq!(is_pending, verdict.ended.is_none());
            prop_assert!(verdict.tries >= chain.tries && verdict.holds >= chain.holds);
            if !is_pending {
                prop_assert!(verdict.state.is_final());
                return Ok(());
            }
            let moved = (verdict.tries - chain.tries) + (verdict.holds - chain.holds);
            prop_assert_eq!(moved, 1);
            now += TimeDelta::from_std(verdict.next_in.unwrap()).unwrap();
            let deadline = plan.deadline() + RETRY_AFTER_MAX * verdict.holds.unsigned_abs();
            prop_assert!(now <= at(0) + TimeDelta::from_std(deadline).unwrap());
            chain = Chain { tries: verdict.tries, holds: verdict.holds, ..chain };
        }
        prop_assert!(usize::try_from(chain.tries).unwrap() < plan.tries());
    }
}
