//! Operators whose every output partition comes of one input partition: they are fused into one loop.

use super::{BatchScope, DStream, Data, OperatorKind, Partition, Stream};
use std::sync::Arc;

/// A parent's partitions, each wrapped.
struct Narrow<T, W> {
    parent: Arc<dyn Stream<T>>,
    wrap: W,
}

impl<T, U, W> Stream<U> for Narrow<T, W>
where
    T: Data,
    U: Data,
    W: Fn(Partition<T>) -> Partition<U> + Send + Sync,
{
    fn partitions(&self, scope: &BatchScope<'_>) -> Vec<Partition<U>> {
        self.parent.partitions(scope).into_iter().map(&self.wrap).collect()
    }
}

impl<T: Data> DStream<T> {
    fn narrow<U: Data>(
        self,
        kind: OperatorKind,
        wrap: impl Fn(Partition<T>) -> Partition<U> + Send + Sync + 'static,
    ) -> DStream<U> {
        let id = self.builder.lock().add(kind, &[self.id], String::new(), String::new());
        DStream { builder: self.builder, id, stream: Arc::new(Narrow { parent: self.stream, wrap }) }
    }

    /// Each record, passed through `f`.
    pub fn map<U: Data>(self, f: impl Fn(T) -> U + Send + Sync + 'static) -> DStream<U> {
        let f = Arc::new(f);
        self.narrow(OperatorKind::Map, move |parent| {
            let f = f.clone();
            Partition::new(move |emit| parent.each(&mut |record| emit(f(record))))
        })
    }

    /// All that `f` makes of each record, in order.
    pub fn flat_map<U: Data, I: IntoIterator<Item = U>>(
        self,
        f: impl Fn(T) -> I + Send + Sync + 'static,
    ) -> DStream<U> {
        let f = Arc::new(f);
        self.narrow(OperatorKind::FlatMap, move |parent| {
            let f = f.clone();
            Partition::new(move |emit| {
                parent.each(&mut |record| f(record).into_iter().for_each(&mut *emit));
            })
        })
    }

    /// The records for which `f` says yes.
    pub fn filter(self, f: impl Fn(&T) -> bool + Send + Sync + 'static) -> DStream<T> {
        let f = Arc::new(f);
        self.narrow(OperatorKind::Filter, move |parent| {
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
