//! Discretised streams: the author's view of a pipeline, and the graph behind it.
//!
//! A [`DStream`] is a handle to a node of the graph. Its methods add nodes; nothing is computed before the context starts.
//! In each batch at which its slide is due, a node is asked for its [`Rdd`]: the records in partitions, each a function that
//! pushes them one by one. What an operator does to one batch is an operation of [`Rdd`]; here is what is kept over batches
//! ([`DStream::update_state_by_key`], [`DStream::map_with_state`], windows) and what ties the graph together.
//!
//! Operators are pure: batch time, records and state in, records and state out.

mod cache;
mod graph;
#[cfg(test)]
mod in_line;
mod map_with_state;
mod output;
mod pairs;
mod partition;
mod pieces;
mod rdd;
mod remember;
mod scatter;
mod several;
mod shuffle;
mod stateless;
mod stream;
#[cfg(all(test, feature = "os"))]
mod tests;
mod update_state;
mod window;
mod workers;

pub(crate) use graph::{Graph, Operator, SharedBuilder, SourceNode, difference};
pub use graph::{OperatorDescription, OperatorKind};
pub use map_with_state::{MapWithState, State, StateSpec};
pub(crate) use output::{OutputOperation, Prepared};
pub(crate) use partition::Partition;
pub use rdd::Rdd;
pub use remember::{Remembered, SliceError};
pub(crate) use stream::{BatchScope, Chunk, Derived, Parent, Stateful, Stream};
pub(crate) use workers::Workers;

use crate::ids::{BatchTime, Interval, OperatorId};
use serde::{Serialize, de::DeserializeOwned};
use std::{hash::Hash, sync::Arc};

/// What a record must be.
pub trait Data: Clone + Send + Sync + 'static {}
impl<T: Clone + Send + Sync + 'static> Data for T {}

/// What a record, a key or a state must be where it is kept over batches or brought to another place.
///
/// A line is a slice of the block it came in, which a window must not keep:
///
/// ```compile_fail
/// # use highwater_core::{DStream, Interval, Text};
/// fn last_minute(lines: DStream<Text>) -> DStream<Text> {
///     lines.trailing_window(Interval::from_secs(60))
/// }
/// ```
///
/// ```
/// # use highwater_core::{DStream, Interval, Text, Word};
/// fn last_minute(lines: DStream<Text>) -> DStream<Word> {
///     lines.map(|line| line.to_word()).trailing_window(Interval::from_secs(60))
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept over batches: that needs Clone, Send, Sync and serde's traits",
    note = "a `Text` is a slice of its block: map lines to `line.to_word()` or `line.to_string()` first"
)]
pub trait Stored: Data + Serialize + DeserializeOwned {}
// The note above, and not one on the traits that are missing.
#[diagnostic::do_not_recommend]
impl<T: Data + Serialize + DeserializeOwned> Stored for T {}

/// What a key must be: two equal keys hash and encode alike.
///
/// ```compile_fail
/// # use highwater_core::{DStream, Text};
/// fn repeated(lines: DStream<Text>) -> DStream<(Text, u64)> {
///     lines.map(|line| (line, 1)).reduce_by_key(|a, b| a + b)
/// }
/// ```
///
/// ```
/// # use highwater_core::{DStream, Text, Word};
/// fn repeated(lines: DStream<Text>) -> DStream<(Word, u64)> {
///     lines.map(|line| (line.to_word(), 1)).reduce_by_key(|a, b| a + b)
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key: a key is kept in the state, so it needs Hash, Eq, Clone and serde's traits",
    note = "a `Text` is a slice of its block: use `line.to_word()` or `line.into_words()` for keys",
    note = "a floating-point number is no key: round it to an integer, or take its `to_bits()`"
)]
pub trait Key: Stored + Hash + Eq {}
#[diagnostic::do_not_recommend]
impl<T: Stored + Hash + Eq> Key for T {}

/// A stream of batches of `T`.
///
/// ```
/// # use highwater_core::{DStream, Text, Word};
/// fn word_counts(lines: DStream<Text>) -> DStream<(Word, u64)> {
///     lines.flat_map(Text::into_words).map(|word| (word, 1)).reduce_by_key(|a, b| a + b)
/// }
/// ```
#[must_use = "a stream that no output uses is never computed"]
pub struct DStream<T> {
    pub(crate) builder: SharedBuilder,
    pub(crate) id: OperatorId,
    /// It has a batch at every time that is so many intervals after the zero time.
    pub(crate) slide: Interval,
    pub(crate) stream: Arc<dyn Stream<T>>,
}

impl<T> Clone for DStream<T> {
    fn clone(&self) -> Self {
        Self { builder: self.builder.clone(), id: self.id, slide: self.slide, stream: self.stream.clone() }
    }
}

impl<T> std::fmt::Debug for DStream<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DStream(operator {})", self.id)
    }
}

impl<T: Data> DStream<T> {
    /// A stream whose every batch is a function of this one's.
    pub(crate) fn derive<U: Data>(
        self,
        operator: impl Into<Operator>,
        f: impl Fn(Rdd<T>, BatchTime) -> Rdd<U> + Send + Sync + 'static,
    ) -> DStream<U> {
        let id = self.builder.lock().add(operator.into(), &[self.id]);
        let parent = self.stream;
        let stream = Arc::new(Derived(move |scope: &BatchScope<'_>| f(parent.compute(scope), scope.time)));
        DStream { builder: self.builder, id, slide: self.slide, stream }
    }

    /// A stream, of the same slide, whose node keeps something over batches.
    pub(crate) fn stateful<U: Data, N: Stateful + Stream<U> + 'static>(
        self,
        operator: impl Into<Operator>,
        make: impl FnOnce(OperatorId, DStream<T>) -> N,
    ) -> DStream<U> {
        let (builder, slide) = (self.builder.clone(), self.slide);
        let id = builder.lock().add(operator.into(), &[self.id]);
        let stream = Arc::new(make(id, self));
        builder.lock().add_stateful(stream.clone());
        DStream { builder, id, slide, stream }
    }

    /// The time from one of its batches to the next: Spark's slide duration.
    pub fn slide(&self) -> Interval {
        self.slide
    }
}
