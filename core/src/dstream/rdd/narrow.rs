//! Operations whose every output partition comes of one input partition: they are fused into one loop.

use super::{Data, Rdd};
use crate::dstream::Partition;
use std::sync::Arc;

impl<T: Data> Rdd<T> {
    /// Each partition, wrapped.
    fn narrow<U: Data>(self, wrap: impl Fn(Partition<T>) -> Partition<U>) -> Rdd<U> {
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
}
