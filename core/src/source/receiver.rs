//! An author's own source: [`Receiver`], and what it holds while it runs.

use super::{
    BlockData, LoadedBlock, NewBlock, Position, ReceiverSupervisor, Source,
    records::{decode, encode},
};
use crate::{
    codec,
    dstream::Stored,
    env::{BoxFuture, Env},
    error::{Error, Result},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{future::Future, marker::PhantomData, sync::Arc, time::Duration};

/// What a receiver may fail with: anything. An [`Error`] that the context told is passed on as it is.
pub type ReceiverError = Box<dyn std::error::Error + Send + Sync>;

/// A source of the author's own, used by
/// [`StreamingContext::receiver_stream`](crate::StreamingContext::receiver_stream).
///
/// It runs beside the batches, one task a receiver, and hands over what it has with [`ReceiverContext::store`]. When that
/// returns, the records are durable: they will be in exactly one batch, whatever fails. With them it stores how far it is, in its
/// own terms, and is asked to go on from there after a restart.
///
/// - A *reliable* receiver tells its other side only then that it has the records, and asks for what comes after
///   [`ReceiverContext::position`] when it starts: nothing is lost, nothing comes twice. Where the other side cannot go back by
///   itself, it repeats what was not acknowledged, and the receiver drops what its position says it has.
/// - An *unreliable* one has nobody to tell, or tells before: what it took and has not stored is lost in a crash. Its position
///   can be `()`.
///
/// A block is what one call of `store` gets, and costs a sync or shares one: gather what comes in, say, 200 ms. A batch gets the
/// blocks that were stored before its tick, each as one partition.
///
/// ```no_run
/// use highwater_core::{
///     Options, StreamingContext,
///     source::{Receiver, ReceiverContext, ReceiverError},
/// };
/// use std::time::Duration;
///
/// /// A source that has all numbers, and can begin anywhere.
/// struct Numbers;
///
/// impl Receiver for Numbers {
///     type Record = u64;
///     type Position = u64;
///
///     async fn receive(&self, context: &mut ReceiverContext<Self>) -> Result<(), ReceiverError> {
///         let mut next = context.position()?.unwrap_or(0);
///         while !context.is_stopping() {
///             let records = (next..next + 100).collect();
///             next += 100;
///             context.store(records, next).await?;
///             // Here a reliable receiver acknowledges: the records below `next` are durable.
///             context.sleep(Duration::from_millis(200)).await;
///         }
///         Ok(())
///     }
/// }
///
/// # fn program(env: &highwater_core::env::Env) -> Result<(), highwater_core::Error> {
/// let context = StreamingContext::new(env, Options::default())?;
/// context.receiver_stream(Numbers).filter(|n| n % 7 == 0).for_each_batch(|batch| println!("{batch:?}"));
/// # Ok(())
/// # }
/// ```
pub trait Receiver: Send + Sync + Sized + 'static {
    /// What it receives.
    type Record: Stored;
    /// How far it is.
    type Position: Serialize + DeserializeOwned + Send + 'static;

    /// Receives and stores until [`ReceiverContext::is_stopping`], then ends. One that ends before has no more records; the
    /// batches go on without it.
    ///
    /// It is dropped at any `await` when the driver fails or is cut off. The world is [`ReceiverContext::env`]: one that keeps to it
    /// can be simulated.
    ///
    /// # Errors
    /// End the driver: what makes going on pointless. A peer that is gone does not; try again.
    fn receive(
        &self,
        context: &mut ReceiverContext<Self>,
    ) -> impl Future<Output = std::result::Result<(), ReceiverError>> + Send;
}

/// What a running [`Receiver`] holds.
pub struct ReceiverContext<R> {
    supervisor: ReceiverSupervisor,
    /// A block on its way to the journal.
    storing: Option<BoxFuture<'static, Result<()>>>,
    receiver: PhantomData<fn() -> R>,
}

impl<R> std::fmt::Debug for ReceiverContext<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReceiverContext(source {})", self.supervisor.source())
    }
}

impl<R: Receiver> ReceiverContext<R> {
    /// The world: clock, network, disk.
    pub fn env(&self) -> &Env {
        self.supervisor.env()
    }

    /// The position that was stored last, in this life or an earlier one; `None` if nothing was stored yet.
    ///
    /// # Errors
    /// [`Error::OtherPipeline`] if it is no such position.
    pub fn position(&self) -> Result<Option<R::Position>> {
        self.supervisor.position().map(|position| self.supervisor.decode_position(position)).transpose()
    }

    /// Makes records durable, with the position after them. When this returns, they will be in exactly one batch, whatever fails.
    /// Waits while too much is received and not yet processed.
    ///
    /// If the future is dropped before it is done, the records are stored all the same: by the next call, or when
    /// [`Receiver::receive`] returns.
    ///
    /// # Errors
    /// Whatever kept them from being durable: then nothing may be acknowledged. [`Error::Fenced`] if a newer driver has started;
    /// [`Error::Receiver`] if the records and the position, encoded, are more than 1 GiB less 1 KiB.
    ///
    /// # Panics
    /// If the `Serialize` of a record or of the position fails.
    pub async fn store(&mut self, records: Vec<R::Record>, position: R::Position) -> Result<()> {
        self.finish().await?;
        let block = NewBlock {
            data: encode(&records),
            records: records.len() as u64,
            position: Some(Position(codec::encode(&position))),
        };
        self.storing = Some(self.supervisor.store(block));
        self.finish().await
    }

    /// Waits for the block that is on its way.
    async fn finish(&mut self) -> Result<()> {
        if let Some(storing) = &mut self.storing {
            let stored = storing.await;
            self.storing = None;
            stored?;
        }
        Ok(())
    }

    /// Whether the driver is stopping in order.
    pub fn is_stopping(&self) -> bool {
        self.supervisor.is_stopping()
    }

    /// Completes when the driver is stopping in order: for a `select!` beside whatever else is waited for.
    pub fn stopping(&self) -> impl Future<Output = ()> + Send + use<R> {
        self.supervisor.stopping()
    }

    /// Waits for so long, or until the driver is stopping.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<R> {
        let (stopping, sleep) = (self.stopping(), self.env().clock.sleep(duration));
        async move {
            tokio::select! {
                biased;
                () = stopping => {}
                () = sleep => {}
            }
        }
    }

    /// Makes sure that no newer driver has started: for a receiver that takes away what it reads. One that was replaced could not
    /// keep it.
    ///
    /// # Errors
    /// [`Error::Fenced`] if one has, [`Error::Disk`].
    pub fn check_fence(&self) -> BoxFuture<'static, Result<()>> {
        self.supervisor.check_fence()
    }
}

/// A receiver as the engine runs it.
pub(crate) struct ReceiverSource<R>(pub R);

impl<R: Receiver> ReceiverSource<R> {
    async fn run(&self, supervisor: ReceiverSupervisor) -> Result<()> {
        let stream = supervisor.source();
        let mut context = ReceiverContext { supervisor, storing: None, receiver: PhantomData };
        let received = self.0.receive(&mut context).await;
        received.map_err(|source| match source.downcast::<Error>() {
            Ok(error) => *error,
            Err(source) => Error::Receiver { stream, source },
        })?;
        context.finish().await
    }
}

impl<R: Receiver> Source for ReceiverSource<R> {
    fn receive(self: Arc<Self>, supervisor: ReceiverSupervisor) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move { self.run(supervisor).await })
    }

    fn load<'a>(&'a self, _env: &'a Env, data: Arc<BlockData>) -> BoxFuture<'a, Result<LoadedBlock>> {
        Box::pin(async move { decode::<R::Record>(&data) })
    }
}
