//! The table of an operator's state: changed in place by every batch, read by whoever still holds an older batch's.
//!
//! Its entries are slots in the order in which their keys were inserted, in runs of [`RUN_SLOTS`]. Runs can be shared: a consumer of a batch, or a snapshot that is still being encoded, holds the runs as they were, and what a later batch touches
//! meanwhile is copied, run by run. The index is nobody's but the table's own.
//!
//! A key that is removed leaves its slot empty, and comes back in a new one; when more slots are empty than full, the table is
//! packed. Neither changes the order of the others. So the order is a function of what was inserted and removed, and a table that
//! was read back from a snapshot has the same.

use hashbrown::HashTable;
use std::sync::Arc;

/// How many slots a run has.
const RUN_SLOTS: usize = 256;

/// So many more empty slots than full ones nobody minds. Few enough that a state of a few hundred keys is packed, too.
const EMPTY_MIN: usize = 64;

/// A key and its value, or the place of one that was removed.
#[derive(Clone, Debug)]
pub(crate) struct Slot<K, V> {
    hash: u64,
    key: K,
    value: Option<V>,
}

/// Tells the tests of operators what a batch costs: each slot that is looked at, and each one that is copied.
#[inline]
fn looks_at(_slots: usize) {
    #[cfg(test)]
    looks::LOOKS.with(|looks| looks.set(looks.get() + _slots as u64));
}

#[cfg(test)]
mod looks {
    use std::cell::Cell;

    thread_local!(pub(super) static LOOKS: Cell<u64> = const { Cell::new(0) });

    /// How many slots were looked at on this thread.
    pub(crate) fn looks() -> u64 {
        LOOKS.get()
    }
}
#[cfg(test)]
pub(crate) use looks::looks;

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
        looks_at(self.0.len());
        self.0.iter().filter_map(|slot| Some((&slot.key, slot.value.as_ref()?)))
    }
}

/// A run as the table has it. One that nobody reads is no shared pointer: a count that is checked with every change would keep the
/// processor from looking up several keys at once.
#[derive(Debug)]
enum Part<K, V> {
    Own(Vec<Slot<K, V>>),
    Shared(Run<K, V>),
}

impl<K: Clone, V: Clone> Part<K, V> {
    fn slots(&self) -> &[Slot<K, V>] {
        match self {
            Part::Own(slots) => slots,
            Part::Shared(run) => &run.0,
        }
    }

    fn share(&mut self) -> Run<K, V> {
        let run = match self {
            Part::Own(slots) => Run(Arc::new(std::mem::take(slots))),
            Part::Shared(run) => return run.clone(),
        };
        *self = Part::Shared(run.clone());
        run
    }

    /// Its slots, copied if somebody still reads them.
    fn own(&mut self) -> &mut Vec<Slot<K, V>> {
        if let Part::Shared(_) = self
            && let Part::Shared(run) = std::mem::replace(self, Part::Own(Vec::new()))
        {
            *self = Part::Own(Arc::try_unwrap(run.0).unwrap_or_else(|shared| {
                looks_at(shared.len());
                (*shared).clone()
            }));
        }
        match self {
            Part::Own(slots) => slots,
            Part::Shared(_) => unreachable!("it was taken back above"),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Slots<K, V> {
    /// The positions of the slots that are not empty.
    index: HashTable<u32>,
    /// All but the last are full.
    parts: Vec<Part<K, V>>,
}

impl<K: Eq + Clone, V: Clone> Slots<K, V> {
    pub fn new() -> Self {
        Self { index: HashTable::new(), parts: Vec::new() }
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
        let slots =
            self.parts.last().map_or(0, |last| (self.parts.len() - 1) * RUN_SLOTS + last.slots().len());
        u32::try_from(slots).expect("a table has under 2^32 slots")
    }

    /// The table as it is now, whatever becomes of it.
    pub fn runs(&mut self) -> Vec<Run<K, V>> {
        self.parts.iter_mut().map(Part::share).collect()
    }

    fn slot(parts: &[Part<K, V>], position: u32) -> &Slot<K, V> {
        looks_at(1);
        &parts[position as usize / RUN_SLOTS].slots()[position as usize % RUN_SLOTS]
    }

    fn slot_mut(&mut self, position: u32) -> &mut Slot<K, V> {
        looks_at(1);
        &mut self.parts[position as usize / RUN_SLOTS].own()[position as usize % RUN_SLOTS]
    }

    pub fn find(&self, hash: u64, key: &K) -> Option<u32> {
        let parts = &self.parts;
        let is_it = |position: &u32| {
            let slot = Self::slot(parts, *position);
            slot.hash == hash && slot.key == *key
        };
        self.index.find(hash, is_it).copied()
    }

    /// Appends a slot for a key that has none. Without a value it waits for one: see [`update_all`](Self::update_all).
    pub fn insert(&mut self, hash: u64, key: K, value: Option<V>) -> u32 {
        let position = self.end();
        let slot = Slot { hash, key, value };
        match self.parts.last_mut().filter(|last| last.slots().len() < RUN_SLOTS) {
            Some(last) => last.own().push(slot),
            None => {
                // A table of a few keys stays small.
                let mut slots = Vec::with_capacity(if self.parts.is_empty() { 0 } else { RUN_SLOTS });
                slots.push(slot);
                self.parts.push(Part::Own(slots));
            }
        }
        let parts = &self.parts;
        self.index.insert_unique(hash, position, |position| Self::slot(parts, *position).hash);
        position
    }

    pub fn key(&self, position: u32) -> &K {
        &Self::slot(&self.parts, position).key
    }

    /// The value in a slot; nothing if its key was removed. No other key ever comes into it, until the table is packed.
    pub fn value(&self, position: u32) -> Option<&V> {
        Self::slot(&self.parts, position).value.as_ref()
    }

    /// A slot's value, to be changed, or taken: then the key is to be [`forgot`](Self::forget)ten.
    pub fn value_mut(&mut self, position: u32) -> &mut Option<V> {
        &mut self.slot_mut(position).value
    }

    /// Removes the key of a slot whose value was taken.
    pub fn forget(&mut self, position: u32) {
        let slot = Self::slot(&self.parts, position);
        assert!(slot.value.is_none(), "a key is forgotten after its value was taken");
        let entry = self.index.find_entry(slot.hash, |at| *at == position);
        entry.expect("a slot that is not empty is in the index").remove();
    }

    /// Passes the value of every slot before `known` that is not empty, and nothing for every slot from there on, through
    /// `update`, in order and with its position. A key for which it says `None` is removed.
    pub fn update_all(&mut self, known: u32, mut update: impl FnMut(u32, Option<V>) -> Option<V>) {
        let mut gone = Vec::new();
        let mut position = 0;
        for part in &mut self.parts {
            let slots = part.own();
            looks_at(slots.len());
            for slot in slots {
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
        if self.end() as usize <= 2 * self.len() + EMPTY_MIN {
            return false;
        }
        let parts = std::mem::take(&mut self.parts);
        self.index.clear();
        for mut part in parts {
            for slot in std::mem::take(part.own()).into_iter().filter(|slot| slot.value.is_some()) {
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
            Some(position) => *slots.value_mut(position) = Some(value),
            None => _ = slots.insert(key % 16, key, Some(value)),
        }
    }

    fn remove(slots: &mut Slots<u64, u64>, key: u64) {
        let position = slots.find(key % 16, &key).expect("it is there");
        *slots.value_mut(position) = None;
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
