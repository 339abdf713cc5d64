//! A sink whose output is shown to somebody too.
//!
//! The bytes are computed once, and are shown after they were emitted; to the engine it is the inner sink. The function that
//! shows them runs on the driver's own tasks, so it must not block.

use highwater_core::{
    Data,
    env::{BoxFuture, Env},
    sink::{Batch, BatchInfo, Sink, SinkError, SinkFinding, SinkPosition},
};

/// A sink of bytes, and a function that gets what it emits.
pub struct Echo<S, F> {
    sink: S,
    show: F,
}

impl<S, F> Echo<S, F> {
    /// Shows what `sink` emits to `show`, which must not block.
    pub fn new(sink: S, show: F) -> Self {
        Self { sink, show }
    }
}

impl<T, S, F> Sink<T> for Echo<S, F>
where
    T: Data,
    S: Sink<T, Prepared = Vec<u8>>,
    F: Fn(&[u8]) + Send + Sync + 'static,
{
    type Prepared = Vec<u8>;

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

    fn prepare(&self, batch: Batch<T>) -> Vec<u8> {
        self.sink.prepare(batch)
    }

    fn emit(&mut self, info: BatchInfo, bytes: Vec<u8>) -> BoxFuture<'_, Result<SinkPosition, SinkError>> {
        Box::pin(async move {
            let shown = bytes.clone();
            let position = self.sink.emit(info, bytes).await?;
            (self.show)(&shown);
            Ok(position)
        })
    }

    fn sync(&mut self) -> BoxFuture<'_, Result<(), SinkError>> {
        self.sink.sync()
    }
}
