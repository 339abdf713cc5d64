//! Output operations: where a graph meets its sinks.

use super::{BatchScope, DStream, Data, OperatorKind, Parent};
use crate::{
    env::{BoxFuture, Env},
    ids::Interval,
    sink::{Batch, BatchInfo, ForEachBatch, Sink, SinkError, SinkFinding, SinkPosition, TextFile},
};
use std::{any::Any, path::PathBuf};

/// A batch's output, computed and not yet emitted.
pub(crate) type Prepared = Box<dyn Any + Send>;

/// An output operation without its types.
pub(crate) trait OutputOperation: Send {
    fn open<'a>(
        &'a mut self,
        env: &'a Env,
        at: Option<SinkPosition>,
    ) -> BoxFuture<'a, Result<SinkPosition, SinkError>>;
    fn name(&self) -> String;
    fn finding(&self) -> Option<SinkFinding>;
    /// `None` where the stream has no batch at this time.
    fn prepare(&self, scope: &BatchScope<'_>, info: BatchInfo) -> Option<Prepared>;
    fn emit(&mut self, info: BatchInfo, prepared: Prepared)
    -> BoxFuture<'_, Result<SinkPosition, SinkError>>;
    fn sync(&mut self) -> BoxFuture<'_, Result<(), SinkError>>;
}

struct Output<T, S> {
    stream: Parent<T>,
    slide: Interval,
    sink: S,
}

impl<T: Data, S: Sink<T>> OutputOperation for Output<T, S> {
    fn open<'a>(
        &'a mut self,
        env: &'a Env,
        at: Option<SinkPosition>,
    ) -> BoxFuture<'a, Result<SinkPosition, SinkError>> {
        self.sink.open(env, at)
    }

    fn name(&self) -> String {
        self.sink.name()
    }

    fn finding(&self) -> Option<SinkFinding> {
        self.sink.finding()
    }

    fn prepare(&self, scope: &BatchScope<'_>, info: BatchInfo) -> Option<Prepared> {
        scope.is_due(self.slide).then(|| {
            let records = self.stream.compute(scope).collect();
            Box::new(self.sink.prepare(Batch { info, records })) as Prepared
        })
    }

    fn emit(
        &mut self,
        info: BatchInfo,
        prepared: Prepared,
    ) -> BoxFuture<'_, Result<SinkPosition, SinkError>> {
        let prepared = prepared.downcast().expect("emit gets what prepare made");
        self.sink.emit(info, *prepared)
    }

    fn sync(&mut self) -> BoxFuture<'_, Result<(), SinkError>> {
        self.sink.sync()
    }
}

impl<T: Data> DStream<T> {
    /// Emits every batch to `sink`.
    pub fn output(self, sink: impl Sink<T>) {
        let mut builder = self.builder.lock();
        let id = builder.add(OperatorKind::Output.into(), &[self.id]);
        builder.add_output(id, Box::new(Output { stream: self.stream, slide: self.slide, sink }));
    }

    /// Calls `f` with every batch: at least once, with the same records in the same order if again. `f` may block.
    pub fn for_each_batch(self, f: impl Fn(Batch<T>) + Send + Sync + 'static) {
        self.output(ForEachBatch::new(f));
    }

    /// Appends what `format` makes of every batch to the file at `path`. The file is the pipeline's own: after a crash, what
    /// stands in it behind the last durably completed batch is cut off, and emitted again.
    pub fn write_text(
        self,
        path: impl Into<PathBuf>,
        format: impl Fn(&Batch<T>) -> String + Send + Sync + 'static,
    ) {
        self.output(TextFile::new(path.into(), format));
    }
}
