//! Bringing equal keys together: first inside each input partition, then across them, by key group.
//!
//! The result is [`SHUFFLE_PARTITIONS`] lists, each of a fixed range of key groups, sorted by key group and inside a group
//! by the key's first appearance in the batch. It depends on the input partitions and their order alone, not on how many
//! threads computed it.

use super::{Data, Key, Partition, Workers};
use crate::state::{Entry, KEY_GROUPS, KeyHasher, Table};

/// How many partitions a keyed operator's result has.
pub(crate) const SHUFFLE_PARTITIONS: usize = 8;

/// The partition of a shuffle in which a key with this hash lies.
pub(crate) fn partition_of(hash: u64) -> usize {
    KeyHasher::group(hash).0 as usize / (KEY_GROUPS / SHUFFLE_PARTITIONS)
}

/// How the values of a key are combined. The slot is `None` when the key is new.
pub(crate) trait Combine<V, C>: Sync {
    /// Takes one more value.
    fn value(&self, slot: &mut Option<C>, value: V);
    /// Takes what a later partition combined.
    fn combined(&self, slot: &mut Option<C>, later: C);
}

pub(crate) type Entries<K, C> = Vec<Entry<K, Option<C>>>;

/// Up to so many keys are merged where the caller runs: other threads would take longer to wake.
const MERGED_IN_LINE_MAX: usize = 512;

/// Combines all values of each key. The result is empty, without any list, if there are no records.
pub(crate) fn combine_by_key<K: Key, V: Data, C: Data>(
    workers: &Workers,
    input: &[Partition<(K, V)>],
    combine: &impl Combine<V, C>,
) -> Vec<Entries<K, C>> {
    let input: Vec<_> = input.iter().filter(|partition| !partition.is_known_empty()).collect();
    let mut mapped = workers.parallel(input.len(), |index| map_side(workers.hasher, input[index], combine));
    mapped.retain(|targets| !targets.is_empty());
    if mapped.is_empty() {
        return Vec::new();
    }
    let keys: usize = mapped.iter().flatten().map(Vec::len).sum();
    // By shuffle partition: what each input partition has for it, in their order.
    let mut by_target: Vec<Vec<Entries<K, C>>> = (0..SHUFFLE_PARTITIONS).map(|_| Vec::new()).collect();
    for targets in mapped {
        for (target, entries) in targets.into_iter().enumerate() {
            by_target[target].push(entries);
        }
    }
    match keys {
        ..=MERGED_IN_LINE_MAX => by_target.into_iter().map(|lists| reduce_side(lists, combine)).collect(),
        _ => workers.parallel_over(by_target, |_, lists| reduce_side(lists, combine)),
    }
}

/// What a partition has for each shuffle partition; no list if it has no records.
fn map_side<K: Key, V: Data, C: Data>(
    hasher: KeyHasher,
    partition: &Partition<(K, V)>,
    combine: &impl Combine<V, C>,
) -> Vec<Entries<K, C>> {
    let mut table: Table<K, Option<C>> = Table::new();
    partition.each(&mut |(key, value)| {
        let (slot, _) = table.get_or_insert_with(hasher.hash(&key), key, || None);
        combine.value(slot, value);
    });
    if table.entries().is_empty() {
        return Vec::new();
    }
    let mut targets: Vec<Entries<K, C>> = (0..SHUFFLE_PARTITIONS).map(|_| Vec::new()).collect();
    for entry in table.into_entries() {
        targets[partition_of(entry.hash)].push(entry);
    }
    targets
}

fn reduce_side<K: Key, V: Data, C: Data>(
    lists: Vec<Entries<K, C>>,
    combine: &impl Combine<V, C>,
) -> Entries<K, C> {
    let mut lists = lists.into_iter().filter(|list| !list.is_empty());
    let Some(first) = lists.next() else { return Vec::new() };
    let mut rest = lists.peekable();
    let mut entries = if rest.peek().is_none() {
        first
    } else {
        let mut table = Table::from_entries(first);
        for Entry { hash, key, value } in rest.flatten() {
            let (slot, _) = table.get_or_insert_with(hash, key, || None);
            combine.combined(slot, value.expect("a combined value"));
        }
        table.into_entries()
    };
    entries.sort_by_key(|entry| KeyHasher::group(entry.hash));
    entries
}
