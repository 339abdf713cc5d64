//! The price of faults: what became of each kind, and what the restarts cost that it made necessary.

use highwater_sim::{
    fault::{Class, FaultKind},
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
            self.0.entry(kind).or_default().merge(price);
        }
    }

    /// All kinds of a class together, if there are several.
    pub fn of_class(&self, class: Class) -> Option<Price> {
        let of_it = self.0.iter().filter(|(kind, _)| kind.class() == class).map(|(_, price)| price.clone());
        let of_it: Vec<Price> = of_it.collect();
        (of_it.len() > 1).then(|| {
            of_it.into_iter().fold(Price::default(), |mut all, price| {
                all.merge(price);
                all
            })
        })
    }
}

impl Price {
    fn merge(&mut self, other: Self) {
        let Self { planned, fired, duplicates, records_replayed, recovery_ms, checkpoint_lag_ms } = other;
        self.planned += planned;
        self.fired += fired;
        self.duplicates.merge(duplicates);
        self.records_replayed.merge(records_replayed);
        self.recovery_ms.merge(recovery_ms);
        self.checkpoint_lag_ms.merge(checkpoint_lag_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_kinds_of_a_class_have_a_sum() {
        let price = |planned, recovery| {
            let mut price = Price { planned, ..Price::default() };
            price.recovery_ms.add(recovery);
            price
        };
        let prices = [
            (FaultKind::Crash, price(3, 9)),
            (FaultKind::Reset, price(4, 5)),
            (FaultKind::BitRot, price(1, 7)),
        ];
        let prices = Prices(prices.into());
        let tolerated = prices.of_class(Class::Tolerated).unwrap();
        assert_eq!(
            (tolerated.planned, tolerated.recovery_ms.max(), tolerated.recovery_ms.count()),
            (7, Some(9), 2)
        );
        assert_eq!((prices.of_class(Class::Detectable), prices.of_class(Class::Beyond)), (None, None));
    }

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
