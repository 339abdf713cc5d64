//! Operators that keep nothing over batches and look at one record at a time.

use super::{DStream, Data, OperatorKind};
use std::sync::Arc;

impl<T: Data> DStream<T> {
    /// Each record, passed through `f`.
    pub fn map<U: Data>(self, f: impl Fn(T) -> U + Send + Sync + 'static) -> DStream<U> {
        let f = Arc::new(f);
        self.derive(OperatorKind::Map, move |rdd, _| rdd.map_shared(&f))
    }

    /// All that `f` makes of each record, in order.
    pub fn flat_map<U: Data, I: IntoIterator<Item = U>>(
        self,
        f: impl Fn(T) -> I + Send + Sync + 'static,
    ) -> DStream<U> {
        let f = Arc::new(f);
        self.derive(OperatorKind::FlatMap, move |rdd, _| rdd.flat_map_shared(&f))
    }

    /// The records for which `f` says yes.
    pub fn filter(self, f: impl Fn(&T) -> bool + Send + Sync + 'static) -> DStream<T> {
        let f = Arc::new(f);
        self.derive(OperatorKind::Filter, move |rdd, _| rdd.filter_shared(&f))
    }
}
