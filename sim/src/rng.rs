//! Randomness that is written down: one ChaCha stream per domain of a run.
//!
//! All of a run's randomness follows from its seed, but not through one generator: a draw added to the workload must not
//! change the plan of faults. So each [`Domain`] reads its own stream of the same key. [`Draws`] are the few shapes of
//! numbers that the testbed draws; all of them are integers, because rounding has no place in a recorded seed.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use std::ops::RangeInclusive;

/// What a stream of numbers is for. The number of a domain is part of every recorded seed: append, never reorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Domain {
    /// The records that a source sends, and when.
    Workload = 1,
    /// The faults.
    Plan = 2,
    /// The order in which ready tasks run.
    Schedule = 3,
    /// How long disk operations take.
    Disk = 4,
    /// How long bytes travel.
    Network = 5,
    /// What `Env::random` gives to the engine.
    Entropy = 6,
    /// What survives a crash; seeded by the fault, not by the run.
    Image = 7,
    /// Free for a scenario's own choices.
    Scenario = 8,
    /// What a fault of the disk leaves to chance; seeded by the fault, not by the run.
    Damage = 9,
}

/// The stream of `domain` in the run of `seed`.
pub fn stream(seed: u64, domain: Domain) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(domain as u64);
    rng
}

/// The shapes of numbers that the testbed draws.
pub trait Draws {
    /// A number in `0..n`.
    ///
    /// # Panics
    /// If `n` is zero.
    fn below(&mut self, n: u64) -> u64;

    /// A number in `range`, each as likely as any other.
    fn between(&mut self, range: RangeInclusive<u64>) -> u64 {
        let (low, high) = range.into_inner();
        assert!(low <= high, "nothing to draw between {low} and {high}");
        match (high - low).checked_add(1) {
            Some(n) => low + self.below(n),
            None => self.below(u64::MAX),
        }
    }

    /// A number in `range`, each order of magnitude (base 2) as likely as any other: mostly small, sometimes wild.
    fn magnitude(&mut self, range: RangeInclusive<u64>) -> u64 {
        let (low, high) = range.into_inner();
        assert!(low <= high, "nothing to draw between {low} and {high}");
        let bits = self.between(u64::from(low.max(1).ilog2())..=u64::from(high.max(1).ilog2()));
        let top = (1u64 << bits).saturating_mul(2).saturating_sub(1);
        self.between(if bits == 0 { low } else { low.max(1 << bits) }..=high.min(top))
    }

    /// True once in `n` draws.
    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// True in `percent` of 100 draws.
    fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`.
    ///
    /// # Panics
    /// If there is none.
    fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }
}

impl Draws for ChaCha8Rng {
    fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "nothing to draw below zero");
        ((u128::from(self.next_u64()) * u128::from(n)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_not_shifted_by_draws_in_another() {
        let alone = stream(7, Domain::Plan).next_u64();
        let mut workload = stream(7, Domain::Workload);
        for _ in 0..100 {
            workload.next_u64();
        }
        assert_eq!(stream(7, Domain::Plan).next_u64(), alone);
        assert_ne!(stream(7, Domain::Workload).next_u64(), alone);
        assert_ne!(stream(8, Domain::Plan).next_u64(), alone);
    }

    #[test]
    fn draws_stay_in_their_range_and_reach_its_ends() {
        let mut rng = stream(1, Domain::Scenario);
        let uniform: Vec<u64> = (0..500).map(|_| rng.between(3..=9)).collect();
        assert_eq!((uniform.iter().min(), uniform.iter().max()), (Some(&3), Some(&9)));
        let wild: Vec<u64> = (0..3000).map(|_| rng.magnitude(1..=1000)).collect();
        assert!(wild.iter().all(|n| (1..=1000).contains(n)));
        assert!(wild.contains(&1) && wild.iter().any(|n| *n > 900));
        assert!(wild.iter().filter(|n| **n < 32).count() > 1200, "half of the magnitudes are below 32");
    }
}
