//! The states of one shuffle partition, and what a batch does to them.

use super::{
    spec::{Function, State},
    time_outs::TimeOuts,
};
use crate::{
    dstream::{Data, Key, Stored, scatter::Arrivals},
    ids::{BatchTime, Interval},
    state::Slots,
};

/// A state, and the last batch in which its key had a record.
#[derive(Clone, Debug)]
pub(super) struct Tracked<S> {
    pub touched: BatchTime,
    pub state: S,
}

/// What does not change from batch to batch.
pub(super) struct Rules<K, V, S, U> {
    pub function: Function<K, V, S, U>,
    pub time_out: Option<Interval>,
}

impl<K, V, S, U> Rules<K, V, S, U> {
    /// Keys that were touched last before this time out at `time`.
    pub fn threshold(&self, time: BatchTime) -> Option<BatchTime> {
        self.time_out.map(|idle| BatchTime(time.0.saturating_sub(idle.millis())))
    }
}

pub(super) struct Shard<K, S> {
    pub slots: Slots<K, Tracked<S>>,
    /// Empty without a time-out.
    time_outs: TimeOuts,
}

impl<K: Key, S: Stored> Shard<K, S> {
    pub fn new() -> Self {
        Self { slots: Slots::new(), time_outs: TimeOuts::default() }
    }

    /// Sets a state outside of any batch.
    pub fn set(&mut self, hash: u64, key: K, tracked: Tracked<S>) {
        match self.slots.find(hash, &key) {
            Some(position) => self.slots.put(position, tracked),
            None => _ = self.slots.insert(hash, key, Some(tracked)),
        }
    }

    /// Makes the index of time-outs for what was [`set`](Self::set).
    pub fn begin<V, U>(&mut self, rules: &Rules<K, V, S, U>) {
        if rules.time_out.is_some() {
            self.time_outs = TimeOuts::of(&self.slots);
        }
    }

    /// Whether a key may time out.
    pub fn is_due(&self, threshold: Option<BatchTime>) -> bool {
        threshold.is_some_and(|threshold| self.time_outs.is_due(threshold))
    }

    /// Runs a batch: its records in their order, then the time-outs.
    pub fn run<V: Data, U>(
        &mut self,
        time: BatchTime,
        arrivals: Vec<Arrivals<K, V>>,
        rules: &Rules<K, V, S, U>,
    ) -> Vec<U> {
        let mut mapped = Vec::new();
        for Arrivals { keys, records } in arrivals {
            for (place, value) in records {
                let (hash, key) = &keys[place as usize];
                mapped.extend(self.record(time, *hash, key, value, rules));
            }
        }
        if let Some(threshold) = rules.threshold(time) {
            for position in self.time_outs.take_due(threshold, &self.slots) {
                let tracked = self.slots.take(position).expect("only keys with a state time out");
                let mut state = State::timing_out(tracked.state);
                mapped.extend((rules.function)(time, self.slots.key(position), None, &mut state));
                self.slots.forget(position);
            }
        }
        if self.slots.pack() || self.time_outs.is_stale(self.slots.len()) {
            self.begin(rules);
        }
        mapped
    }

    fn record<V, U>(
        &mut self,
        time: BatchTime,
        hash: u64,
        key: &K,
        value: V,
        rules: &Rules<K, V, S, U>,
    ) -> Option<U> {
        let known = self.slots.find(hash, key);
        let before = known.and_then(|position| self.slots.take(position));
        let touched_before = before.as_ref().map(|tracked| tracked.touched);
        let mut state = State::of(before.map(|tracked| tracked.state));
        let mapped = (rules.function)(time, key, Some(value), &mut state);
        let after = state.end().map(|state| Tracked { touched: time, state });
        let position = match (known, after) {
            (Some(position), Some(tracked)) => {
                self.slots.put(position, tracked);
                Some(position)
            }
            (Some(position), None) => {
                self.slots.forget(position);
                None
            }
            (None, Some(tracked)) => Some(self.slots.insert(hash, key.clone(), Some(tracked))),
            (None, None) => None,
        };
        if let Some(position) = position
            && rules.time_out.is_some()
            && touched_before != Some(time)
        {
            self.time_outs.note(time, position);
        }
        mapped
    }
}
