//! Windows: at each of its times a stream of what came in the last while.
//!
//! The window at time t covers its parent's batches in (t - window, t]; there is one at every time that is a multiple of the
//! slide after the zero time. At the start it covers what there is. A batch of the parent is kept as a *pane*: owned records,
//! immutable, shared by the node, its consumers and a snapshot that is being written. It goes when no window can cover it any
//! more. Panes carry their time, so a batch that was passed over is missing from its windows and moves nothing else.
//!
//! - `span`: which batches a window covers.
//! - `node`: a window that is a function of its panes alone; `records` and `keyed` say of what they are made.
//! - `inverse`: a window that takes off what left and adds what came; `held` is the table in which it does.
//! - `operators`, `pairs`: the author's methods.
//!
//! Snapshots hold all panes and the inverse's table, in chunks of a bounded number of records (`pieces`): after a restore nothing
//! older is asked for.

mod held;
mod inverse;
mod keyed;
mod node;
mod operators;
mod pairs;
mod records;
mod span;
#[cfg(test)]
mod tests;

use super::{BatchScope, DStream, Data, Derived, OperatorKind, Rdd};
use crate::{error::GraphError, ids::Interval};
use span::Span;
use std::sync::Arc;

impl<T: Data> DStream<T> {
    /// The window's span. Where it does not fit this stream, that is noted as the program's error.
    fn span(&self, operator: OperatorKind, window: Interval, slide: Interval) -> Span {
        let parent = self.slide;
        for (what, value) in [("window", window), ("slide", slide)] {
            if !value.millis().is_multiple_of(parent.millis()) {
                self.builder.lock().fail(GraphError::NoMultiple { operator, what, value, parent });
            }
        }
        Span { window, slide, parent }
    }

    /// What `f` makes of this stream's batches: a part of an operator, and none of its own.
    fn part<U: Data>(self, f: impl Fn(Rdd<T>) -> Rdd<U> + Send + Sync + 'static) -> DStream<U> {
        let parent = self.stream;
        let stream = Arc::new(Derived(move |scope: &BatchScope<'_>| f(parent.compute(scope))));
        DStream { builder: self.builder, id: self.id, slide: self.slide, stream }
    }

    /// This stream's records, passed through `f`: a part of an operator.
    fn mapped<U: Data>(self, f: impl Fn(T) -> U + Send + Sync + 'static) -> DStream<U> {
        let f = Arc::new(f);
        self.part(move |rdd| rdd.map_shared(&f))
    }
}
