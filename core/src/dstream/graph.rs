//! The graph of a pipeline: built by the author's calls, sealed at the start, described in every checkpoint.

use super::{DStream, OutputOperation, Parent, Stateful};
use crate::{
    error::GraphError,
    ids::{Interval, OperatorId, SourceId},
    source::Source,
};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};

/// What an operator does.
// Checkpoints hold a kind as its place in this list: a new one goes to its end, and none is moved or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OperatorKind {
    /// Lines of a socket.
    SocketTextStream,
    /// Lines of the files of a directory.
    TextFileStream,
    /// Batches of a queue.
    QueueStream,
    /// Records of a receiver of the author's own.
    ReceiverStream,
    /// `map`.
    Map,
    /// `flat_map`.
    FlatMap,
    /// `filter`.
    Filter,
    /// `map_partitions`.
    MapPartitions,
    /// `glom`.
    Glom,
    /// `repartition`.
    Repartition,
    /// `union`.
    Union,
    /// `count`.
    Count,
    /// `reduce`.
    Reduce,
    /// `count_by_value`.
    CountByValue,
    /// `transform`.
    Transform,
    /// `transform_with`.
    TransformWith,
    /// `cache`.
    Cache,
    /// `remember`.
    Remember,
    /// `map_values`.
    MapValues,
    /// `flat_map_values`.
    FlatMapValues,
    /// `reduce_by_key`.
    ReduceByKey,
    /// `group_by_key`.
    GroupByKey,
    /// `combine_by_key`.
    CombineByKey,
    /// `cogroup`.
    Cogroup,
    /// `join`.
    Join,
    /// `left_outer_join`.
    LeftOuterJoin,
    /// `right_outer_join`.
    RightOuterJoin,
    /// `full_outer_join`.
    FullOuterJoin,
    /// `update_state_by_key`.
    UpdateStateByKey,
    /// `map_with_state`.
    MapWithState,
    /// `state_snapshots`.
    StateSnapshots,
    /// `window`.
    Window,
    /// `reduce_by_window`.
    ReduceByWindow,
    /// `reduce_by_key_and_window`.
    ReduceByKeyAndWindow,
    /// `group_by_key_and_window`.
    GroupByKeyAndWindow,
    /// An output operation.
    Output,
}

/// What an author's call adds to the graph.
pub(crate) struct Operator {
    kind: OperatorKind,
    parameters: String,
    schema: String,
}

impl Operator {
    pub fn new(kind: OperatorKind) -> Self {
        Self { kind, parameters: String::new(), schema: String::new() }
    }

    /// Parameters that change its meaning: another start must have the same.
    pub fn parameters(self, parameters: impl Into<String>) -> Self {
        Self { parameters: parameters.into(), ..self }
    }

    /// The types of what it keeps.
    pub fn schema(self, schema: impl Into<String>) -> Self {
        Self { schema: schema.into(), ..self }
    }
}

impl From<OperatorKind> for Operator {
    fn from(kind: OperatorKind) -> Self {
        Self::new(kind)
    }
}

/// An operator as a checkpoint remembers it. The graph of a later start must have the same ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorDescription {
    /// Its place in the order of construction.
    pub id: OperatorId,
    /// What it does.
    pub kind: OperatorKind,
    /// The streams that it reads.
    pub parents: Vec<OperatorId>,
    /// Parameters that change its meaning.
    pub parameters: String,
    /// The types of what it keeps, if it keeps anything.
    pub schema: String,
}

impl fmt::Display for OperatorDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operator {} ({:?}", self.id, self.kind)?;
        if !self.parameters.is_empty() {
            write!(f, " {}", self.parameters)?;
        }
        if !self.schema.is_empty() {
            write!(f, " of {}", self.schema)?;
        }
        f.write_str(")")
    }
}

/// The first difference between the graph of a checkpoint and that of the program, for people.
pub(crate) fn difference(
    checkpoint: &[OperatorDescription],
    program: &[OperatorDescription],
) -> Option<String> {
    for (then, now) in checkpoint.iter().zip(program) {
        if then != now {
            return Some(format!("it has {then} where this program has {now}"));
        }
    }
    match (checkpoint.get(program.len()), program.get(checkpoint.len())) {
        (Some(then), _) => Some(format!("it also has {then}, which this program has not")),
        (_, Some(now)) => Some(format!("this program also has {now}, which it has not")),
        _ => None,
    }
}

pub(crate) struct SourceNode {
    pub source: Arc<dyn Source>,
}

/// A sealed graph.
pub(crate) struct Graph {
    pub operators: Vec<OperatorDescription>,
    pub sources: Vec<SourceNode>,
    pub stateful: Vec<Arc<dyn Stateful>>,
    pub outputs: Vec<(OperatorId, Box<dyn OutputOperation>)>,
}

pub(crate) struct GraphBuilder {
    batch_interval: Interval,
    operators: Vec<OperatorDescription>,
    sources: Vec<SourceNode>,
    stateful: Vec<Arc<dyn Stateful>>,
    outputs: Vec<(OperatorId, Box<dyn OutputOperation>)>,
    sealed: bool,
    error: Option<GraphError>,
}

/// The builder, shared by the context and all its streams.
#[derive(Clone)]
pub(crate) struct SharedBuilder(Arc<Mutex<GraphBuilder>>);

impl SharedBuilder {
    pub fn new(batch_interval: Interval) -> Self {
        Self(Arc::new(Mutex::new(GraphBuilder {
            batch_interval,
            operators: Vec::new(),
            sources: Vec::new(),
            stateful: Vec::new(),
            outputs: Vec::new(),
            sealed: false,
            error: None,
        })))
    }

    /// Whether both are of one context.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// A stream of a source.
    pub fn source_stream<T>(
        &self,
        operator: Operator,
        source: Arc<dyn Source>,
        stream: impl FnOnce(SourceId) -> Parent<T>,
    ) -> DStream<T> {
        let mut builder = self.lock();
        let source = builder.add_source(source);
        let id = builder.add(operator, &[]);
        let slide = builder.batch_interval;
        drop(builder);
        DStream { builder: self.clone(), id, slide, stream: stream(source) }
    }

    pub fn lock(&self) -> MutexGuard<'_, GraphBuilder> {
        self.0.lock().expect("no builder call panics while it holds the lock")
    }
}

impl GraphBuilder {
    /// Adds an operator's description and returns its id. After the start it is an error, told by the context.
    pub fn add(&mut self, operator: Operator, parents: &[OperatorId]) -> OperatorId {
        if self.sealed {
            self.fail(GraphError::AddedAfterStart);
        }
        let Operator { kind, parameters, schema } = operator;
        let id = OperatorId(u32::try_from(self.operators.len()).expect("a graph has under 2^32 operators"));
        self.operators.push(OperatorDescription { id, kind, parents: parents.to_vec(), parameters, schema });
        id
    }

    /// Notes what is wrong with the program. The first such error is told by `get_or_create` or `start`.
    pub fn fail(&mut self, error: GraphError) {
        self.error.get_or_insert(error);
    }

    fn add_source(&mut self, source: Arc<dyn Source>) -> SourceId {
        let id = SourceId(self.sources.len() as u32);
        self.sources.push(SourceNode { source });
        id
    }

    pub fn add_stateful(&mut self, node: Arc<dyn Stateful>) {
        self.stateful.push(node);
    }

    pub fn add_output(&mut self, id: OperatorId, output: Box<dyn OutputOperation>) {
        self.outputs.push((id, output));
    }

    /// The first error of the calls so far.
    pub fn error(&self) -> Option<GraphError> {
        self.error.clone()
    }

    /// The operators so far.
    pub fn operators(&self) -> &[OperatorDescription] {
        &self.operators
    }

    /// Ends the construction.
    pub fn seal(&mut self) -> Result<Graph, GraphError> {
        if let Some(error) = self.error.clone() {
            return Err(error);
        }
        if self.outputs.is_empty() {
            return Err(GraphError::NoOutput);
        }
        self.sealed = true;
        Ok(Graph {
            operators: self.operators.clone(),
            sources: std::mem::take(&mut self.sources),
            stateful: std::mem::take(&mut self.stateful),
            outputs: std::mem::take(&mut self.outputs),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;

    #[test]
    fn a_kind_of_operator_has_the_number_that_it_has_in_checkpoints_for_ever() {
        use OperatorKind::*;
        let numbered = [
            (0u8, SocketTextStream),
            (1u8, TextFileStream),
            (2u8, QueueStream),
            (3u8, ReceiverStream),
            (4u8, Map),
            (5u8, FlatMap),
            (6u8, Filter),
            (7u8, MapPartitions),
            (8u8, Glom),
            (9u8, Repartition),
            (10u8, Union),
            (11u8, Count),
            (12u8, Reduce),
            (13u8, CountByValue),
            (14u8, Transform),
            (15u8, TransformWith),
            (16u8, Cache),
            (17u8, Remember),
            (18u8, MapValues),
            (19u8, FlatMapValues),
            (20u8, ReduceByKey),
            (21u8, GroupByKey),
            (22u8, CombineByKey),
            (23u8, Cogroup),
            (24u8, Join),
            (25u8, LeftOuterJoin),
            (26u8, RightOuterJoin),
            (27u8, FullOuterJoin),
            (28u8, UpdateStateByKey),
            (29u8, MapWithState),
            (30u8, StateSnapshots),
            (31u8, Window),
            (32u8, ReduceByWindow),
            (33u8, ReduceByKeyAndWindow),
            (34u8, GroupByKeyAndWindow),
            (35u8, Output),
        ];
        for (number, kind) in numbered {
            assert_eq!(codec::encode(&kind), [number], "{kind:?}");
            assert_eq!(codec::decode(&[number]), Ok(kind));
        }
        let next = [numbered.len() as u8];
        assert!(codec::decode::<OperatorKind>(&next).is_err(), "a new kind belongs into this list");
    }
}
