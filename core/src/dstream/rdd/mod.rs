//! The records of one batch of a stream.
//!
//! Narrow operations wrap the functions of their partitions, so a chain of them is one loop, run by whatever asks for the
//! records. Wide ones (whose results bring equal keys together) compute at once.

mod actions;
mod narrow;
mod pairs;

pub(super) use pairs::Reduce;

use super::{Data, Partition, Workers};

/// The records of one batch, in partitions: what [`DStream::transform`](super::DStream::transform) works on. Spark's RDD, within
/// a batch.
///
/// Its order, that of the partitions and of the records in each, is a function of the batch's input alone.
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

    /// How many partitions.
    pub fn num_partitions(&self) -> usize {
        self.partitions.len()
    }

    /// The records of each partition, computed.
    pub(super) fn to_vecs(&self) -> Vec<Vec<T>> {
        self.workers.parallel(self.partitions.len(), |index| self.partitions[index].to_vec())
    }
}
