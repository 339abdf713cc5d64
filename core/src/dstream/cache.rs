//! `cache`: a stream's batch, computed once for all that use it.
//!
//! It is kept with the batch that is being computed and is gone with it, so it holds no memory between batches and is in no
//! checkpoint. Spark keeps it longer, for jobs that run later; here all that use a batch run with it.

use super::{BatchScope, DStream, Data, Derived, OperatorKind, Rdd};
use crate::ids::OperatorId;
use std::{
    any::Any,
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// What the cached streams of a batch have computed so far.
#[derive(Default)]
pub(crate) struct Cached(Mutex<BTreeMap<OperatorId, Box<dyn Any + Send>>>);

impl Cached {
    fn get_or_compute<T: Data>(&self, id: OperatorId, compute: impl FnOnce() -> Rdd<T>) -> Rdd<T> {
        let lock = || self.0.lock().expect("nothing panics while it holds the lock");
        if let Some(cached) = lock().get(&id) {
            return cached.downcast_ref::<Rdd<T>>().expect("an operator has one type").clone();
        }
        let computed = compute().computed();
        lock().insert(id, Box::new(computed.clone()));
        computed
    }
}

impl<T: Data> DStream<T> {
    /// The same stream, whose batches are computed once however many operators and outputs use them. Without it each of them
    /// computes this stream again: that is cheaper for one, and for a short chain of `map` and `filter`.
    ///
    /// A batch's records are held in memory until all outputs of the batch are computed, not longer. They are not in the
    /// checkpoint: after a crash they are computed again. It is an operator of the graph like others: a program that has a
    /// checkpoint without it cannot recover with it.
    pub fn cache(self) -> DStream<T> {
        let id = self.builder.lock().add(OperatorKind::Cache.into(), &[self.id]);
        let parent = self.stream;
        let stream = Arc::new(Derived(move |scope: &BatchScope<'_>| {
            scope.cached.get_or_compute(id, || parent.compute(scope))
        }));
        DStream { builder: self.builder, id, slide: self.slide, stream }
    }

    /// As [`cache`](Self::cache): there is one place to keep a batch.
    pub fn persist(self) -> DStream<T> {
        self.cache()
    }
}

#[cfg(test)]
mod tests {
    use crate::dstream::in_line::{Calls, Program};

    #[test]
    fn a_cached_batch_is_computed_once_for_several_and_again_in_the_next() {
        let program = Program::new();
        let calls = Calls::default();
        let counter = calls.clone();
        let numbers = program.stream(|time| vec![vec![time, 2], vec![3]]).map(move |n| {
            counter.count();
            n
        });
        let cached = numbers.clone().cache();
        let (sum, most) = (cached.clone().reduce(|a, b| a + b), cached.clone().transform(|rdd| rdd.glom()));
        let scope = program.scope(1);
        assert_eq!(sum.stream.compute(&scope).collect(), [6]);
        assert_eq!(most.stream.compute(&scope).collect(), [vec![1, 2], vec![3]]);
        assert_eq!(cached.clone().union(cached).stream.compute(&scope).count(), 6);
        assert_eq!(calls.get(), 3);
        assert_eq!(program.batch(&sum, 10).collect(), [15]);
        assert_eq!(calls.get(), 6);
        assert_eq!(program.batch(&numbers.clone().union(numbers), 1).count(), 6);
        assert_eq!(calls.get(), 12, "without it each user computes");
    }

    #[test]
    fn a_cached_batch_is_gone_when_the_batch_is() {
        let program = Program::new();
        let token = std::sync::Arc::new(());
        let held = token.clone();
        let cached = program.stream(move |_| vec![vec![1]]).map(move |_| held.clone()).cache();
        let scope = program.scope(1);
        assert_eq!(cached.stream.compute(&scope).count(), 1);
        assert_eq!(std::sync::Arc::strong_count(&token), 3);
        drop(scope);
        assert_eq!(std::sync::Arc::strong_count(&token), 2);
    }
}
