//! Which parts of a sweep are in a summary, where not all are: whoever reads it must not take it for the whole.

use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A part of a sweep: of the seeds `from..to` those that leave `index - 1` over when divided by `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// The first seed of the sweep.
    pub from: u64,
    /// The seed after its last.
    pub to: u64,
    /// How many parts it has.
    pub count: u64,
    /// Which of them, from 1.
    pub index: u64,
}

/// The parts of sweeps of which not all are here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shards(BTreeSet<Shard>);

/// A sweep of which some parts are here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomplete {
    sweep: (u64, u64, u64),
    here: BTreeSet<u64>,
}

impl Shards {
    /// Adds a part; with the last one that is missing the sweep is whole, and no more to be told.
    pub fn add(&mut self, shard: Shard) {
        self.0.insert(shard);
        self.forget_whole();
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
        self.forget_whole();
    }

    fn forget_whole(&mut self) {
        let whole: Vec<_> =
            self.incomplete().filter(|it| it.here.len() as u64 == it.sweep.2).map(|it| it.sweep).collect();
        self.0.retain(|shard| !whole.contains(&shard.sweep()));
    }

    /// The sweeps that are not whole.
    pub fn incomplete(&self) -> impl Iterator<Item = Incomplete> {
        let mut sweeps: BTreeMap<_, BTreeSet<u64>> = BTreeMap::new();
        for shard in &self.0 {
            sweeps.entry(shard.sweep()).or_default().insert(shard.index);
        }
        sweeps.into_iter().map(|(sweep, here)| Incomplete { sweep, here })
    }

    /// Whether there are such parts.
    ///
    /// # Errors
    /// What cannot be: a file may have been changed by hand.
    pub(crate) fn checked(&self) -> Result<(), String> {
        let wrong = |shard: &&Shard| shard.from >= shard.to || !(1..=shard.count).contains(&shard.index);
        match self.0.iter().find(wrong) {
            Some(Shard { from, to, count, index }) => {
                Err(format!("shard {index} of {count} of the seeds {from}..{to}"))
            }
            None => Ok(()),
        }
    }
}

impl Shard {
    fn sweep(&self) -> (u64, u64, u64) {
        (self.from, self.to, self.count)
    }
}

impl fmt::Display for Incomplete {
    /// `2 of 10 shards of the seeds 0..200; 8 are missing: 3/10, 4/10, 5/10, ..`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_MAX: usize = 10;
        let (from, to, count) = self.sweep;
        let here = self.here.len() as u64;
        let missing = count.saturating_sub(here);
        let are = if missing == 1 { "is" } else { "are" };
        write!(f, "{here} of {count} shards of the seeds {from}..{to}; {missing} {are} missing: ")?;
        let missing = (1..=count).filter(|index| !self.here.contains(index));
        for (n, index) in missing.take(SHOWN_MAX + 1).enumerate() {
            match n {
                SHOWN_MAX => f.write_str(", ..")?,
                n => write!(f, "{}{index}/{count}", if n == 0 { "" } else { ", " })?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shards(indices: &[u64], count: u64) -> Shards {
        let mut shards = Shards::default();
        indices.iter().for_each(|index| shards.add(Shard { from: 0, to: 200, count, index: *index }));
        shards
    }

    fn told(shards: &Shards) -> Vec<String> {
        shards.incomplete().map(|it| it.to_string()).collect()
    }

    #[test]
    fn a_sweep_is_whole_with_the_last_of_its_shards() {
        let mut some = shards(&[3, 1], 4);
        assert_eq!(told(&some), ["2 of 4 shards of the seeds 0..200; 2 are missing: 2/4, 4/4"]);
        some.merge(shards(&[4], 4));
        assert_eq!(told(&some), ["3 of 4 shards of the seeds 0..200; 1 is missing: 2/4"]);
        some.merge(shards(&[2], 4));
        assert_eq!(some, Shards::default());
        assert_eq!(shards(&[1], 1), Shards::default());
        let many = shards(&[2], u64::MAX);
        assert!(told(&many)[0].ends_with(", 11/18446744073709551615, .."), "{many:?}");
    }

    #[test]
    fn a_shard_that_cannot_be_is_refused() {
        assert_eq!(shards(&[1, 2], 4).checked(), Ok(()));
        assert_eq!(shards(&[5], 4).checked(), Err("shard 5 of 4 of the seeds 0..200".to_owned()));
    }
}
