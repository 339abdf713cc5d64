//! What a running source holds: the way to make its blocks durable, and to learn that it shall end.
//!
//! What an author's receiver gets of it, typed, is [`ReceiverContext`](super::ReceiverContext).

use super::{NewBlock, Position};
use crate::{
    batch::Backlog,
    codec,
    env::{BoxFuture, Env},
    error::{Error, Result},
    event::Event,
    flag::Flag,
    ids::SourceId,
    listeners::Listeners,
};
use serde::de::DeserializeOwned;
use std::{future::Future, sync::Arc};

/// The most bytes of a block and its position together: what a record of the journal takes, but for its other fields.
pub(super) const BLOCK_BYTES_MAX: usize = codec::PAYLOAD_BYTES_MAX - (1 << 10);

/// The engine's side of a running source.
pub(crate) struct ReceiverSupervisor {
    env: Env,
    source: SourceId,
    backlog: Arc<Backlog>,
    stop: Flag,
    listeners: Listeners,
}

impl ReceiverSupervisor {
    pub fn new(env: Env, source: SourceId, backlog: Arc<Backlog>, stop: Flag, listeners: Listeners) -> Self {
        Self { env, source, backlog, stop, listeners }
    }

    /// The world.
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// The source that this belongs to.
    pub fn source(&self) -> SourceId {
        self.source
    }

    /// The position after the last stored block, of this life or an earlier one.
    pub fn position(&self) -> Option<Position> {
        self.backlog.position(self.source)
    }

    /// Decodes a position that this source encoded.
    ///
    /// # Errors
    /// [`Error::OtherPipeline`] if it is no such position.
    pub fn decode_position<T: DeserializeOwned>(&self, position: Position) -> Result<T> {
        codec::decode(&position.0).map_err(|error| Error::OtherPipeline {
            directory: self.backlog.directory().to_owned(),
            difference: format!("source {} finds a position that is not its own ({error})", self.source),
        })
    }

    /// Makes a block durable. When this returns, the block will be in exactly one batch, whatever fails. Waits while too
    /// much is received and not yet processed.
    ///
    /// # Errors
    /// [`Error::Receiver`] for a block of more than [`BLOCK_BYTES_MAX`]; whatever kept it from being durable: then nothing may be acknowledged.
    pub fn store(&self, block: NewBlock) -> BoxFuture<'static, Result<()>> {
        let (backlog, source) = (self.backlog.clone(), self.source);
        let listeners = self.listeners.clone();
        Box::pin(async move {
            let position_bytes = block.position.as_ref().map_or(0, |position| position.0.len());
            fits(source, block.data.bytes() + position_bytes)?;
            backlog.store(source, block, &listeners).await
        })
    }

    /// Makes sure that no newer driver has started: an older one takes nothing from the source any more, since it could not keep it.
    ///
    /// # Errors
    /// [`Error::Fenced`] if one has, [`Error::Disk`].
    pub fn check_fence(&self) -> BoxFuture<'static, Result<()>> {
        let backlog = self.backlog.clone();
        Box::pin(async move { backlog.check_fence().await })
    }

    /// Whether the driver is stopping.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_raised()
    }

    /// Completes when the driver is stopping.
    pub fn stopping(&self) -> impl Future<Output = ()> + Send + use<> {
        let stop = self.stop.clone();
        async move { stop.raised().await }
    }

    /// Waits for `sleep` to end or the driver to stop.
    pub async fn sleep_or_stop(&self, sleep: BoxFuture<'static, ()>) {
        tokio::select! {
            biased;
            () = self.stopping() => {}
            () = sleep => {}
        }
    }

    /// Tells the listeners.
    pub fn tell(&self, event: Event) {
        self.listeners.tell(&event);
    }
}

/// # Errors
/// [`Error::Receiver`] if a block of so many bytes is more than the journal takes.
fn fits(stream: SourceId, bytes: usize) -> Result<()> {
    if bytes <= BLOCK_BYTES_MAX {
        return Ok(());
    }
    let reason = format!(
        "a block of {bytes} bytes with its position, the most is {BLOCK_BYTES_MAX}; nothing of it was stored: store fewer \
         records at a time"
    );
    Err(Error::Receiver { stream, source: reason.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_the_journal_does_not_take_is_an_error_that_says_what_to_do() {
        assert!(fits(SourceId(0), BLOCK_BYTES_MAX).is_ok());
        let error = fits(SourceId(3), BLOCK_BYTES_MAX + 1).unwrap_err().to_string();
        assert!(error.starts_with("the receiver of source 3 failed: a block of 1073740801 bytes"), "{error}");
        assert!(error.ends_with("store fewer records at a time"), "{error}");
    }
}
