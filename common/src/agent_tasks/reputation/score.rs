//! The arithmetic. Pure: the same outcomes at the same time are the same reputation.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::Outcome;
use crate::agent_tasks::TaskState;
use crate::ids::{AgentTaskId, UserId};

/// Tasks that an agent is thought to have done before its first, half of them well.
const PRIOR_TASKS: f64 = 10.0;
const PRIOR_MEAN: f64 = 0.5;
/// After so many days a task says half as much.
const HALF_LIFE_DAYS: f64 = 90.0;
/// How much more a dear task says than a cheap one, at most and at least.
const VALUE_MIN: f64 = 0.1;
const VALUE_MAX: f64 = 2.0;
/// What a rating of the payer adds to the outcome.
const RATING_SHARE: f64 = 0.3;
const STARS_MAX: f64 = 5.0;

/// What one task says.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    pub task_id: AgentTaskId,
    pub ended_at: DateTime<Utc>,
    pub state: TaskState,
    pub rating: Option<i16>,
    /// How well it went, from 0 to 1.
    pub success: f64,
    /// By its price.
    pub value: f64,
    /// By its age.
    pub freshness: f64,
    /// 1 for the first task of its payer, 2 for the second.
    pub ordinal: i64,
    /// Value times freshness, divided by the ordinal.
    pub weight: f64,
}

/// A reputation and what it is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Reputation {
    /// From 0 to 5.
    pub score: f64,
    /// The sum of the weights.
    pub evidence: f64,
    /// Accounts that paid.
    pub counterparties: i32,
    pub succeeded: i32,
    pub failed: i32,
    /// The median time from acceptance to result.
    pub latency_seconds: Option<f64>,
    /// The newest first.
    pub terms: Vec<Term>,
}

impl Reputation {
    /// What these outcomes, the newest first, say at that time.
    pub fn of(outcomes: &[Outcome], at: DateTime<Utc>) -> Self {
        let mut tasks_of: HashMap<UserId, i64> = HashMap::new();
        // The first task of a payer is the oldest.
        let mut terms: Vec<Term> = outcomes
            .iter()
            .rev()
            .map(|outcome| {
                let ordinal = tasks_of.entry(outcome.payer_id).or_default();
                *ordinal += 1;
                Term::of(outcome, *ordinal, at)
            })
            .collect();
        terms.reverse();
        let evidence: f64 = terms.iter().map(|term| term.weight).sum();
        let good: f64 = terms.iter().map(|term| term.weight * term.success).sum();
        let mean = (PRIOR_TASKS * PRIOR_MEAN + good) / (PRIOR_TASKS + evidence);
        let succeeded = outcomes.iter().filter(|outcome| outcome.done() >= 0.5);
        let succeeded = succeeded.count();
        Self {
            score: (STARS_MAX * mean).clamp(0.0, STARS_MAX),
            evidence,
            counterparties: count(tasks_of.len()),
            succeeded: count(succeeded),
            failed: count(outcomes.len() - succeeded),
            latency_seconds: median(outcomes),
            terms,
        }
    }
}

impl Term {
    fn of(outcome: &Outcome, ordinal: i64, at: DateTime<Utc>) -> Self {
        let done = outcome.done();
        let success = match outcome.rating {
            None => done,
            Some(stars) => {
                let rated = (f64::from(stars) - 1.0) / (STARS_MAX - 1.0);
                (1.0 - RATING_SHARE) * done + RATING_SHARE * rated
            }
        };
        let value = (1.0 + outcome.amount_minor as f64 / 100.0).log10();
        let value = value.clamp(VALUE_MIN, VALUE_MAX);
        let age = (at - outcome.ended_at).max(TimeDelta::zero());
        let days = age.num_milliseconds() as f64 / 86_400_000.0;
        let freshness = (-days / HALF_LIFE_DAYS).exp2();
        Self {
            task_id: outcome.task_id,
            ended_at: outcome.ended_at,
            state: outcome.state,
            rating: outcome.rating,
            success,
            value,
            freshness,
            ordinal,
            weight: value * freshness / ordinal as f64,
        }
    }
}

impl Outcome {
    /// What part of the task was done, as the ledger says.
    fn done(&self) -> f64 {
        match self.state {
            TaskState::Settled | TaskState::ResolvedRelease => 1.0,
            TaskState::ResolvedSplit if self.amount_minor > 0 => {
                self.paid_minor.unwrap_or_default() as f64 / self.amount_minor as f64
            }
            _ => 0.0,
        }
    }
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn median(outcomes: &[Outcome]) -> Option<f64> {
    let mut seconds: Vec<f64> = outcomes
        .iter()
        .filter_map(|outcome| outcome.latency_seconds)
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_323_045, 0).unwrap()
    }

    fn outcome(payer: UserId, state: TaskState, amount_minor: i64, days: i64) -> Outcome {
        Outcome {
            task_id: AgentTaskId::new(),
            payer_id: payer,
            state,
            amount_minor,
            paid_minor: None,
            rating: None,
            ended_at: now() - TimeDelta::days(days),
            latency_seconds: Some(1.0),
        }
    }

    fn many(payers: usize, tasks: usize, state: TaskState, amount_minor: i64) -> Vec<Outcome> {
        let payers: Vec<UserId> = (0..payers).map(|_| UserId::new()).collect();
        (0..tasks)
            .map(|number| outcome(payers[number % payers.len()], state, amount_minor, 0))
            .collect()
    }

    fn score(outcomes: &[Outcome]) -> f64 {
        Reputation::of(outcomes, now()).score
    }

    #[test]
    fn an_agent_without_tasks_is_in_the_middle() {
        assert_eq!(score(&[]), 2.5);
    }

    #[test]
    fn a_hundred_tasks_of_many_payers_nearly_fill_the_scale_and_as_many_failures_empty_it() {
        assert!(score(&many(100, 100, TaskState::Settled, 10_000)) > 4.7);
        assert!(score(&many(100, 100, TaskState::ResolvedRefund, 10_000)) < 0.3);
        assert!(score(&many(100, 100, TaskState::Expired, 10_000)) < 0.3);
    }

    #[test]
    fn two_friends_raise_each_other_by_less_than_ten_strangers_do() {
        let friends = score(&many(1, 1000, TaskState::Settled, 10_000));
        let strangers = score(&many(10, 10, TaskState::Settled, 10_000));
        assert!(friends < strangers, "{friends} {strangers}");
        assert!(
            score(&many(1, 1000, TaskState::Settled, 0)) < 2.7,
            "and for nothing hardly at all"
        );
    }

    #[test]
    fn old_tasks_fade_and_dear_ones_say_more() {
        let payer = UserId::new();
        let at_age = |days| score(&[outcome(payer, TaskState::Settled, 10_000, days)]);
        assert!(at_age(0) > at_age(90) && at_age(90) > at_age(900));
        let fresh = Reputation::of(&[outcome(payer, TaskState::Settled, 10_000, 0)], now());
        let old = Reputation::of(&[outcome(payer, TaskState::Settled, 10_000, 90)], now());
        assert!((old.evidence * 2.0 - fresh.evidence).abs() < 1e-9);
        let of_price = |price| score(&[outcome(payer, TaskState::Settled, price, 0)]);
        assert!(of_price(10_000) > of_price(100));
    }

    #[test]
    fn a_rating_moves_a_settled_task_by_less_than_a_failure_does() {
        let rated = |rating| {
            let mut task = outcome(UserId::new(), TaskState::Settled, 10_000, 0);
            task.rating = rating;
            score(&[task])
        };
        let failed = score(&[outcome(UserId::new(), TaskState::ResolvedRefund, 10_000, 0)]);
        assert_eq!(rated(None), rated(Some(5)));
        assert!(rated(Some(1)) < rated(None) && rated(Some(1)) > failed);
    }

    fn outcomes() -> impl Strategy<Value = Vec<Outcome>> {
        let one = (
            0_usize..5,
            0_usize..10,
            0_i64..=100_000_000,
            0_i64..2000,
            prop::option::of(1_i16..=5),
        );
        let payers: Vec<UserId> = (0..5).map(|_| UserId::new()).collect();
        prop::collection::vec(one, 0..50).prop_map(move |rows| {
            let mut outcomes: Vec<Outcome> = rows
                .into_iter()
                .map(|(payer, state, amount, days, rating)| Outcome {
                    paid_minor: Some(amount / 2),
                    rating,
                    ..outcome(payers[payer], TaskState::ALL[state], amount, days)
                })
                .collect();
            outcomes.sort_by_key(|outcome| std::cmp::Reverse(outcome.ended_at));
            outcomes
        })
    }

    proptest! {
        #[test]
        fn it_stays_on_its_scale_and_is_what_its_terms_say(outcomes in outcomes()) {
            let reputation = Reputation::of(&outcomes, now());
            prop_assert!((0.0..=5.0).contains(&reputation.score));
            let evidence: f64 = reputation.terms.iter().map(|term| term.weight).sum();
            let good: f64 = reputation.terms.iter().map(|term| term.weight * term.success).sum();
            prop_assert!((reputation.score - 5.0 * (5.0 + good) / (10.0 + evidence)).abs() < 1e-9);
            prop_assert_eq!(reputation.terms.len(), outcomes.len());
            prop_assert_eq!(Reputation::of(&outcomes, now()), reputation);
        }
    }
}
