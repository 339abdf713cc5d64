//! Serves a script to one connection at a time, the newest.

use super::{AtEnd, Ledger, Mode};
use crate::{clock::Alarm, network::SimNetwork, world::Seat};
use highwater_core::env::{BoxFuture, Connection, Reader, Writer};
use std::future::pending;

/// Lines that are written at once when many are due, as after the driver was down.
const LINES_AT_ONCE: usize = 32;

/// Serves for ever.
pub(super) async fn serve(seat: Seat, address: String, ledger: Ledger) {
    let listener = SimNetwork::new(seat.clone()).listen_at(&address).await;
    let listener = listener.unwrap_or_else(|error| panic!("a source cannot listen at {address}: {error}"));
    let mut serving: Option<BoxFuture<'static, ()>> = None;
    loop {
        tokio::select! {
            biased;
            accepted = listener.accept_numbered() => {
                let (id, connection) = accepted.expect("accepting never fails");
                // Whoever was served before is dropped, and its connection closed.
                drop(serving.take());
                ledger.accepted(id);
                serving = Some(Box::pin(serve_one(seat.clone(), connection, ledger.clone())));
            }
            () = served(&mut serving) => serving = None,
        }
    }
}

async fn served(serving: &mut Option<BoxFuture<'static, ()>>) {
    match serving {
        Some(serving) => serving.await,
        None => pending().await,
    }
}

/// Ends when the connection does, in whatever way; both halves are dropped then.
async fn serve_one(seat: Seat, connection: Connection, ledger: Ledger) {
    let Connection { reader, mut writer } = connection;
    let mut messages = Messages { reader, buffer: Vec::new() };
    if ledger.mode == Mode::Resume {
        let Some(first) = messages.next().await else { return };
        match number_after(b"RESUME ", &first) {
            Some(n) => ledger.resumed(n),
            None => return ledger.malformed(&first),
        }
    }
    tokio::select! {
        biased;
        () = listen_to(&mut messages, &ledger) => {}
        () = send(&seat, &mut *writer, &ledger) => {}
    }
}

/// Until the driver's end of the stream, a reset, or nonsense.
async fn listen_to(messages: &mut Messages, ledger: &Ledger) {
    while let Some(message) = messages.next().await {
        match number_after(b"ACK ", &message) {
            Some(n) if ledger.mode == Mode::Resume => ledger.acknowledged(n),
            _ => return ledger.malformed(&message),
        }
    }
}

/// Until a write fails.
async fn send(seat: &Seat, writer: &mut dyn Writer, ledger: &Ledger) {
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        ledger.take_due(LINES_AT_ONCE, &mut bytes);
        if !bytes.is_empty() {
            if writer.write_all(&bytes).await.is_err() {
                return;
            }
        } else if let Some(due) = ledger.next_due() {
            Alarm::at(&seat.world, due).await;
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
