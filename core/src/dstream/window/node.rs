//! A window that is a function of its panes alone.

use super::span::Span;
use crate::{
    dstream::{BatchScope, Chunk, Data, Parent, Partition, Rdd, Stateful, Stream, Workers},
    ids::{BatchTime, OperatorId},
    state::KeyHasher,
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

/// How a window keeps a batch of its parent, and what it makes of the batches that it covers.
pub(super) trait Panes: Send + Sync + 'static {
    type In: Data;
    type Out: Data;
    type Pane: Send + Sync;

    /// What is kept of a batch; nothing of one that is empty.
    fn keep(&self, batch: &Rdd<Self::In>) -> Option<Self::Pane>;
    /// The window's partitions: of panes in the order of their times, at least one.
    fn cover(&self, workers: &Workers, panes: &[Arc<Self::Pane>]) -> Vec<Partition<Self::Out>>;
    /// A chunk of a snapshot.
    fn encode(time: BatchTime, pane: &Self::Pane) -> Vec<u8>;
    /// What [`encode`](Self::encode) has encoded.
    fn decode(chunk: &[u8], hasher: KeyHasher) -> Result<(BatchTime, Self::Pane), String>;
}

/// The node of a window.
pub(super) struct WindowNode<P: Panes> {
    id: OperatorId,
    parent: Parent<P::In>,
    span: Span,
    panes: P,
    kept: Mutex<Kept<P::Pane>>,
}

struct Kept<P> {
    /// In the order of their times, none of them empty.
    panes: VecDeque<(BatchTime, Arc<P>)>,
    /// The batch to which they were brought.
    time: Option<BatchTime>,
}

impl<P: Panes> WindowNode<P> {
    pub fn new(id: OperatorId, parent: Parent<P::In>, span: Span, panes: P) -> Self {
        Self { id, parent, span, panes, kept: Mutex::new(Kept { panes: VecDeque::new(), time: None }) }
    }

    fn lock(&self) -> MutexGuard<'_, Kept<P::Pane>> {
        // A panic of the author's function ends the driver: nobody comes after it.
        self.kept.lock().expect("the panes are not used after a panic")
    }
}

impl<P: Panes> Stateful for WindowNode<P> {
    fn id(&self) -> OperatorId {
        self.id
    }

    fn advance(&self, scope: &BatchScope<'_>) {
        let mut kept = self.lock();
        if kept.time == Some(scope.time) {
            return;
        }
        assert!(kept.time < Some(scope.time), "a window never goes back");
        while kept.panes.front().is_some_and(|(time, _)| self.span.is_behind(*time, scope.time)) {
            kept.panes.pop_front();
        }
        if self.span.takes(scope)
            && let Some(pane) = self.panes.keep(&self.parent.compute(scope))
        {
            kept.panes.push_back((scope.time, Arc::new(pane)));
        }
        kept.time = Some(scope.time);
    }

    fn freeze(&self) -> Vec<Chunk> {
        let chunk = |(time, pane): &(BatchTime, Arc<P::Pane>)| {
            let (time, pane) = (*time, pane.clone());
            Box::new(move || P::encode(time, &pane)) as Chunk
        };
        self.lock().panes.iter().map(chunk).collect()
    }

    fn restore(&self, chunks: &[&[u8]], hasher: KeyHasher) -> Result<(), String> {
        let mut kept = self.lock();
        for chunk in chunks {
            let (time, pane) = P::decode(chunk, hasher)?;
            if kept.panes.back().is_some_and(|(last, _)| *last >= time) {
                return Err("the batches of the window are out of order in it".into());
            }
            kept.panes.push_back((time, Arc::new(pane)));
        }
        Ok(())
    }
}

impl<P: Panes> Stream<P::Out> for WindowNode<P> {
    fn compute(&self, scope: &BatchScope<'_>) -> Rdd<P::Out> {
        self.advance(scope);
        let panes: Vec<_> = self.lock().panes.iter().map(|(_, pane)| pane.clone()).collect();
        match panes.is_empty() {
            true => scope.rdd(Vec::new()),
            false => scope.rdd(self.panes.cover(&scope.workers, &panes)),
        }
    }
}
