//! Operations whose every output partition comes of one input partition: they are fused into one loop.

use super::{Data, Rdd};
use crate::dstream::Partition;
use std::sync::Arc;

impl<T: Data> Rdd<T> {
    /// Each partition, wrapped; one that is known to be empty stays so.
    pub(super) fn narrow<U: Data>(self, wrap: impl Fn(Partition<T>) -> Partition<U>) -> Rdd<U> {
        let wrap = |partition: Partition<T>| match partition.is_known_empty() {
            true => Partition::empty(),
            false => wrap(partition),
        };
        Rdd::new(self.partitions.into_iter().map(wrap).collect(), self.workers)
    }

    /// Each record, passed through `f`.
    pub fn map<U: Data>(self, f: impl Fn(T) -> U + Send + Sync + 'static) -> Rdd<U> {
        self.map_shared(&Arc::new(f))
    }

    pub(in crate::dstream) fn map_shared<U: Data>(
        self,
        f: &Arc<impl Fn(T) -> U + Send + Sync + 'static>,
    ) -> Rdd<U> {
        self.narrow(|parent| {
            let f = f.clone();
            Partition::new(move |emit| parent.each(&mut |record| emit(f(record))))
        })
    }

    /// All that `f` makes of each record, in order.
    pub fn flat_map<U: Data, I: IntoIterator<Item = U>>(
        self,
        f: impl Fn(T) -> I + Send + Sync + 'static,
    ) -> Rdd<U> {
        self.flat_map_shared(&Arc::new(f))
    }

    pub(in crate::dstream) fn flat_map_shared<U: Data, I: IntoIterator<Item = U>>(
        self,
        f: &Arc<impl Fn(T) -> I + Send + Sync + 'static>,
    ) -> Rdd<U> {
        self.narrow(|parent| {
            let f = f.clone();
            Partition::new(move |emit| {
                parent.each(&mut |record| f(record).into_iter().for_each(&mut *emit));
            })
        })
    }

    /// The records for which `f` says yes.
    pub fn filter(self, f: impl Fn(&T) -> bool + Send + Sync + 'static) -> Rdd<T> {
        self.filter_shared(&Arc::new(f))
    }

    pub(in crate::dstream) fn filter_shared(
        self,
        f: &Arc<impl Fn(&T) -> bool + Send + Sync + 'static>,
    ) -> Rdd<T> {
        self.narrow(|parent| {
            let f = f.clone();
            Partition::new(move |emit| {
                parent.each(&mut |record| {
                    if f(&record) {
                        emit(record);
                    }
                });
            })
        })
    }

    /// All that `f` makes of each partition's records, in order. An empty partition counts.
    pub fn map_partitions<U: Data, I: IntoIterator<Item = U>>(
        self,
        f: impl Fn(Vec<T>) -> I + Send + Sync + 'static,
    ) -> Rdd<U> {
        self.map_partitions_with_index(move |_, records| f(records))
    }

    /// As [`map_partitions`](Self::map_partitions), with the partition's number, counted from 0.
    pub fn map_partitions_with_index<U: Data, I: IntoIterator<Item = U>>(
        self,
        f: impl Fn(usize, Vec<T>) -> I + Send + Sync + 'static,
    ) -> Rdd<U> {
        let f = Arc::new(f);
        let partition = |(index, parent): (usize, Partition<T>)| {
            let f = f.clone();
            Partition::new(move |emit| f(index, parent.to_vec()).into_iter().for_each(&mut *emit))
        };
        Rdd::new(self.partitions.into_iter().enumerate().map(partition).collect(), self.workers)
    }

    /// Each partition's records as one record. An empty partition counts.
    pub fn glom(self) -> Rdd<Vec<T>> {
        self.map_partitions(|records| [records])
    }

    /// Each record, behind the key that `f` makes of it.
    pub fn key_by<K: Data>(self, f: impl Fn(&T) -> K + Send + Sync + 'static) -> Rdd<(K, T)> {
        self.map(move |record| (f(&record), record))
    }
}
