//! The records of one batch of a stream.
//!
//! Narrow operations wrap the functions of their partitions, so a chain of them is one loop, run by whatever asks for the
//! records. Wide ones (whose results bring equal keys together, or put records in order) compute at once.
//!
//! Left out of what Spark's RDD has: what draws random numbers, what does input or output, and what is for numbers alone
//! (`map` and `reduce` do it).

mod actions;
mod joins;
mod layout;
mod narrow;
mod order;
mod pairs;
mod sets;
mod values;

pub(super) use pairs::{Group, Reduce};

use super::{Data, Key, Partition, Workers, shuffle::Entries};
use std::sync::Arc;

/// The records of one batch, in partitions: what [`DStream::transform`](super::DStream::transform) works on. Spark's RDD, within
/// a batch.
///
/// Its order, that of the partitions and of the records in each, is a function of the batch's input alone. What brings equal keys
/// together gives them by key group and inside a group by their first appearance in the batch, whatever partitions its input
/// was in; without any records it gives no partitions.
#[must_use = "an Rdd that nothing asks for its records is not computed"]
pub struct Rdd<T> {
    pub(super) partitions: Vec<Partition<T>>,
    pub(super) workers: Workers,
}

impl<T> Clone for Rdd<T> {
    fn clone(&self) -> Self {
        Self { partitions: self.partitions.clone(), workers: self.workers.clone() }
    }
}

impl<T> std::fmt::Debug for Rdd<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rdd({} partitions)", self.partitions.len())
    }
}

impl<T: Data> Rdd<T> {
    pub(super) fn new(partitions: Vec<Partition<T>>, workers: Workers) -> Self {
        Self { partitions, workers }
    }

    /// Parts that were computed.
    pub(super) fn of_parts(parts: Vec<Vec<T>>, workers: Workers) -> Self {
        Self::new(parts.into_iter().map(Partition::of).collect(), workers)
    }

    /// A shuffle's result: `each` pushes what becomes of a key and what was combined for it.
    fn of_shuffle<K: Key, C: Data>(
        combined: Vec<Entries<K, C>>,
        workers: Workers,
        each: impl Fn(&K, &C, &mut dyn FnMut(T)) + Copy + Send + Sync + 'static,
    ) -> Self {
        let partition = |entries: Entries<K, C>| {
            if entries.is_empty() {
                return Partition::empty();
            }
            Partition::new(move |emit| {
                for entry in &entries {
                    each(&entry.key, entry.value.as_ref().expect("a combined value"), emit);
                }
            })
        };
        Self::new(combined.into_iter().map(partition).collect(), workers)
    }

    /// An `Rdd` of `records`, in one partition, to be joined with this one or the like: a table that does not change. It is shared,
    /// not copied, from batch to batch.
    ///
    /// ```
    /// # use highwater_core::{DStream, Word};
    /// # use std::sync::Arc;
    /// fn without_spam(counts: DStream<(Word, u64)>, spam: Vec<(Word, ())>) -> DStream<(Word, u64)> {
    ///     let spam = Arc::new(spam);
    ///     counts.transform(move |counts| {
    ///         let spam = counts.parallelize(&spam);
    ///         counts.subtract_by_key(spam)
    ///     })
    /// }
    /// ```
    pub fn parallelize<U: Data>(&self, records: &Arc<Vec<U>>) -> Rdd<U> {
        let records = records.clone();
        let partition = Partition::new(move |emit| records.iter().cloned().for_each(&mut *emit));
        Rdd::new(vec![partition], self.workers.clone())
    }

    /// How many partitions.
    pub fn num_partitions(&self) -> usize {
        self.partitions.len()
    }

    /// Computed once, for several that ask for its records.
    pub(super) fn computed(self) -> Self {
        Self::of_parts(self.to_vecs(), self.workers)
    }

    /// The records of each partition, computed.
    pub(super) fn to_vecs(&self) -> Vec<Vec<T>> {
        self.of_each_partition(Partition::to_vec)
    }

    /// What `f` makes of each partition, on several threads where there are and where there may be records.
    fn of_each_partition<R: Send>(&self, f: impl Fn(&Partition<T>) -> R + Sync) -> Vec<R> {
        match self.partitions.iter().all(Partition::is_known_empty) {
            true => self.partitions.iter().map(f).collect(),
            false => self.workers.parallel(self.partitions.len(), |index| f(&self.partitions[index])),
        }
    }
}
