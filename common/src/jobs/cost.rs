//! What a job costs: the time of a worker's slot that it is expected to take, known before it runs.
//!
//! Estimates are from above, by the bytes that the job moves or judges. Too high an estimate makes a
//! job wait in the bulk lane; too low a one would let it stand before the small work of others.

use std::time::Duration;

use crate::limits::{
    JOB_COST_MAX, JOB_COST_MIN, JOB_LIGHT_COST_MAX, JUDGED_MEBIBYTE_COST, MOVED_MEBIBYTE_COST,
};

const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// Milliseconds of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost(i32);

impl Cost {
    /// A job of rows alone: its lease, some statements, its commit.
    pub const ROWS: Self = Self(JOB_COST_MIN.as_millis() as i32);
    /// A job of unknown size: it counts as the heaviest.
    pub const UNKNOWN: Self = Self(JOB_COST_MAX.as_millis() as i32);

    /// Judging a package of that size: the verifier's time grows at most with the 1.5th power.
    pub fn of_judging(size_bytes: u64) -> Self {
        Self::of(JUDGED_MEBIBYTE_COST.mul_f64((size_bytes as f64 / MEBIBYTE).powf(1.5)))
    }

    /// Moving that many bytes within the store.
    pub fn of_moving(size_bytes: u64) -> Self {
        Self::of(MOVED_MEBIBYTE_COST.mul_f64(size_bytes as f64 / MEBIBYTE))
    }

    fn of(beyond_rows: Duration) -> Self {
        let all = JOB_COST_MIN.saturating_add(beyond_rows).min(JOB_COST_MAX);
        Self(i32::try_from(all.as_millis()).unwrap_or(i32::MAX))
    }

    /// Whether it may run among the work that somebody waits for.
    pub fn is_light(self) -> bool {
        self.as_ms() <= JOB_LIGHT_COST_MAX.as_millis() as i32
    }

    /// As PostgreSQL keeps it.
    pub fn as_ms(self) -> i32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{LIGHT_PACKAGE_BYTES_MAX, PACKAGE_BYTES_MAX};

    #[test]
    fn costs_grow_with_the_bytes_and_end_at_the_maximum() {
        let mut last = (Cost::of_judging(0), Cost::of_moving(0));
        assert_eq!(last, (Cost::ROWS, Cost::ROWS));
        for size_bytes in (0..=PACKAGE_BYTES_MAX).step_by(1024 * 1024) {
            let next = (Cost::of_judging(size_bytes), Cost::of_moving(size_bytes));
            assert!(next.0 >= last.0 && next.1 >= last.1, "{size_bytes}");
            last = next;
        }
        assert_eq!(last.0, Cost::UNKNOWN);
        assert_eq!(Cost::of_judging(u64::MAX), Cost::UNKNOWN);
        assert_eq!(Cost::of_moving(u64::MAX), Cost::UNKNOWN);
    }

    #[test]
    fn light_packages_are_those_that_the_workers_keep_memory_for() {
        assert!(Cost::of_judging(LIGHT_PACKAGE_BYTES_MAX).is_light());
        assert!(!Cost::of_judging(2 * LIGHT_PACKAGE_BYTES_MAX).is_light());
        assert!(!Cost::of_judging(PACKAGE_BYTES_MAX).is_light());
    }
}
