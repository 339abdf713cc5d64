//! `for_each_batch`: a function as a sink. What it did is durable, as far as the engine knows, when it returns.

use super::{Batch, BatchInfo, Sink, SinkError, SinkPosition};
use crate::{
    dstream::Data,
    env::{BoxFuture, Env},
};
use std::sync::Arc;

pub(crate) struct ForEachBatch<F> {
    f: Arc<F>,
    env: Option<Env>,
}

impl<F> ForEachBatch<F> {
    pub fn new(f: F) -> Self {
        Self { f: Arc::new(f), env: None }
    }
}

impl<T: Data, F: Fn(Batch<T>) + Send + Sync + 'static> Sink<T> for ForEachBatch<F> {
    type Prepared = Batch<T>;

    fn open<'a>(
        &'a mut self,
        env: &'a Env,
        _at: Option<SinkPosition>,
    ) -> BoxFuture<'a, Result<SinkPosition, SinkError>> {
        self.env = Some(env.clone());
        Box::pin(async { Ok(SinkPosition::default()) })
    }

    fn prepare(&self, batch: Batch<T>) -> Batch<T> {
        batch
    }

    fn emit(&mut self, _info: BatchInfo, batch: Batch<T>) -> BoxFuture<'_, Result<SinkPosition, SinkError>> {
        Box::pin(async move {
            let f = self.f.clone();
            let env = self.env.as_ref().expect("a sink is opened before it emits");
            env.executor.compute(Box::new(move || f(batch))).await?;
            Ok(SinkPosition::default())
        })
    }

    fn sync(&mut self) -> BoxFuture<'_, Result<(), SinkError>> {
        Box::pin(async { Ok(()) })
    }
}
