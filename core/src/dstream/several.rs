//! Operators on several streams of one context and one slide.
//!
//! Streams that do not fit are an error of the program, noted here and told by the start. The graph stays whole all the same: it
//! names only operators that it has.

use super::{BatchScope, DStream, Data, Derived, OperatorKind, Rdd, SharedBuilder};
use crate::{
    error::GraphError,
    ids::{BatchTime, Interval, OperatorId},
};
use std::sync::Arc;

/// What joining streams has to know of one.
struct Joined<'a> {
    builder: &'a SharedBuilder,
    id: OperatorId,
    slide: Interval,
}

impl<T> DStream<T> {
    fn joined(&self) -> Joined<'_> {
        Joined { builder: &self.builder, id: self.id, slide: self.slide }
    }
}

impl SharedBuilder {
    /// Adds an operator on streams, and notes what keeps them from being joined. Those of another context are not of this graph.
    fn add_joining(&self, kind: OperatorKind, slide: Interval, streams: &[Joined<'_>]) -> OperatorId {
        let mut parents = Vec::with_capacity(streams.len());
        let mut builder = self.lock();
        for stream in streams {
            if !self.is_same(stream.builder) {
                builder.fail(GraphError::DifferentContexts { operator: kind });
                continue;
            }
            if stream.slide != slide {
                builder.fail(GraphError::DifferentSlides { operator: kind, one: slide, other: stream.slide });
            }
            parents.push(stream.id);
        }
        builder.add(kind.into(), &parents)
    }

    /// A stream whose every batch is a function of those of `streams`, of which there must be one. Without any it has the slide
    /// `otherwise`, in a graph that does not start.
    pub(crate) fn join_all<T: Data, U: Data>(
        &self,
        kind: OperatorKind,
        streams: impl IntoIterator<Item = DStream<T>>,
        otherwise: Interval,
        f: impl Fn(Vec<Rdd<T>>, &BatchScope<'_>) -> Rdd<U> + Send + Sync + 'static,
    ) -> DStream<U> {
        let streams: Vec<_> = streams.into_iter().collect();
        if streams.is_empty() {
            self.lock().fail(GraphError::NoStreams { operator: kind });
        }
        let slide = streams.first().map_or(otherwise, |stream| stream.slide);
        let joined: Vec<_> = streams.iter().map(DStream::joined).collect();
        let id = self.add_joining(kind, slide, &joined);
        let parents: Vec<_> = streams.into_iter().map(|stream| stream.stream).collect();
        let stream = Arc::new(Derived(move |scope: &BatchScope<'_>| {
            f(parents.iter().map(|parent| parent.compute(scope)).collect(), scope)
        }));
        DStream { builder: self.clone(), id, slide, stream }
    }

    /// The records of all of `streams`.
    pub(crate) fn union_all<T: Data>(
        &self,
        streams: impl IntoIterator<Item = DStream<T>>,
        otherwise: Interval,
    ) -> DStream<T> {
        self.join_all(OperatorKind::Union, streams, otherwise, |rdds, scope| {
            rdds.into_iter().fold(scope.rdd(Vec::new()), Rdd::union)
        })
    }
}

impl<T: Data> DStream<T> {
    /// A stream whose every batch is a function of this one's and another's.
    pub(crate) fn derive_with<U: Data, W: Data>(
        self,
        other: DStream<U>,
        kind: OperatorKind,
        f: impl Fn(Rdd<T>, Rdd<U>, BatchTime) -> Rdd<W> + Send + Sync + 'static,
    ) -> DStream<W> {
        let (builder, slide) = (self.builder.clone(), self.slide);
        let id = builder.add_joining(kind, slide, &[self.joined(), other.joined()]);
        let (one, other) = (self.stream, other.stream);
        let stream = Arc::new(Derived(move |scope: &BatchScope<'_>| {
            f(one.compute(scope), other.compute(scope), scope.time)
        }));
        DStream { builder, id, slide, stream }
    }

    /// The records of both streams, this one's first. [`StreamingContext::union`](crate::StreamingContext::union) takes many.
    ///
    /// That the streams have different slides or contexts is an error of the program, told by the context's start, here as for
    /// every operator on two streams.
    pub fn union(self, other: DStream<T>) -> DStream<T> {
        self.derive_with(other, OperatorKind::Union, |one, other, _| one.union(other))
    }

    /// What `f` makes of each batch of this stream and the other's of the same time.
    pub fn transform_with<U: Data, W: Data>(
        self,
        other: DStream<U>,
        f: impl Fn(Rdd<T>, Rdd<U>) -> Rdd<W> + Send + Sync + 'static,
    ) -> DStream<W> {
        self.derive_with(other, OperatorKind::TransformWith, move |one, other, _| f(one, other))
    }

    /// As [`transform_with`](Self::transform_with), with the batch's time.
    pub fn transform_with_and_time<U: Data, W: Data>(
        self,
        other: DStream<U>,
        f: impl Fn(Rdd<T>, Rdd<U>, BatchTime) -> Rdd<W> + Send + Sync + 'static,
    ) -> DStream<W> {
        self.derive_with(other, OperatorKind::TransformWith, f)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        dstream::{
            DStream, OperatorKind,
            in_line::{Program, sorted},
        },
        error::GraphError,
        ids::{BatchTime, Interval},
    };

    const SECOND: Interval = Interval::from_secs(1);

    fn numbers(program: &Program, number: u64) -> DStream<u64> {
        program.stream(move |time| vec![vec![number, time]])
    }

    #[test]
    fn a_union_has_the_records_of_all_in_the_order_of_the_streams() {
        let program = Program::new();
        let [a, b, c] = [10, 20, 30].map(|number| numbers(&program, number));
        let two = a.clone().union(b.clone());
        assert_eq!(program.batch(&two, 1).collect(), [10, 1, 20, 1]);
        let many = program.builder.union_all([a, b, c], SECOND);
        assert_eq!(program.batch(&many, 2).glom().collect(), [[10, 2], [20, 2], [30, 2]]);
        assert_eq!(program.error(), None);
    }

    #[test]
    fn two_streams_are_transformed_batch_by_batch() {
        let program = Program::new();
        let [a, b] = [10, 20].map(|number| numbers(&program, number));
        let left = a.clone().transform_with(b.clone(), |a, b| a.subtract(b));
        assert_eq!(program.batch(&left, 1).collect(), [10]);
        let timed = a.transform_with_and_time(b, |a, b, time| a.union(b).map(move |n| (time, n)));
        assert_eq!(program.batch(&timed, 4).collect().last(), Some(&(BatchTime(4000), 4)));
    }

    #[test]
    fn many_streams_are_transformed_together() {
        let program = Program::new();
        let streams = [10, 20, 10].map(|number| numbers(&program, number));
        let rest = program.builder.join_all(OperatorKind::Transform, streams, SECOND, |mut rdds, _| {
            let last = rdds.pop().unwrap();
            rdds.into_iter().reduce(|a, b| a.union(b)).unwrap().subtract(last)
        });
        assert_eq!(sorted(program.batch(&rest, 3)), [20]);
    }

    #[test]
    fn streams_of_different_slides_are_an_error_that_names_both() {
        let program = Program::new();
        let one = numbers(&program, 1);
        let slow = DStream { slide: Interval::from_secs(3), ..numbers(&program, 2) };
        let _ = one.union(slow);
        let error = program.error().unwrap();
        assert_eq!(
            error.to_string(),
            "the streams of Union have different slides (1s and 3s); bring them to one slide with a window"
        );
        assert_eq!(program.operators().len(), 3);
    }

    #[test]
    fn streams_of_different_contexts_are_an_error_and_leave_both_graphs_whole() {
        let (program, other) = (Program::new(), Program::new());
        let foreign = (0..5).map(|number| numbers(&other, number)).next_back().unwrap();
        let _ = numbers(&program, 1).union(foreign);
        let operator = OperatorKind::Union;
        assert_eq!(program.error(), Some(GraphError::DifferentContexts { operator }));
        assert_eq!(other.error(), None);
        let builder = program.builder.lock();
        assert_eq!(builder.operators()[1].parents, [builder.operators()[0].id]);
    }

    #[test]
    fn no_streams_at_all_are_an_error() {
        let program = Program::new();
        let none = program.builder.union_all(Vec::<DStream<u64>>::new(), SECOND);
        assert_eq!(none.slide(), SECOND);
        assert_eq!(program.error(), Some(GraphError::NoStreams { operator: OperatorKind::Union }));
    }
}
