//! The price of faults: what became of each kind, and what the restarts cost that it made necessary.

use highwater_sim::{
    fault::FaultKind,
    run::{Restart, RunReport},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// By kind of fault.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prices(pub BTreeMap<FaultKind, Price>);

/// What became of the faults of a kind, and what they cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Planned faults.
    pub planned: u64,
    /// Those that fired.
    pub fired: u64,
    /// Batches that a restart emitted again.
    pub duplicates: Distribution,
    /// Records that it computed again.
    pub records_replayed: Distribution,
    /// Virtual milliseconds until its first completed batch, where it came so far.
    pub recovery_ms: Distribution,
    /// Virtual milliseconds between the last checkpoint and the end of the life before.
    pub checkpoint_lag_ms: Distribution,
}

/// How often each value came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution(BTreeMap<u64, u64>);

impl Distribution {
    pub(crate) fn add(&mut self, value: u64) {
        *self.0.entry(value).or_default() += 1;
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (value, times) in other.0 {
            *self.0.entry(value).or_default() += times;
        }
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// The value in the middle, the lower one of two.
    pub fn median(&self) -> Option<u64> {
        self.quantile(50)
    }

    /// The least value up to which so many of a hundred values lie.
    pub fn quantile(&self, percent: u64) -> Option<u64> {
        let mut before = (self.count() * percent).div_ceil(100);
        self.0.iter().find_map(|(value, times)| {
            let is_it = before <= *times;
            before = before.saturating_sub(*times);
            is_it.then_some(*value)
        })
    }

    /// Each value with how often it came, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().map(|(value, times)| (*value, *times))
    }

    /// The largest.
    pub fn max(&self) -> Option<u64> {
        self.0.keys().next_back().copied()
    }
}

impl Prices {
    pub(super) fn add(&mut self, run: &RunReport) {
        for outcome in &run.plan {
            let price = self.0.entry(outcome.fault.kind()).or_default();
            price.planned += 1;
            price.fired += u64::from(outcome.firing.is_some());
        }
        for restart in &run.price {
            // Taken apart, so that a figure that is added later cannot be forgotten here.
            let Restart { after, duplicates, records_replayed, recovery_ms, checkpoint_lag_ms } = *restart;
            let price = self.0.entry(after).or_default();
            price.duplicates.add(duplicates);
            price.records_replayed.add(records_replayed);
            recovery_ms.into_iter().for_each(|ms| price.recovery_ms.add(ms));
            price.checkpoint_lag_ms.add(checkpoint_lag_ms);
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (kind, price) in other.0 {
            let Price { planned, fired, duplicates, records_replayed, recovery_ms, checkpoint_lag_ms } =
                price;
            let mine = self.0.entry(kind).or_default();
            mine.planned += planned;
            mine.fired += fired;
            mine.duplicates.merge(duplicates);
            mine.records_replayed.merge(records_replayed);
            mine.recovery_ms.merge(recovery_ms);
            mine.checkpoint_lag_ms.merge(checkpoint_lag_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_knows_its_middle_and_its_end() {
        let mut distribution = Distribution::default();
        assert_eq!((distribution.median(), distribution.max()), (None, None));
        for value in [9, 1, 1, 5] {
            distribution.add(value);
        }
        let mut more = Distribution::default();
        more.add(7);
        distribution.merge(more);
        assert_eq!((distribution.count(), distribution.median(), distribution.max()), (5, Some(5), Some(9)));
    }
}
