//! What the order of a queue promises, over made-up times and tenants.

use proptest::prelude::*;

use super::*;

const COST: Duration = Duration::from_millis(30);

fn rules(running_max: usize, waiting_max: usize, share_max: usize) -> Rules {
    Rules {
        running_max,
        waiting_max,
        share_max,
        half_life: Duration::from_secs(10),
    }
}

fn work(tenant: u32) -> Entry<u32> {
    Entry {
        tenant,
        cost: COST,
        lead: Duration::ZERO,
        is_capped: true,
    }
}

/// Whatever happens: the bounds hold, and each waiter starts, leaves or is displaced once.
#[derive(Debug, Clone)]
enum Step {
    Ask(u32),
    Start,
    Finish(u64),
    Leave(usize),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6_u32).prop_map(Step::Ask),
        2 => Just(Step::Start),
        2 => (0..200_u64).prop_map(Step::Finish),
        1 => (0..8_usize).prop_map(Step::Leave),
        1 => (0..2_000_u64).prop_map(Step::Pass),
    ]
}

proptest! {
    #[test]
    fn bounds_hold_and_nobody_is_lost(steps in prop::collection::vec(step(), 1..200)) {
        let mut schedule = Schedule::new(rules(2, 5, 3));
        let mut now = Duration::ZERO;
        let (mut waiting, mut running) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Ask(tenant) => {
                    if let Ok(queued) = schedule.ask(now, work(tenant)) {
                        waiting.retain(|(id, _)| Some(*id) != queued.displaced);
                        waiting.push((queued.id, tenant));
                    }
                }
                Step::Start => {
                    if let Some(started) = schedule.start(now) {
                        let before = waiting.len();
                        waiting.retain(|(id, _)| *id != started.id);
                        prop_assert_eq!(waiting.len() + 1, before);
                        running.push(started.entry);
                    } else {
                        prop_assert!(running.len() == 2 || waiting.is_empty());
                    }
                }
                Step::Finish(millis) => {
                    if let Some(entry) = running.pop() {
                        schedule.finish(now, &entry, Duration::from_millis(millis));
                    }
                }
                Step::Leave(index) => {
                    if index < waiting.len() {
                        schedule.leave(waiting.swap_remove(index).0);
                    }
                }
                Step::Pass(millis) => now += Duration::from_millis(millis),
            }
            prop_assert_eq!(schedule.waiting_count(), waiting.len());
            prop_assert!(waiting.len() <= 5 && running.len() <= 2);
            for tenant in 0..6 {
                prop_assert!(waiting.iter().filter(|(_, of)| *of == tenant).count() <= 3);
            }
        }
    }

    /// A tenant that asks for the first time starts before every waiter of tenants that asked more
    /// often, however many they are and whether or not they were let in.
    #[test]
    fn the_first_work_of_a_tenant_goes_before_the_tenth_of_others(
        tenants in 1..200_u32,
        asks in 2..12_u32,
        waiting_max in 1..64_usize,
    ) {
        let mut schedule = Schedule::new(rules(1, waiting_max, 8));
        let now = Duration::ZERO;
        for _ in 0..asks {
            for tenant in 0..tenants {
                let _let_in_or_not = schedule.ask(now, work(tenant));
            }
        }
        let quiet = schedule.ask(now, work(1_000)).expect("a place is made for it");
        prop_assert_eq!(schedule.start(now).map(|it| it.id), Some(quiet.id));
    }

    /// Nobody starves: while new tenants keep arriving as fast as work is done, a waiter of the most
    /// expensive tenant starts once it has waited its cost away.
    #[test]
    fn whoever_waits_is_first_in_the_end(asks in 1..40_u32) {
        let mut schedule = Schedule::new(rules(1, 1_000, 1_000));
        let mut now = Duration::ZERO;
        for _ in 1..asks {
            let id = schedule.ask(now, work(0)).expect("room").id;
            schedule.leave(id);
        }
        let expensive = schedule.ask(now, work(0)).expect("room").id;
        let cost = f64::from(asks) * COST.as_secs_f64();
        let turns_max = (cost / FORGIVEN_PER_SECOND / COST.as_secs_f64()).ceil() as u32 + 2;
        for turn in 0..turns_max {
            schedule.ask(now, work(1 + turn)).expect("room");
            let started = schedule.start(now).expect("somebody waits");
            if started.id == expensive {
                return Ok(());
            }
            now += COST;
            schedule.finish(now, &started.entry, COST);
        }
        prop_assert!(false, "still waiting after {turns_max} turns");
    }
}

#[test]
fn a_lead_goes_before_equal_cost_and_costs_are_forgotten_by_half() {
    let mut schedule = Schedule::new(rules(1, 8, 8));
    let now = Duration::ZERO;
    schedule.ask(now, work(1)).unwrap();
    let led = Entry {
        lead: Duration::from_secs(1),
        ..work(2)
    };
    let led = schedule.ask(now, led).unwrap().id;
    assert_eq!(schedule.start(now).unwrap().id, led);
    let cost = |schedule: &Schedule<u32>, now| schedule.cost(now, &schedule.tenants[&1]);
    let full = cost(&schedule, now);
    let half = cost(&schedule, Duration::from_secs(10));
    assert!((full / half - 2.0).abs() < 1e-9, "{full} {half}");
}

#[test]
fn work_is_charged_what_it_took() {
    let mut schedule = Schedule::new(rules(2, 8, 8));
    let now = Duration::ZERO;
    for tenant in [1, 2] {
        schedule.ask(now, work(tenant)).unwrap();
        let started = schedule.start(now).unwrap();
        let took = COST * if tenant == 1 { 10 } else { 1 };
        schedule.finish(now, &started.entry, took);
    }
    let dear = schedule.ask(now, work(1)).unwrap().id;
    let cheap = schedule.ask(now, work(2)).unwrap().id;
    assert_eq!(schedule.start(now).unwrap().id, cheap);
    assert_eq!(schedule.start(now).unwrap().id, dear);
}

#[test]
fn tenants_without_recent_cost_are_forgotten() {
    let mut schedule = Schedule::new(rules(1, 8, 8));
    for tenant in 0..100_000 {
        let now = Duration::from_millis(u64::from(tenant) * 100);
        let id = schedule.ask(now, work(tenant)).unwrap().id;
        schedule.leave(id);
    }
    assert!(
        schedule.tenants.len() <= 2 * TENANTS_MIN,
        "{}",
        schedule.tenants.len()
    );
}
