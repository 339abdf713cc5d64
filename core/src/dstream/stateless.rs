//! Operators on one stream that keep nothing over batches: each is the operation of [`Rdd`] of the same name, in every batch.

use super::{DStream, Data, Key, Operator, OperatorKind, Rdd};
use crate::{error::GraphError, ids::BatchTime};
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

    /// All that `f` makes of the records of each partition, in order. An empty partition counts.
    pub fn map_partitions<U: Data, I: IntoIterator<Item = U>>(
        self,
        f: impl Fn(Vec<T>) -> I + Send + Sync + 'static,
    ) -> DStream<U> {
        let f = Arc::new(f);
        self.derive(OperatorKind::MapPartitions, move |rdd, _| {
            let f = f.clone();
            rdd.map_partitions(move |records| f(records))
        })
    }

    /// The records of each partition as one record. An empty partition counts.
    pub fn glom(self) -> DStream<Vec<T>> {
        self.derive(OperatorKind::Glom, |rdd, _| rdd.glom())
    }

    /// The same records in the same order in `count` partitions, as even as can be.
    ///
    /// No partitions at all is [`GraphError::Option`], told by the context's start.
    pub fn repartition(self, count: usize) -> DStream<T> {
        if count == 0 {
            let reason = "it must be positive".into();
            let error = GraphError::Option { option: "count of repartition", value: "0".into(), reason };
            self.builder.lock().fail(error);
        }
        let operator = Operator::new(OperatorKind::Repartition).parameters(format!("into {count}"));
        self.derive(operator, move |rdd, _| rdd.repartition(count))
    }

    /// How many records each batch has: one number a batch, 0 for an empty one.
    pub fn count(self) -> DStream<u64> {
        self.derive(OperatorKind::Count, |rdd, _| {
            let count = rdd.count();
            Rdd::of_parts(vec![vec![count]], rdd.workers)
        })
    }

    /// All records of a batch combined by `f`, which must be associative, in their order. Nothing for an empty batch.
    pub fn reduce(self, f: impl Fn(T, T) -> T + Send + Sync + 'static) -> DStream<T> {
        self.derive(OperatorKind::Reduce, move |rdd, _| {
            let combined = rdd.reduce(&f);
            Rdd::of_parts(combined.into_iter().map(|record| vec![record]).collect(), rdd.workers)
        })
    }

    /// Each record once, with how often the batch has it.
    pub fn count_by_value(self) -> DStream<(T, u64)>
    where
        T: Key,
    {
        self.derive(OperatorKind::CountByValue, |rdd, _| rdd.count_by_value())
    }

    /// What `f` makes of each batch: any operation that [`Rdd`] has. It must be a function of the batch alone.
    ///
    /// ```
    /// # use highwater_core::{DStream, Word};
    /// fn most_frequent_first(counts: DStream<(Word, u64)>) -> DStream<(Word, u64)> {
    ///     counts.transform(|counts| counts.sort_by(|(_, count)| std::cmp::Reverse(*count)))
    /// }
    /// ```
    pub fn transform<U: Data>(self, f: impl Fn(Rdd<T>) -> Rdd<U> + Send + Sync + 'static) -> DStream<U> {
        self.derive(OperatorKind::Transform, move |rdd, _| f(rdd))
    }

    /// As [`transform`](Self::transform), with the batch's time.
    pub fn transform_with_time<U: Data>(
        self,
        f: impl Fn(Rdd<T>, BatchTime) -> Rdd<U> + Send + Sync + 'static,
    ) -> DStream<U> {
        self.derive(OperatorKind::Transform, f)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        dstream::in_line::{Program, sorted},
        error::GraphError,
        ids::BatchTime,
    };

    #[test]
    fn an_empty_batch_counts_zero_and_reduces_to_nothing() {
        let program = Program::new();
        let numbers = program.stream(|time| match time {
            1 => vec![vec![1, 2], vec![3]],
            2 => vec![vec![]],
            _ => vec![],
        });
        let counts = numbers.clone().count();
        let sums = numbers.clone().reduce(|a, b| a + b);
        let values = numbers.count_by_value();
        for (time, count, sum, distinct) in [(1, 3, vec![6], 3), (2, 0, vec![], 0), (3, 0, vec![], 0)] {
            assert_eq!(program.batch(&counts, time).collect(), [count]);
            assert_eq!(program.batch(&sums, time).collect(), sum);
            assert_eq!(program.batch(&values, time).count(), distinct);
        }
    }

    #[test]
    fn streams_do_in_every_batch_what_the_operations_do_to_one() {
        let program = Program::new();
        let numbers = program.stream(|time| vec![vec![time, 1, 1], vec![5]]);
        let sums = numbers.clone().map_partitions(|part| [part.iter().sum::<u64>()]);
        assert_eq!(program.batch(&sums, 3).collect(), [5, 5]);
        assert_eq!(program.batch(&numbers.clone().glom(), 2).collect(), [vec![2, 1, 1], vec![5]]);
        let halves = numbers.clone().repartition(2).glom();
        assert_eq!(program.batch(&halves, 4).collect(), [[4, 1], [1, 5]]);
        let squares = numbers.clone().transform(|rdd| rdd.distinct().map(|n| n * n));
        assert_eq!(sorted(program.batch(&squares, 2)), [1, 4, 25]);
        let timed = numbers.transform_with_time(|rdd, time| rdd.map(move |n| (time, n)));
        assert_eq!(program.batch(&timed, 7).first(), Some((BatchTime(7000), 7)));
    }

    #[test]
    fn no_partitions_at_all_is_an_error_of_the_program() {
        let program = Program::new();
        let _ = program.stream(|_| vec![vec![1]]).repartition(0);
        let error = program.error().unwrap();
        assert!(matches!(error, GraphError::Option { .. }));
        assert_eq!(error.to_string(), "the option count of repartition cannot be 0: it must be positive");
        assert_eq!(program.operators()[1], "operator 1 (Repartition into 0)");
    }
}
