//! The table of an operator's state: changed in place by every batch, read by whoever still holds an older batch's.
//!
//! Its entries are slots in the order in which their keys were inserted, in runs of [`RUN_SLOTS`]. A run is a shared pointer:
//! a consumer of a batch, or a snapshot that is still being encoded, holds the runs as they were, and what a later batch touches
//! meanwhile is copied, run by run. The index is nobody's but the table's own.
//!
//! A key that is removed leaves its slot empty, and comes back in a new one; when more slots are empty than full, the table is
//! packed. Neither changes the order of the others. So the order is a function of what was inserted and removed, and a table that
//! was read back from a snapshot has the same.

use hashbrown::HashTable;
use std::sync::Arc;

/// How many slots a run has.
const RUN_SLOTS: usize = 256;

/// A key and its value, or the place of one that was removed.
#[derive(Clone, Debug)]
pub(crate) struct Slot<K, V> {
    hash: u64,
    key: K,
    value: Option<V>,
}

/// A part of a table, as it is at some moment.
#[derive(Debug)]
pub(crate) struct Run<K, V>(Arc<Vec<Slot<K, V>>>);

impl<K, V> Clone for Run<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, V> Run<K, V> {
    /// Its keys and their values, in order.
    pub fn entries(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().filter_map(|slot| Some((&slot.key, slot.value.as_ref()?)))
    }
}

#[derive(Debug)]
pub(crate) struct Slots<K, V> {
    /// The positions of the slots that are not empty.
    index: HashTable<u32>,
    /// All but the last are full.
    runs: Vec<Run<K, V>>,
}

impl<K: Eq + Clone, V: Clone> Slots<K, V> {
    pub fn new() -> Self {
        Self { index: HashTable::new(), runs: Vec::new() }
    }

    /// How many keys it has.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The position of the next new slot.
    pub fn end(&self) -> u32 {
        let slots = self.runs.last().map_or(0, |last| (self.runs.len() - 1) * RUN_SLOTS + last.0.len());
        u32::try_from(slots).expect("a table has under 2^32 slots")
    }

    /// The table as it is now, whatever becomes of it.
    pub fn runs(&self) -> Vec<Run<K, V>> {
        self.runs.clone()
    }

    fn slot(runs: &[Run<K, V>], position: u32) -> &Slot<K, V> {
        &runs[position as usize / RUN_SLOTS].0[position as usize % RUN_SLOTS]
    }

    fn slot_mut(&mut self, position: u32) -> &mut Slot<K, V> {
        let run = &mut self.runs[position as usize / RUN_SLOTS];
        &mut Arc::make_mut(&mut run.0)[position as usize % RUN_SLOTS]
    }

    pub fn find(&self, hash: u64, key: &K) -> Option<u32> {
        let runs = &self.runs;
        let is_it = |position: &u32| {
            let slot = Self::slot(runs, *position);
            slot.hash == hash && slot.key == *key
        };
        self.index.find(hash, is_it).copied()
    }

    /// Appends a slot for a key that has none. Without a value it waits for one: see [`update_all`](Self::update_all).
    pub fn insert(&mut self, hash: u64, key: K, value: Option<V>) -> u32 {
        let position = self.end();
        let slot = Slot { hash, key, value };
        match self.runs.last_mut().filter(|last| last.0.len() < RUN_SLOTS) {
            Some(last) => Arc::make_mut(&mut last.0).push(slot),
            None => {
                // A table of a few keys stays small.
                let mut run = Vec::with_capacity(if self.runs.is_empty() { 0 } else { RUN_SLOTS });
                run.push(slot);
                self.runs.push(Run(Arc::new(run)));
            }
        }
        let runs = &self.runs;
        self.index.insert_unique(hash, position, |position| Self::slot(runs, *position).hash);
        position
    }

    pub fn key(&self, position: u32) -> &K {
        &Self::slot(&self.runs, position).key
    }

    pub fn value(&self, position: u32) -> Option<&V> {
        Self::slot(&self.runs, position).value.as_ref()
    }

    /// Takes the value out of a slot. Until it is [`put`](Self::put) back or [`forget`](Self::forget)s its key, the slot waits.
    pub fn take(&mut self, position: u32) -> Option<V> {
        self.slot_mut(position).value.take()
    }

    pub fn put(&mut self, position: u32, value: V) {
        self.slot_mut(position).value = Some(value);
    }

    /// Removes the key of a slot whose value was taken.
    pub fn forget(&mut self, position: u32) {
        let slot = Self::slot(&self.runs, position);
        assert!(slot.value.is_none(), "a key is forgotten after its value was taken");
        let entry = self.index.find_entry(slot.hash, |at| *at == position);
        entry.expect("a slot that is not empty is in the index").remove();
    }

    /// Passes the value of every slot before `known` that is not empty, and nothing for every slot from there on, through
    /// `update`, in order and with its position. A key for which it says `None` is removed.
    pub fn update_all(&mut self, known: u32, mut update: impl FnMut(u32, Option<V>) -> Option<V>) {
        let mut gone = Vec::new();
        let mut position = 0;
        for run in &mut self.runs {
            for slot in Arc::make_mut(&mut run.0) {
                if slot.value.is_some() || position >= known {
                    slot.value = update(position, slot.value.take());
                    if slot.value.is_none() {
                        gone.push(position);
                    }
                }
                position += 1;
            }
        }
        gone.into_iter().for_each(|position| self.forget(position));
    }

    /// Gives the room of removed keys back, if it is worth it. Whether positions have changed.
    pub fn pack(&mut self) -> bool {
        if self.end() as usize <= 2 * self.len() + RUN_SLOTS {
            return false;
        }
        let runs = std::mem::take(&mut self.runs);
        self.index.clear();
        for run in runs {
            let slots = Arc::try_unwrap(run.0).unwrap_or_else(|shared| (*shared).clone());
            for slot in slots.into_iter().filter(|slot| slot.value.is_some()) {
                self.insert(slot.hash, slot.key, slot.value);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only 16 hashes: collisions are the rule.
    fn put(slots: &mut Slots<u64, u64>, key: u64, value: u64) {
        match slots.find(key % 16, &key) {
            Some(position) => slots.put(position, value),
            None => _ = slots.insert(key % 16, key, Some(value)),
        }
    }

    fn remove(slots: &mut Slots<u64, u64>, key: u64) {
        let position = slots.find(key % 16, &key).expect("it is there");
        slots.take(position);
        slots.forget(position);
    }

    fn entries(runs: &[Run<u64, u64>]) -> Vec<(u64, u64)> {
        runs.iter().flat_map(Run::entries).map(|(key, value)| (*key, *value)).collect()
    }

    #[test]
    fn keys_stand_in_the_order_of_their_insertion_and_one_that_comes_back_last() {
        let mut slots = Slots::new();
        for (key, value) in [(5, 1), (21, 2), (9, 3), (21, 4)] {
            put(&mut slots, key, value);
        }
        assert_eq!(entries(&slots.runs()), [(5, 1), (21, 4), (9, 3)]);
        remove(&mut slots, 5);
        assert_eq!((slots.find(5, &5), slots.len()), (None, 2));
        put(&mut slots, 5, 6);
        assert_eq!(entries(&slots.runs()), [(21, 4), (9, 3), (5, 6)]);
    }

    #[test]
    fn what_was_taken_stays_as_it_was_while_the_table_goes_on() {
        let mut slots = Slots::new();
        (0..1000).for_each(|key| put(&mut slots, key, key));
        let (taken, before) = (slots.runs(), entries(&slots.runs()));
        slots.update_all(slots.end(), |_, value| value.filter(|value| value % 3 != 0).map(|value| value + 1));
        put(&mut slots, 4, 0);
        put(&mut slots, 2000, 0);
        assert_eq!(entries(&taken), before);
        assert_eq!(slots.find(0, &0), None);
        assert_eq!(entries(&slots.runs()).len(), 667);
    }

    #[test]
    fn packing_changes_neither_the_order_nor_what_is_found() {
        let mut slots = Slots::new();
        (0..5000).for_each(|key| put(&mut slots, key, key));
        assert!(!slots.pack());
        let taken = slots.runs();
        (0..5000).filter(|key| key % 7 != 0).for_each(|key| remove(&mut slots, key));
        let before = entries(&slots.runs());
        assert!(slots.pack());
        assert_eq!(entries(&slots.runs()), before);
        assert_eq!(slots.end() as usize, slots.len());
        assert_eq!(entries(&taken).len(), 5000);
        for key in 0..5000 {
            let found = slots.find(key % 16, &key).and_then(|position| slots.value(position));
            assert_eq!(found.copied(), (key % 7 == 0).then_some(key));
        }
    }

    #[test]
    fn a_new_slot_without_a_value_is_there_only_if_it_gets_one() {
        let mut slots = Slots::new();
        put(&mut slots, 1, 10);
        let known = slots.end();
        slots.insert(2, 2, None);
        slots.insert(3, 3, None);
        slots.update_all(known, |position, value| match position {
            0 => value,
            1 => None,
            _ => Some(30),
        });
        assert_eq!(entries(&slots.runs()), [(1, 10), (3, 30)]);
        assert_eq!((slots.find(2, &2), slots.len()), (None, 2));
        slots.update_all(slots.end(), |position, value| {
            assert_ne!(position, 1, "an empty slot is passed over");
            value
        });
    }
}
