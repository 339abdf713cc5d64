//! The few runs of a scenario that have most of something: what is worth a look although nothing broke.

use serde::{Deserialize, Serialize};

/// How many are kept.
pub const KEPT_MAX: usize = 3;

/// The runs with most of something, the greatest first; of equals the lower seed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Top(Vec<Ranked>);

/// A run, and how much it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ranked {
    /// Its seed.
    pub seed: u64,
    /// How much.
    pub value: u64,
}

impl Top {
    /// The runs.
    pub fn iter(&self) -> impl Iterator<Item = Ranked> {
        self.0.iter().copied()
    }

    pub(super) fn add(&mut self, ranked: Ranked) {
        let is_before = |kept: &Ranked| (kept.value, ranked.seed) > (ranked.value, kept.seed);
        let at = self.0.iter().take_while(|kept| is_before(kept)).count();
        if at < KEPT_MAX {
            self.0.insert(at, ranked);
            self.0.truncate(KEPT_MAX);
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        other.0.into_iter().for_each(|ranked| self.add(ranked));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_are_kept_and_of_equals_the_lower_seed() {
        let ranked = |(seed, value)| Ranked { seed, value };
        let runs = [(9, 5), (3, 5), (1, 2), (4, 8), (2, 5), (7, 0)].map(ranked);
        let mut top = Top::default();
        runs.into_iter().for_each(|run| top.add(run));
        assert_eq!(top.iter().collect::<Vec<_>>(), [(4, 8), (2, 5), (3, 5)].map(ranked));
        let mut halves = Top::default();
        runs[3..].iter().for_each(|run| halves.add(*run));
        let mut first = Top::default();
        runs[..3].iter().for_each(|run| first.add(*run));
        halves.merge(first);
        assert_eq!(halves, top);
    }
}
