//! A window that is a function of its panes alone.

use super::span::Span;
use crate::{
    codec,
    dstream::{BatchScope, Chunk, Data, Parent, Partition, Rdd, Stateful, Stream, Workers, pieces::batch_of},
    ids::{BatchTime, OperatorId},
    state::KeyHasher,
};
use serde::de::DeserializeOwned;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

/// How a window keeps a batch of its parent, and what it makes of the batches that it covers.
pub(super) trait Panes: Send + Sync + 'static {
    type In: Data;
    type Out: Data;
    type Pane: Send + Sync;
    /// What a chunk of a snapshot has of a pane, beside its time.
    type Piece: DeserializeOwned;

    /// What is kept of a batch; nothing of one that is empty.
    fn keep(&self, batch: &Rdd<Self::In>) -> Option<Self::Pane>;
    /// The window's partitions: of panes in the order of their times, at least one.
    fn cover(&self, workers: &Workers, panes: &[Arc<Self::Pane>]) -> Vec<Partition<Self::Out>>;
    /// A pane's chunks of a snapshot, at least one, each its time and a piece.
    fn freeze(time: BatchTime, pane: &Arc<Self::Pane>) -> Vec<Chunk>;
    /// A pane before its first piece.
    fn begin() -> Self::Pane;
    /// Puts the next piece to a pane.
    fn put(pane: &mut Self::Pane, piece: Self::Piece, hasher: KeyHasher) -> Result<(), String>;
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
        self.lock().panes.iter().flat_map(|(time, pane)| P::freeze(*time, pane)).collect()
    }

    fn restore(&self, chunks: &[&[u8]], hasher: KeyHasher) -> Result<(), String> {
        let mut panes: Vec<(BatchTime, P::Pane)> = Vec::new();
        for chunk in chunks {
            let (time, piece): (BatchTime, P::Piece) =
                codec::decode(chunk).map_err(|error| error.to_string())?;
            let pane = batch_of(&mut panes, time, P::begin);
            P::put(pane.ok_or("the batches of the window are out of order in it")?, piece, hasher)?;
        }
        self.lock().panes = panes.into_iter().map(|(time, pane)| (time, Arc::new(pane))).collect();
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
