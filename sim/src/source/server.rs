//! Serves a script to one connection at a time, the newest, and listens to the older ones.

use super::{AtEnd, Ledger, Mode};
use crate::{clock::Alarm, network::SimNetwork, world::Seat};
use highwater_core::env::{BoxFuture, Connection, Reader, Writer};
use std::{
    convert::Infallible,
    future::{pending, poll_fn},
    pin::pin,
    task::Poll,
};
use tokio::sync::{Notify, oneshot};

/// Lines that are written at once when many are due, as after the driver was down.
const LINES_AT_ONCE: usize = 32;

/// Serves for ever.
pub(super) async fn serve(seat: Seat, address: String, ledger: Ledger) {
    let listener = SimNetwork::new(seat.clone()).listen_at(&address).await;
    let listener = listener.unwrap_or_else(|error| panic!("a source cannot listen at {address}: {error}"));
    let mut serving: Vec<BoxFuture<'static, ()>> = Vec::new();
    let mut newest: Option<oneshot::Sender<()>> = None;
    loop {
        tokio::select! {
            biased;
            accepted = listener.accept_numbered() => {
                let (id, connection) = accepted.expect("accepting never fails");
                let number = ledger.accepted(id);
                let (replace, replaced) = oneshot::channel();
                if let Some(older) = newest.replace(replace) {
                    // It may be over already.
                    let _ = older.send(());
                }
                serving.push(Box::pin(serve_one(seat.clone(), connection, ledger.clone(), number, replaced)));
            }
            never = serve_all(&mut serving) => match never {},
        }
    }
}

async fn serve_all(serving: &mut Vec<BoxFuture<'static, ()>>) -> Infallible {
    poll_fn(|context| {
        serving.retain_mut(|one| one.as_mut().poll(context).is_pending());
        Poll::Pending
    })
    .await
}

/// Ends when the connection does, in whatever way; both halves are dropped then. One that is replaced by a newer one is listened to
/// as long as it lasts, and sent nothing more.
async fn serve_one(
    seat: Seat,
    connection: Connection,
    ledger: Ledger,
    number: usize,
    replaced: oneshot::Receiver<()>,
) {
    let Connection { reader, mut writer } = connection;
    let resumed = Notify::new();
    let mut listening = pin!(listen_to(reader, &ledger, number, &resumed));
    tokio::select! {
        biased;
        () = &mut listening => return,
        _ = replaced => {}
        () = send(&seat, &mut *writer, &ledger, &resumed) => return,
    }
    drop(writer);
    listening.await;
}

/// Until the driver's end of the stream, an error, or nonsense.
async fn listen_to(reader: Box<dyn Reader>, ledger: &Ledger, number: usize, resumed: &Notify) {
    let mut messages = Messages { reader, buffer: Vec::new() };
    if ledger.mode == Mode::Resume {
        let Some(first) = messages.next().await else { return };
        match number_after(b"RESUME ", &first) {
            Some(n) => ledger.resumed(number, n),
            None => return ledger.malformed(&first),
        }
        resumed.notify_one();
    }
    while let Some(message) = messages.next().await {
        match number_after(b"ACK ", &message) {
            Some(n) if ledger.mode == Mode::Resume => ledger.acknowledged(number, n),
            _ => return ledger.malformed(&message),
        }
    }
}

/// Until a write fails.
async fn send(seat: &Seat, writer: &mut dyn Writer, ledger: &Ledger, resumed: &Notify) {
    if ledger.mode == Mode::Resume {
        resumed.notified().await;
    }
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        ledger.take_due(LINES_AT_ONCE, &mut bytes);
        if !bytes.is_empty() {
            if writer.write_all(&bytes).await.is_err() {
                return;
            }
        } else if let Some(due) = ledger.next_due() {
            tokio::select! {
                biased;
                () = ledger.all_due() => {}
                () = Alarm::at(&seat.world, due) => {}
            }
        } else {
            if ledger.script.at_end == AtEnd::Finish && writer.finish().await.is_err() {
                return;
            }
            return pending().await;
        }
    }
}

fn number_after(word: &[u8], message: &[u8]) -> Option<u64> {
    std::str::from_utf8(message.strip_prefix(word)?).ok()?.parse().ok()
}

/// The messages of a driver, one a line.
struct Messages {
    reader: Box<dyn Reader>,
    buffer: Vec<u8>,
}

impl Messages {
    async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let mut message: Vec<u8> = self.buffer.drain(..=end).collect();
                message.pop();
                return Some(message);
            }
            match self.reader.read(&mut self.buffer, 4096).await {
                Ok(read) if read > 0 => {}
                _ => return None,
            }
        }
    }
}
