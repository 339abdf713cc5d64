//! Output operations: where a graph meets its sinks.

use super::{BatchScope, DStream, Data, Derived, OperatorKind, Parent, Rdd};
use crate::{
    env::{BoxFuture, Env},
    ids::Interval,
    sink::{
        Batch, BatchInfo, ForEachBatch, Print, Sink, SinkError, SinkFinding, SinkPosition, TextDirectories,
        TextFile, TextRecord,
    },
};
use std::{any::Any, path::PathBuf, sync::Arc};

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

    /// Shows the first 10 records of every batch on the standard output, as Spark's `print` does. See
    /// [`print_first`](Self::print_first).
    pub fn print(self)
    where
        T: TextRecord,
    {
        self.print_first(10);
    }

    /// Shows the first `count` records of every batch on the standard output, below the batch's time; three points tell that there
    /// are more. Of the batch only the partitions that hold these records are computed for it. After a crash a batch may be
    /// shown again.
    pub fn print_first(self, count: usize)
    where
        T: TextRecord,
    {
        let parent = self.stream;
        let first = move |scope: &BatchScope<'_>| {
            let rdd = parent.compute(scope);
            Rdd::of_parts(vec![rdd.take(count.saturating_add(1))], rdd.workers)
        };
        DStream { stream: Arc::new(Derived(first)), ..self }.output(Print::new(count));
    }

    /// Writes every batch into a directory of its own, `PREFIX-TIME.SUFFIX` with the batch's time in milliseconds: the records in
    /// `part-00000`, a line each, none if there are no records; then `_SUCCESS`, with their number. The part is there once, whole and
    /// durable, before `_SUCCESS` is, whatever fails meanwhile; a batch that is emitted again replaces what it has left.
    ///
    /// `prefix` may lead through directories, which are made; an empty `suffix` or `prefix` is left out. Every output needs its own.
    /// Nothing is ever removed, and a `part-00000` or `_SUCCESS` that somebody else has put there is an error.
    pub fn save_as_text_files(self, prefix: impl Into<String>, suffix: impl Into<String>)
    where
        T: TextRecord,
    {
        self.output(TextDirectories::new(prefix.into(), suffix.into()));
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
