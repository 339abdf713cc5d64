//! Discretised streams: the author's view of a pipeline, and the graph behind it.
//!
//! A [`DStream`] is a handle to a node of the graph. Its methods add nodes; nothing is computed before the context starts.
//! For each batch the outputs ask their streams for *partitions*: functions that push records one by one. Narrow operators
//! (`map`, `filter`, `flat_map`) wrap the function of their parent, so a chain of them is one loop; keyed operators
//! ([`pairs`](DStream::reduce_by_key)) end a loop, bring equal keys together and begin the next one.
//!
//! Operators are pure: batch time, records and state in, records and state out.

mod graph;
mod narrow;
mod output;
mod pairs;
mod partition;
mod shuffle;
mod update_state;

pub(crate) use graph::{Graph, SharedBuilder, SourceNode, difference};
pub use graph::{OperatorDescription, OperatorKind};
pub(crate) use output::{OutputOperation, Prepared};
pub(crate) use partition::{BatchScope, Partition, Stateful, Stream};

use crate::ids::OperatorId;
use serde::{Serialize, de::DeserializeOwned};
use std::{hash::Hash, sync::Arc};

/// What a record must be.
pub trait Data: Clone + Send + Sync + 'static {}
impl<T: Clone + Send + Sync + 'static> Data for T {}

/// What a record, a key or a state must be where it is kept over batches or brought to another place.
pub trait Stored: Data + Serialize + DeserializeOwned {}
impl<T: Data + Serialize + DeserializeOwned> Stored for T {}

/// What a key must be: two equal keys hash and encode alike.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key: a key is kept in the state, so it needs Hash, Eq, Clone and serde's traits",
    note = "a `Text` is a slice of its block: use `line.to_word()` or `line.into_words()` for keys"
)]
pub trait Key: Stored + Hash + Eq {}
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
    pub(crate) stream: Arc<dyn Stream<T>>,
}

impl<T> Clone for DStream<T> {
    fn clone(&self) -> Self {
        Self { builder: self.builder.clone(), id: self.id, stream: self.stream.clone() }
    }
}

impl<T> std::fmt::Debug for DStream<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DStream(operator {})", self.id)
    }
}
