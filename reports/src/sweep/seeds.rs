//! Which seeds were run, in few numbers: a shard of a million seeds is one stretch with a step.
//!
//! What holds: the stretches are a function of the set alone, so that the shards of a sweep, put together, are the sweep.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// To join two sets each seed is looked at: as many as fit into some hundred megabytes.
const SEEDS_MAX: u64 = 1 << 24;

/// A set of seeds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeedSet(Vec<Stretch>);

/// Seeds that are equally far apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stretch {
    from: u64,
    step: u64,
    count: u64,
}

impl Stretch {
    fn seeds(self) -> impl Iterator<Item = u64> {
        (0..self.count).map(move |n| self.from + n * self.step)
    }

    fn last(self) -> u64 {
        self.from + (self.count - 1) * self.step
    }
}

impl SeedSet {
    /// Adds one; a sweep adds them in ascending order, which costs nothing.
    pub fn insert(&mut self, seed: u64) {
        match self.0.last_mut() {
            Some(last) if seed <= last.last() => {
                *self = self.seeds().chain([seed]).collect::<BTreeSet<u64>>().into_iter().collect();
            }
            Some(last) if last.count == 1 => (last.step, last.count) = (seed - last.from, 2),
            Some(last) if seed - last.last() == last.step => last.count += 1,
            _ => self.0.push(Stretch { from: seed, step: 1, count: 1 }),
        }
    }

    /// The seeds, in ascending order within each stretch.
    pub fn seeds(&self) -> impl Iterator<Item = u64> {
        self.0.iter().flat_map(|stretch| stretch.seeds())
    }

    /// How many there are.
    ///
    /// # Errors
    /// If a file says what no sweep leaves: stretches of nothing, seeds beyond the last number, or more than can be joined.
    pub(crate) fn checked_count(&self) -> Result<u64, String> {
        let mut seeds = 0_u64;
        for Stretch { from, step, count } in &self.0 {
            let last = count.checked_sub(1).and_then(|more| from.checked_add(more.checked_mul(*step)?));
            if *step == 0 || last.is_none_or(|last| last == u64::MAX) {
                return Err(format!("no seeds that could be: {count} from {from} on, {step} apart"));
            }
            seeds = seeds.saturating_add(*count);
        }
        match seeds <= SEEDS_MAX {
            true => Ok(seeds),
            false => Err(format!("{seeds} seeds, and no more than {SEEDS_MAX} can be read")),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Both together; the lowest seed that is in both is the error.
    ///
    /// # Errors
    /// If they share a seed.
    pub fn union(&self, other: &Self) -> Result<Self, u64> {
        let mut all: BTreeSet<u64> = self.seeds().collect();
        match other.seeds().filter(|seed| !all.insert(*seed)).min() {
            Some(shared) => Err(shared),
            None => Ok(all.into_iter().collect()),
        }
    }
}

/// In ascending order.
impl FromIterator<u64> for SeedSet {
    fn from_iter<T: IntoIterator<Item = u64>>(seeds: T) -> Self {
        let mut set = Self::default();
        seeds.into_iter().for_each(|seed| set.insert(seed));
        set
    }
}

impl fmt::Display for SeedSet {
    /// `0..200`, `1..198 by 4`, and no more than three of such.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_MAX: usize = 3;
        for (n, stretch) in self.0.iter().take(SHOWN_MAX).enumerate() {
            f.write_str(if n == 0 { "" } else { ", " })?;
            match (stretch.count, stretch.step) {
                (1, _) => write!(f, "{}", stretch.from)?,
                (_, 1) => write!(f, "{}..{}", stretch.from, stretch.last() + 1)?,
                (_, step) => write!(f, "{}..{} by {step}", stretch.from, stretch.last() + 1)?,
            }
        }
        if self.0.len() > SHOWN_MAX { f.write_str(", ...") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_one_stretch_each_and_together_the_whole() {
        let shard = |index: u64| (0..200).filter(|seed| seed % 4 == index).collect::<SeedSet>();
        assert_eq!(shard(1).to_string(), "1..198 by 4");
        let mut all = shard(3);
        for index in [0, 2, 1] {
            all = all.union(&shard(index)).expect("they share nothing");
        }
        assert_eq!(all, (0..200).collect());
        assert_eq!(all.to_string(), "0..200");
        assert_eq!(all.union(&shard(2)), Err(2));
    }

    #[test]
    fn the_order_in_which_seeds_come_does_not_show() {
        let seeds = [7, 1, 2, 90, 3, 5, 9];
        let mut set = SeedSet::default();
        seeds.iter().for_each(|seed| set.insert(*seed));
        assert_eq!(set, BTreeSet::from(seeds).into_iter().collect());
        assert_eq!(set.seeds().collect::<BTreeSet<_>>(), BTreeSet::from(seeds));
    }
}
