//! The table in which an inverse window is kept up to date.

use super::keyed::Merged;
use crate::{
    dstream::{
        Key, Stored,
        shuffle::{SHUFFLE_PARTITIONS, partition_of},
    },
    state::{KEY_GROUPS, KeyHasher, Table},
};

use std::ops::Range;

const GROUPS: usize = KEY_GROUPS / SHUFFLE_PARTITIONS;

/// A key's value, and how many panes inside the window have the key.
#[derive(Clone)]
struct Held<V> {
    /// `None` only while it is being changed.
    value: Option<V>,
    panes: u32,
}

impl<V> Held<V> {
    fn value(&self) -> &V {
        self.value.as_ref().expect("a key in the table has a value")
    }
}

/// The keys of one shuffle partition: a table for each key group, so that they come by group, then in the order of their
/// appearance, however the table came to be as it is.
#[derive(Clone)]
pub(super) struct HeldKeys<K, V>(Vec<Table<K, Held<V>>>);

/// Its table among those of its shuffle partition.
fn place(hash: u64) -> usize {
    KeyHasher::group(hash).0 as usize % GROUPS
}

impl<K: Key, V: Stored> HeldKeys<K, V> {
    pub fn new() -> Self {
        Self((0..GROUPS).map(|_| Table::new()).collect())
    }

    /// One for each shuffle partition, of keys with their values and their panes, each in its order.
    ///
    /// # Errors
    /// If a key stands twice among them.
    pub fn of_entries(
        entries: impl IntoIterator<Item = (K, V, u32)>,
        hasher: KeyHasher,
    ) -> Result<Vec<Self>, String> {
        let mut shards: Vec<Self> = (0..SHUFFLE_PARTITIONS).map(|_| Self::new()).collect();
        for (key, value, panes) in entries {
            let hash = hasher.hash(&key);
            let table = &mut shards[partition_of(hash)].0[place(hash)];
            if table.get_or_insert_with(hash, key, || Held { value: Some(value), panes }).1 {
                return Err("a key stands twice in it".into());
            }
        }
        Ok(shards)
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|table| table.entries().is_empty())
    }

    /// How many keys it has.
    pub fn len(&self) -> usize {
        self.0.iter().map(|table| table.entries().len()).sum()
    }

    /// The keys with their values and in how many panes each is.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V, u32)> {
        self.range(0..self.len())
    }

    /// Those at these places.
    pub fn range(&self, range: Range<usize>) -> impl Iterator<Item = (&K, &V, u32)> {
        let mut end = 0;
        let slices = self.0.iter().map(move |table| {
            let entries = table.entries();
            let begin = end;
            end += entries.len();
            let within = |place: usize| place.clamp(begin, end) - begin;
            &entries[within(range.start)..within(range.end)]
        });
        slices.flatten().map(|entry| (&entry.key, entry.value.value(), entry.value.panes))
    }

    /// Takes `left` off and adds `came`, as Spark does: off first, so that a sum of floating point numbers is Spark's, too.
    /// A key is forgotten when no pane has it any more and `filter` does not want it; one that `filter` does not want while its
    /// panes are inside is kept, since they will have to be taken off.
    pub fn slide(
        &mut self,
        left: Vec<Merged<'_, K, V>>,
        came: Vec<Merged<'_, K, V>>,
        add: impl Fn(V, V) -> V,
        take_off: impl Fn(V, V) -> V,
        filter: impl Fn(&K, &V) -> bool,
    ) {
        let mut in_no_pane = Vec::new();
        for Merged { hash, key, value, panes } in left {
            let held = self.0[place(hash)].get_mut(hash, key).expect("a key of a pane is in the table");
            held.value = held.value.take().map(|before| take_off(before, value));
            held.panes -= panes;
            if held.panes == 0 {
                in_no_pane.push((hash, key));
            }
        }
        for Merged { hash, key, value, panes } in came {
            let table = &mut self.0[place(hash)];
            match table.get_mut(hash, key) {
                Some(held) => {
                    held.value = held.value.take().map(|before| add(before, value));
                    held.panes += panes;
                }
                None => {
                    table.get_or_insert_with(hash, key.clone(), || Held { value: Some(value), panes });
                }
            }
        }
        let stays = |key: &K, held: &Held<V>| held.panes > 0 || filter(key, held.value());
        for (hash, key) in in_no_pane {
            let table = &mut self.0[place(hash)];
            // One that goes takes all others of its group along that go.
            if table.get_mut(hash, key).is_some_and(|held| !stays(key, held)) {
                table.retain(stays);
            }
        }
    }
}
