//! Bringing records to the state of their keys: as [`shuffle`](super::shuffle), but every record stays one.
//!
//! The state knows the keys already, so nothing is combined on the way; a key that comes often is sent along once for all its
//! records as far as a small memory of the last keys goes. What arrives where, and in which order, depends on the input
//! partitions and their order alone.

use super::{
    Data, Key, Partition, Workers,
    shuffle::{SHUFFLE_PARTITIONS, partition_of},
};

/// How many of the last keys are remembered: a power of two.
const RECENT_KEYS: usize = 4096;
const NONE: u32 = u32::MAX;

/// What an input partition has for the state of a shuffle partition.
pub(super) struct Arrivals<K, V> {
    /// Keys with their hashes; one may stand in it more than once.
    pub keys: Vec<(u64, K)>,
    /// The records in their order: the place of their key, and their value.
    pub records: Vec<(u32, V)>,
}

impl<K, V> Arrivals<K, V> {
    fn new() -> Self {
        Self { keys: Vec::new(), records: Vec::new() }
    }
}

/// By shuffle partition: what each input partition has for it, in their order.
pub(super) fn scatter<K: Key, V: Data>(
    workers: &Workers,
    input: &[Partition<(K, V)>],
) -> Vec<Vec<Arrivals<K, V>>> {
    let mut by_target: Vec<_> = (0..SHUFFLE_PARTITIONS).map(|_| Vec::new()).collect();
    for targets in workers.parallel(input.len(), |index| scatter_one(workers, &input[index])) {
        for (target, arrivals) in targets.into_iter().enumerate().filter(|(_, one)| !one.records.is_empty()) {
            by_target[target].push(arrivals);
        }
    }
    by_target
}

fn scatter_one<K: Key, V: Data>(workers: &Workers, partition: &Partition<(K, V)>) -> Vec<Arrivals<K, V>> {
    let mut targets: Vec<_> = (0..SHUFFLE_PARTITIONS).map(|_| Arrivals::new()).collect();
    let mut recent = Vec::new();
    partition.each(&mut |(key, value)| {
        if recent.is_empty() {
            recent.resize(RECENT_KEYS, NONE);
        }
        let hash = workers.hasher.hash(&key);
        let Arrivals { keys, records } = &mut targets[partition_of(hash)];
        let place = &mut recent[(hash >> 20) as usize % RECENT_KEYS];
        // It may be the place of a key of another partition: then another key stands there, or none.
        let is_known =
            keys.get(*place as usize).is_some_and(|(known, other)| *known == hash && *other == key);
        if !is_known {
            *place = u32::try_from(keys.len()).expect("a batch has under 2^32 keys");
            keys.push((hash, key));
        }
        records.push((*place, value));
    });
    targets
}
