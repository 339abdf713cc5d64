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
            Some(position) => *self.slots.value_mut(position) = Some(tracked),
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
            // All of them first, one look-up beside the other.
            let mut positions: Vec<_> = keys.iter().map(|(hash, key)| self.slots.find(*hash, key)).collect();
            for (place, value) in records {
                let (hash, key) = &keys[place as usize];
                let position = &mut positions[place as usize];
                mapped.extend(self.record(time, *hash, key, value, position, rules));
            }
        }
        if let Some(threshold) = rules.threshold(time) {
            for position in self.time_outs.take_due(threshold, &self.slots) {
                let tracked = self.slots.value_mut(position).take().expect("only keys with a state time out");
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

    /// Runs one record. `known` is the slot of its key as far as that is known, before and after.
    fn record<V, U>(
        &mut self,
        time: BatchTime,
        hash: u64,
        key: &K,
        value: V,
        known: &mut Option<u32>,
        rules: &Rules<K, V, S, U>,
    ) -> Option<U> {
        // A record of this batch may have removed the key, or brought it in.
        let position = known
            .filter(|position| self.slots.value(*position).is_some())
            .or_else(|| self.slots.find(hash, key));
        let Some(position) = position else {
            let mut state = State::of(None);
            let mapped = (rules.function)(time, key, Some(value), &mut state);
            *known = state.end().map(|state| {
                let position = self.slots.insert(hash, key.clone(), Some(Tracked { touched: time, state }));
                self.note(time, position, rules);
                position
            });
            return mapped;
        };
        let slot = self.slots.value_mut(position);
        let Tracked { touched, state } = slot.take().expect("a key that is found has a state");
        let mut state = State::of(Some(state));
        let mapped = (rules.function)(time, key, Some(value), &mut state);
        *slot = state.end().map(|state| Tracked { touched: time, state });
        *known = slot.is_some().then_some(position);
        if known.is_none() {
            self.slots.forget(position);
        } else if touched != time {
            self.note(time, position, rules);
        }
        mapped
    }

    fn note<V, U>(&mut self, time: BatchTime, position: u32, rules: &Rules<K, V, S, U>) {
        if rules.time_out.is_some() {
            self.time_outs.note(time, position);
        }
    }
}
