//! Which seeds a sweep runs: a range of them, or one of several equal parts of it. They are counted, not listed: a range may be as large as
//! numbers go.

use crate::command::simulated::SEED_MAX;
use highwater_reports::sweep::Shard;
use std::{ops::Range, str::FromStr};

/// The seeds of each scenario.
#[derive(Clone, Debug)]
pub(super) struct Seeds(pub Range<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let range = || {
            let (from, to) = text.split_once("..")?;
            Some(from.parse().ok()?..to.parse().ok()?)
        };
        let range: Option<Range<u64>> = range().filter(|range: &Range<u64>| !range.is_empty());
        let range = range.ok_or("give FROM..TO with FROM < TO, such as 0..200")?;
        match range.end - 1 <= SEED_MAX {
            true => Ok(Self(range)),
            false => Err(format!("the last seed is {SEED_MAX}: no plan file can hold a greater one")),
        }
    }
}

/// The I-th of N parts of the seeds.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub index: u64,
    pub count: u64,
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let part = || {
            let (index, count) = text.split_once('/')?;
            Some(Self { index: index.parse().ok()?, count: count.parse().ok()? })
        };
        let part = part().filter(|part| (1..=part.count).contains(&part.index));
        part.ok_or_else(|| "give I/N with I from 1 to N, such as 1/4".into())
    }
}

impl Part {
    /// The first of its seeds, if it has any.
    fn first(&self, seeds: &Range<u64>) -> Option<u64> {
        let (at, wanted) = (seeds.start % self.count, self.index - 1);
        let ahead = if at <= wanted { wanted - at } else { self.count - at + wanted };
        seeds.start.checked_add(ahead).filter(|first| seeds.contains(first))
    }

    /// Its seeds, in ascending order.
    pub fn of(&self, seeds: &Range<u64>) -> impl Iterator<Item = u64> + use<> {
        let (mut next, end, step) = (self.first(seeds), seeds.end, self.count);
        std::iter::from_fn(move || {
            let seed = next?;
            next = seed.checked_add(step).filter(|seed| *seed < end);
            Some(seed)
        })
    }

    /// How many seeds it has.
    pub fn count_of(&self, seeds: &Range<u64>) -> u64 {
        self.first(seeds).map_or(0, |first| (seeds.end - first).div_ceil(self.count))
    }

    /// What a summary says of it.
    pub fn shard(&self, seeds: &Range<u64>) -> Shard {
        Shard { from: seeds.start, to: seeds.end, count: self.count, index: self.index }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_share_the_seeds_without_overlap() {
        for count in 1..=30 {
            let of = |index| Part { index, count }.of(&(5..25)).collect::<Vec<u64>>();
            let mut all: Vec<u64> = (1..=count).flat_map(of).collect();
            all.sort_unstable();
            assert_eq!(all, (5..25).collect::<Vec<_>>());
            for index in 1..=count {
                assert_eq!(
                    Part { index, count }.count_of(&(5..25)),
                    of(index).len() as u64,
                    "{index}/{count}"
                );
                assert!(of(index).iter().all(|seed| seed % count == index - 1));
            }
        }
    }

    #[test]
    fn a_range_may_be_as_large_as_numbers_go() {
        let seeds: Seeds = "0..9223372036854775808".parse().unwrap();
        let part = Part { index: 2, count: 3 };
        assert_eq!(part.of(&seeds.0).take(3).collect::<Vec<_>>(), [1, 4, 7]);
        assert_eq!(part.count_of(&seeds.0), 3_074_457_345_618_258_603);
        let last = Part { index: u64::MAX, count: u64::MAX };
        assert_eq!((last.of(&seeds.0).next(), last.count_of(&seeds.0)), (None, 0));
        assert_eq!(Part { index: 1, count: 1 }.of(&(SEED_MAX..SEED_MAX + 1)).collect::<Vec<_>>(), [SEED_MAX]);
        for beyond in ["0..18446744073709551615", "5..9223372036854775809"] {
            let refused = beyond.parse::<Seeds>().unwrap_err();
            assert!(refused.contains("the last seed is 9223372036854775807"), "{refused}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(
            "5..5".parse::<Seeds>().is_err()
                && "x".parse::<Seeds>().is_err()
                && "9..1".parse::<Seeds>().is_err()
        );
        assert!(
            "0/2".parse::<Part>().is_err() && "3/2".parse::<Part>().is_err() && "1".parse::<Part>().is_err()
        );
    }
}
