//! Shares: how many places of a process one tenant may hold.
//!
//! As many as stay free, and a fixed number at most ("dynamic thresholds", Choudhury and Hahne 1998). If n
//! tenants take all that they can get, each ends with one part in n + 1 and one part stays free. No table
//! of tenants and weights is needed for it. While it settles, tenants that came earlier hold more than
//! their part, so a quarter of the places is kept for the first place of each tenant: whoever holds
//! nothing finds one at once, unless as many tenants hold places as that quarter has.
//!
//! A place is held for as long as something is under way, so the number of places that a tenant holds is
//! the seconds that it uses in each second: who sends to slow receivers pays for their slowness.

/// Places of one kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    /// All of them.
    pub places: usize,
    /// The most for one tenant, however many are free.
    pub tenant_max: usize,
}

impl Share {
    /// Places that only tenants without any may take.
    const fn kept(self) -> usize {
        self.places / 4
    }

    /// Whether a tenant that holds `held` of the `taken` places may have one more.
    pub fn has_room(self, taken: usize, held: usize) -> bool {
        let free = self.places.saturating_sub(taken);
        match held {
            0 => free > 0,
            held => held < self.tenant_max.min(free.saturating_sub(self.kept())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lets tenants take and give back as told, as far as the share lets them.
    fn after(share: Share, steps: &[(usize, bool)]) -> Vec<usize> {
        let mut held = vec![0_usize; 1 + steps.iter().map(|step| step.0).max().unwrap_or(0)];
        for (tenant, takes) in steps {
            let taken = held.iter().sum();
            match takes {
                true if share.has_room(taken, held[*tenant]) => held[*tenant] += 1,
                true => {}
                false => held[*tenant] = held[*tenant].saturating_sub(1),
            }
        }
        held
    }

    proptest! {
        #[test]
        fn whatever_some_tenants_take_a_quiet_one_finds_a_place(
            places in 4_usize..60,
            tenant_max in 1_usize..80,
            steps in prop::collection::vec((0_usize..8, prop::bool::weighted(0.8)), 0..400),
        ) {
            let share = Share { places, tenant_max };
            let held = after(share, &steps);
            let taken: usize = held.iter().sum();
            let holders = held.iter().filter(|count| **count > 0).count();
            prop_assert!(taken <= places);
            prop_assert!(held.iter().all(|count| *count <= tenant_max));
            prop_assert!(holders >= share.kept() || share.has_room(taken, 0), "{held:?}");
        }
    }

    #[test]
    fn greedy_tenants_have_the_same_and_leave_as_much() {
        for greedy in 1..20 {
            let share = Share {
                places: 1000,
                tenant_max: 1000,
            };
            let in_turns: Vec<_> = (0..1000 * greedy)
                .map(|step| (step % greedy, true))
                .collect();
            let held = after(share, &in_turns);
            let free = share.places - share.kept() - held.iter().sum::<usize>();
            assert!(
                held.iter().all(|count| count.abs_diff(free) <= 1),
                "{held:?}"
            );
        }
    }
}
