//! Which kinds of operations there are, and how often each is drawn.

use std::fmt;
use std::str::FromStr;

use rand::RngExt as _;
use serde::Serialize;

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Reads a stream's version and appends if it has not changed, again if it has.
    Optimistic,
    /// Does something that only the holder of a lease may.
    Lease,
    /// Appends to a stream, whatever its version.
    Append,
    /// Buys the package, or returns it.
    Purchase,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Optimistic, Self::Lease, Self::Append, Self::Purchase];

    fn as_str(self) -> &'static str {
        match self {
            Self::Optimistic => "optimistic",
            Self::Lease => "lease",
            Self::Append => "append",
            Self::Purchase => "purchase",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The weight of each kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix(Vec<(Kind, u32)>);

impl Mix {
    pub fn has_purchases(&self) -> bool {
        self.0
            .iter()
            .any(|(kind, weight)| *kind == Kind::Purchase && *weight > 0)
    }

    /// A kind, by its weight.
    pub fn draw(&self, random: &mut impl rand::Rng) -> Kind {
        let all: u32 = self.0.iter().map(|(_, weight)| weight).sum();
        let mut place = random.random_range(0..all);
        for (kind, weight) in &self.0 {
            if place < *weight {
                return *kind;
            }
            place -= weight;
        }
        self.0[0].0
    }
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Kind::ALL.map(Kind::as_str).join(", ");
        let mut mix: Vec<(Kind, u32)> = Vec::new();
        for part in text.split(',') {
            let (name, weight) = part
                .split_once('=')
                .ok_or_else(|| format!("`{part}` is not KIND=WEIGHT"))?;
            let kind = Kind::ALL
                .into_iter()
                .find(|kind| kind.as_str() == name.trim());
            let kind = kind.ok_or_else(|| format!("`{name}` is not one of {}", known()))?;
            let weight = weight
                .trim()
                .parse::<u16>()
                .map_err(|_| format!("`{weight}` is not a weight from 0 to 65535"))?;
            if mix.iter().any(|(other, _)| *other == kind) {
                return Err(format!("`{kind}` is there twice"));
            }
            mix.push((kind, weight.into()));
        }
        match mix.iter().any(|(_, weight)| *weight > 0) {
            true => Ok(Self(mix)),
            false => Err("no kind has a weight".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn a_mix_draws_each_kind_by_its_weight_and_the_same_again_for_a_seed() {
        let mix: Mix = "optimistic=3,append=1,lease=0".parse().unwrap();
        let draw = |seed| {
            let mut random = StdRng::seed_from_u64(seed);
            (0..4_000)
                .map(|_| mix.draw(&mut random))
                .collect::<Vec<Kind>>()
        };
        let drawn = draw(7);
        let count = |kind| drawn.iter().filter(|other| **other == kind).count();
        assert!((2_800..3_200).contains(&count(Kind::Optimistic)));
        assert_eq!(count(Kind::Optimistic) + count(Kind::Append), 4_000);
        assert_eq!(drawn, draw(7));
        assert_ne!(drawn, draw(8));
    }

    #[test]
    fn what_is_no_mix_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "`` is not KIND=WEIGHT"),
            ("lease", "`lease` is not KIND=WEIGHT"),
            (
                "sleep=1",
                "`sleep` is not one of optimistic, lease, append, purchase",
            ),
            ("lease=x", "`x` is not a weight from 0 to 65535"),
            ("lease=1,lease=2", "`lease` is there twice"),
            ("lease=0", "no kind has a weight"),
        ] {
            assert_eq!(text.parse::<Mix>(), Err(reason.to_owned()));
        }
    }
}
