//! Random choices that a printed seed repeats.

use uuid::Uuid;

/// A generator of repeatable numbers (SplitMix64).
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

/// The seed that the variable names, or a new one.
#[must_use]
pub fn seed_from(variable: &str) -> u64 {
    let given = std::env::var(variable).ok();
    given.map_or_else(
        || Uuid::new_v4().as_u64_pair().0,
        |text| text.parse().expect("a seed is a number"),
    )
}

impl Random {
    /// The sequence of that seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Another sequence of the same seed, by its number.
    #[must_use]
    pub fn stream(seed: u64, number: u64) -> Self {
        let mut start = Self::new(seed ^ number.wrapping_mul(0xd134_2543_de82_ef95));
        start.next();
        start
    }

    /// A number below the bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True so many times of a hundred.
    pub fn per_cent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// One of them.
    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.place(all.len())]
    }

    /// All of them in another order.
    #[must_use]
    pub fn shuffled<T, const N: usize>(&mut self, mut all: [T; N]) -> [T; N] {
        for last in (1..N).rev() {
            all.swap(last, self.place(last + 1));
        }
        all
    }

    fn place(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("a length fits");
        usize::try_from(self.below(bound)).expect("below a length")
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_numbers_and_streams_differ() {
        let of = |mut random: Random| [0; 8].map(|_| random.below(1000));
        assert_eq!(of(Random::new(7)), of(Random::new(7)));
        assert_ne!(of(Random::stream(7, 1)), of(Random::stream(7, 2)));
        let mut all = Random::new(7).shuffled([1, 2, 3, 4]);
        all.sort_unstable();
        assert_eq!(all, [1, 2, 3, 4]);
    }
}
