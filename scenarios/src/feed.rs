//! `highwater feed`: a file's lines over the network, for a pipeline to read. A text source for demonstrations and tests.
//!
//! - Plain mode (`tcp://`, as `nc -lk`): one client at a time, the others wait. A client gets the lines that no earlier
//!   one was sent, so what was under way when a connection broke is lost. A client that ends its side has left.
//! - Resume mode (`resume://`): a client first sends `RESUME n`, the number of lines that it has made durable, gets line
//!   n (counted from 0) and those after it, and sends `ACK n` each time that number has grown. The newest client wins: a
//!   driver that was restarted does not wait for the connection of its former life to break. A client that claims less
//!   than was acknowledged, or more than there is, is closed and reported: something was lost or mixed up.
//!
//! After the last line a connection stays open until its client leaves, and the feed listens until its future is dropped.
//! Each line is ended by a line feed, also one that the file ends without; lines are bytes. Nothing that a client sends
//! panics or fills memory. The file is held in memory; there is no authentication, as there is none in `nc`.

mod client;
mod lines;
mod pace;

#[cfg(test)]
mod tests;

pub use client::ClientError;
pub use lines::Lines;
pub use pace::{Rate, RateError};

use client::{Message, Messages};
use highwater_core::env::{BoxFuture, Connection, Env, Listener, Reader, Writer};
use pace::Pace;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::watch;

/// At most this much is written in one go (but at least one line), which bounds what plain mode loses beyond what the
/// transport holds.
const CHUNK_BYTES: usize = 64 * 1024;

/// The pause after a connection could not be accepted, for instance for want of file descriptors.
const ACCEPT_RETRY: Duration = Duration::from_secs(1);

/// What is served, and how.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The lines.
    pub lines: Arc<Lines>,
    /// How fast at most; as fast as the client reads if `None`.
    pub rate: Option<Rate>,
    /// Resume mode instead of plain mode.
    pub resume: bool,
}

/// How far a feed is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many connections there have been.
    pub connections: u64,
    /// How many lines, from the first on, have been handed to the transport for some client.
    pub sent: u64,
    /// How many lines, from the first on, a client has said to be durable. Always 0 in plain mode.
    pub acknowledged: u64,
}

/// Something to tell the one who watches; its `Display` is a line for a log.
#[derive(Debug)]
pub enum Notice {
    /// A client has connected.
    Connected,
    /// In resume mode a client continues after this many lines.
    Resumed(u64),
    /// A newer connection has taken the place of this one.
    Replaced,
    /// A client has left in order.
    Left,
    /// A connection failed, or its client was closed for what it said.
    Closed(ClientError),
    /// A connection could not be accepted; the feed tries again after a second.
    AcceptFailed(io::Error),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected => f.write_str("a client has connected"),
            Self::Resumed(lines) => write!(f, "the client continues after {lines} lines"),
            Self::Replaced => f.write_str("a newer connection replaces the client's"),
            Self::Left => f.write_str("the client has left"),
            Self::Closed(error) => write!(f, "the client's connection was closed: {error}"),
            Self::AcceptFailed(error) => write!(f, "a connection could not be accepted: {error}"),
        }
    }
}

/// What the sessions of a feed share.
struct Watch<'a> {
    progress: &'a watch::Sender<Progress>,
    report: &'a (dyn Fn(Notice) + Send + Sync),
}

impl Watch<'_> {
    fn sent(&self, lines: u64) {
        self.progress.send_modify(|progress| progress.sent = progress.sent.max(lines));
    }

    fn acknowledged(&self, lines: u64) {
        self.progress.send_modify(|progress| progress.acknowledged = progress.acknowledged.max(lines));
    }
}

impl Feed {
    /// Whether there is nothing left to do: all lines are acknowledged, or in plain mode sent.
    pub fn is_done(&self, progress: &Progress) -> bool {
        let count = if self.resume { progress.acknowledged } else { progress.sent };
        count >= self.lines.count()
    }

    /// Serves whoever connects, until the future is dropped, which closes the connection and the listener.
    ///
    /// `progress` follows the feed (and should start as its default); `report` hears what is worth a line in a log, and
    /// must not block.
    pub async fn serve(
        &self,
        env: &Env,
        mut listener: Box<dyn Listener>,
        progress: &watch::Sender<Progress>,
        report: &(dyn Fn(Notice) + Send + Sync),
    ) -> Infallible {
        let watch = &Watch { progress, report };
        // In plain mode, how many lines have been offered to some client: those are not offered again.
        let offered = &AtomicU64::new(0);
        let mut session: Option<BoxFuture<'_, Result<(), ClientError>>> = None;
        let mut pause = Duration::ZERO;
        loop {
            // The same attempt is kept while sessions end: the listener does not promise that dropping it loses nothing.
            let mut accepting = Box::pin(async {
                env.clock.sleep(pause).await;
                listener.accept().await
            });
            let accepted = loop {
                let free = self.resume || session.is_none();
                let serving = async {
                    match &mut session {
                        Some(session) => session.await,
                        None => std::future::pending().await,
                    }
                };
                // In order of age, so that a simulation repeats, and so that the end of a session is seen before a new one.
                tokio::select! {
                    biased;
                    outcome = serving => {
                        session = None;
                        report(outcome.map_or_else(Notice::Closed, |()| Notice::Left));
                    }
                    accepted = &mut accepting, if free => break accepted,
                }
            };
            drop(accepting);
            match accepted {
                Ok(connection) => {
                    pause = Duration::ZERO;
                    if session.take().is_some() {
                        report(Notice::Replaced);
                    }
                    progress.send_modify(|progress| progress.connections += 1);
                    report(Notice::Connected);
                    session = Some(if self.resume {
                        Box::pin(self.serve_resume(env, connection, watch))
                    } else {
                        Box::pin(self.serve_plain(env, connection, watch, offered))
                    });
                }
                Err(error) => {
                    report(Notice::AcceptFailed(error));
                    pause = ACCEPT_RETRY;
                }
            }
        }
    }

    async fn serve_plain(
        &self,
        env: &Env,
        connection: Connection,
        watch: &Watch<'_>,
        offered: &AtomicU64,
    ) -> Result<(), ClientError> {
        let Connection { reader, writer } = connection;
        let outcome = tokio::select! {
            biased;
            left = discard(reader) => left,
            error = self.send(env, writer, watch, offered) => Err(error),
        };
        // What was under way is lost; whoever waits for the last line must not wait for ever.
        watch.sent(offered.load(Relaxed));
        Ok(outcome?)
    }

    async fn serve_resume(
        &self,
        env: &Env,
        connection: Connection,
        watch: &Watch<'_>,
    ) -> Result<(), ClientError> {
        let Connection { reader, writer } = connection;
        let mut messages = Messages::new(reader);
        let durable = match messages.next().await? {
            None => return Ok(()),
            Some(Message::Resume(lines)) => lines,
            Some(Message::Ack(_)) => return Err(ClientError::ResumeExpected),
        };
        let acknowledged = watch.progress.borrow().acknowledged;
        if durable < acknowledged {
            return Err(ClientError::ResumeBelowAck { resume: durable, acknowledged });
        }
        if durable > self.lines.count() {
            return Err(ClientError::ResumeBeyondEnd { resume: durable, lines: self.lines.count() });
        }
        watch.acknowledged(durable);
        (watch.report)(Notice::Resumed(durable));
        let offered = &AtomicU64::new(durable);
        tokio::select! {
            biased;
            left = acknowledge(&mut messages, watch, offered) => left,
            error = self.send(env, writer, watch, offered) => Err(error.into()),
        }
    }

    /// Sends the lines from `offered` on, at the feed's rate, then keeps the connection open. Returns only an error.
    ///
    /// `offered` goes ahead of the writing: a line counts as offered from the moment in which the client may get it.
    async fn send(
        &self,
        env: &Env,
        mut writer: Box<dyn Writer>,
        watch: &Watch<'_>,
        offered: &AtomicU64,
    ) -> io::Error {
        let mut pace = Pace::new(self.rate, env.clock.monotonic());
        let mut next = offered.load(Relaxed);
        while next < self.lines.count() {
            let allowed = pace.allowed(env.clock.monotonic());
            if allowed == 0 {
                env.clock.sleep_until(pace.due()).await;
                continue;
            }
            let (end, bytes) = self.lines.chunk(next, allowed, CHUNK_BYTES);
            pace.spend(end - next);
            offered.store(end, Relaxed);
            if let Err(error) = writer.write_all(bytes).await {
                return error;
            }
            watch.sent(end);
            next = end;
        }
        std::future::pending().await
    }
}

/// Reads what nobody asked for until the client leaves.
async fn discard(mut reader: Box<dyn Reader>) -> io::Result<()> {
    let mut buffer = Vec::new();
    while reader.read(&mut buffer, 4_096).await? > 0 {
        buffer.clear();
    }
    Ok(())
}

/// Follows a client's acknowledgements until it leaves.
async fn acknowledge(
    messages: &mut Messages,
    watch: &Watch<'_>,
    offered: &AtomicU64,
) -> Result<(), ClientError> {
    while let Some(message) = messages.next().await? {
        let Message::Ack(ack) = message else { return Err(ClientError::ResumeTwice) };
        let (acknowledged, offered) = (watch.progress.borrow().acknowledged, offered.load(Relaxed));
        if ack > offered {
            return Err(ClientError::AckBeyondSent { ack, sent: offered });
        }
        if ack < acknowledged {
            return Err(ClientError::AckWentBack { ack, acknowledged });
        }
        watch.acknowledged(ack);
    }
    Ok(())
}
