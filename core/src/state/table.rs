//! A hash table in order of first insertion, asked with hashes that are known already.
//!
//! Entries lie in a vector, so that iterating is fast and its order is a function of what was done to the table. Nothing is
//! ever removed: that is for [`Slots`](super::Slots).

use hashbrown::HashTable;

/// An entry: the key's hash, the key, its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry<K, V> {
    pub hash: u64,
    pub key: K,
    pub value: V,
}

#[derive(Clone, Debug)]
pub(crate) struct Table<K, V> {
    index: HashTable<u32>,
    entries: Vec<Entry<K, V>>,
}

impl<K: Eq, V> Table<K, V> {
    pub fn new() -> Self {
        Self { index: HashTable::new(), entries: Vec::new() }
    }

    pub fn into_entries(self) -> Vec<Entry<K, V>> {
        self.entries
    }

    /// The value of a key, inserted by `default` if there is none; whether it was there is told to the caller.
    pub fn get_or_insert_with(&mut self, hash: u64, key: K, default: impl FnOnce() -> V) -> (&mut V, bool) {
        match self.position(hash, &key) {
            Some(at) => (&mut self.entries[at].value, true),
            None => {
                let at = u32::try_from(self.entries.len()).expect("a table has under 2^32 entries");
                self.entries.push(Entry { hash, key, value: default() });
                let entries = &self.entries;
                self.index.insert_unique(hash, at, |at| entries[*at as usize].hash);
                (&mut self.entries[at as usize].value, false)
            }
        }
    }

    fn position(&self, hash: u64, key: &K) -> Option<usize> {
        let entries = &self.entries;
        self.index
            .find(hash, |at| {
                let entry = &entries[*at as usize];
                entry.hash == hash && entry.key == *key
            })
            .map(|at| *at as usize)
    }

    /// The entries, in order.
    pub fn entries(&self) -> &[Entry<K, V>] {
        &self.entries
    }

    /// The value of a key, if it is there.
    pub fn get_mut(&mut self, hash: u64, key: &K) -> Option<&mut V> {
        self.position(hash, key).map(|at| &mut self.entries[at].value)
    }

    /// Removes the entries for which `stays` says no.
    pub fn retain(&mut self, stays: impl Fn(&K, &V) -> bool) {
        let count = self.entries.len();
        self.entries.retain(|entry| stays(&entry.key, &entry.value));
        if self.entries.len() != count {
            self.rebuild();
        }
    }

    fn rebuild(&mut self) {
        self.index.clear();
        let entries = &self.entries;
        for (at, entry) in entries.iter().enumerate() {
            self.index.insert_unique(entry.hash, at as u32, |at| entries[*at as usize].hash);
        }
    }

    /// A table of entries with distinct keys, in their order.
    pub fn from_entries(entries: Vec<Entry<K, V>>) -> Self {
        assert!(u32::try_from(entries.len()).is_ok(), "a table has under 2^32 entries");
        let mut table = Self { index: HashTable::with_capacity(entries.len()), entries };
        table.rebuild();
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(table: &mut Table<u64, u64>, key: u64, add: u64) -> bool {
        // Only 16 hashes: collisions are the rule.
        let (value, found) = table.get_or_insert_with(key % 16, key, || 0);
        *value += add;
        found
    }

    #[test]
    fn entries_keep_the_order_of_first_appearance() {
        let mut table = Table::new();
        for key in [5, 21, 5, 9, 37, 21] {
            insert(&mut table, key, 1);
        }
        let seen: Vec<_> = table.into_entries().iter().map(|entry| (entry.key, entry.value)).collect();
        assert_eq!(seen, [(5, 2), (21, 2), (9, 1), (37, 1)]);
    }
}
