//! The same windows in the memory of one process, for as long as Redis is away.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Ask, Standing};

/// Windows that are remembered; beyond it the emptiest are forgotten, which only lets more through.
const WINDOWS_MAX: usize = 50_000;

/// Windows by policy and subject.
#[derive(Debug, Default)]
pub(super) struct Windows(Mutex<HashMap<(String, String), Window>>);

#[derive(Debug, Default)]
struct Window {
    taken: VecDeque<Instant>,
    length: Duration,
}

impl Window {
    fn forget_old(&mut self, now: Instant) {
        while self
            .taken
            .front()
            .is_some_and(|at| now.duration_since(*at) >= self.length)
        {
            self.taken.pop_front();
        }
    }
}

impl Windows {
    /// As the script does it.
    pub(super) fn take(&self, asks: &[Ask<'_>]) -> Vec<Standing> {
        self.take_at(asks, Instant::now())
    }

    fn take_at(&self, asks: &[Ask<'_>], now: Instant) -> Vec<Standing> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() > WINDOWS_MAX {
            windows.retain(|_, window| {
                window.forget_old(now);
                window.taken.len() > 1
            });
        }
        let mut standings: Vec<Standing> = asks
            .iter()
            .map(|ask| {
                let length = Duration::from_secs(ask.policy.window_seconds);
                let window = windows.entry(key(ask)).or_default();
                window.length = length;
                window.forget_old(now);
                standing(window, ask, now)
            })
            .collect();
        if standings.iter().all(|standing| standing.wait.is_none()) {
            for (ask, standing) in asks.iter().zip(&mut standings) {
                let window = windows.entry(key(ask)).or_default();
                for _ in 0..ask.units {
                    window.taken.push_back(now);
                }
                for _ in ask.units..0 {
                    window.taken.pop_back();
                }
                standing.used = window.taken.len() as u64;
                if ask.units > 0 && standing.frees_in.is_zero() {
                    standing.frees_in = window.length;
                }
            }
        }
        standings
    }
}

fn key(ask: &Ask<'_>) -> (String, String) {
    (ask.policy.name.clone(), ask.subject.clone())
}

fn standing(window: &Window, ask: &Ask<'_>, now: Instant) -> Standing {
    let used = window.taken.len() as u64;
    let frees = |at: &Instant| window.length.saturating_sub(now.duration_since(*at));
    let wanted = used.saturating_add_signed(ask.units);
    let wait = (wanted > ask.policy.quota).then(|| {
        let blocking = (wanted - ask.policy.quota).min(used);
        let index = usize::try_from(blocking).unwrap_or_default().checked_sub(1);
        let blocking = index.and_then(|index| window.taken.get(index));
        blocking.map_or(window.length, frees)
    });
    Standing {
        used,
        wait,
        frees_in: window.taken.front().map(frees).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RatePolicy;

    #[test]
    fn a_window_slides_and_takes_all_or_nothing() {
        let windows = Windows::default();
        let small: RatePolicy = "small=2/60/ip/every".parse().unwrap();
        let large: RatePolicy = "large=5/60/ip/every".parse().unwrap();
        let ask = |units| {
            [&small, &large].map(|policy| Ask {
                policy,
                subject: "a".to_owned(),
                units,
            })
        };
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let used = |standings: Vec<Standing>| {
            let used = standings.iter().map(|standing| standing.used);
            used.collect::<Vec<u64>>()
        };
        assert_eq!(used(windows.take_at(&ask(1), at(0))), [1, 1]);
        assert_eq!(used(windows.take_at(&ask(1), at(10))), [2, 2]);
        let refused = windows.take_at(&ask(1), at(20));
        assert_eq!(refused[0].wait, Some(Duration::from_secs(40)));
        assert_eq!(refused[1].wait, None);
        assert_eq!(used(windows.take_at(&ask(0), at(21))), [2, 2]);
        assert_eq!(
            used(windows.take_at(&ask(1), at(60))),
            [2, 2],
            "the first is free"
        );
        let never = windows.take_at(&ask(3), at(61));
        assert_eq!(never[0].wait, Some(Duration::from_secs(59)));
        assert_eq!(
            used(windows.take_at(&ask(-1), at(62))),
            [1, 1],
            "given back"
        );
        assert_eq!(used(windows.take_at(&ask(1), at(63))), [2, 2]);
    }
}
