//! The simulated network, and the seam that the engine sees of it.
//!
//! TCP as an application can tell it from outside: bytes in order, each write under way for a latency of 0.2 to 5 ms
//! that the world draws once (with a jitter of an eighth), a send buffer of bounded size, an orderly end in each
//! direction, resets. A process that dies closes its connections as the operating system does: in order if everything
//! received was read, with a reset otherwise. A machine that loses power tells nobody: its peer learns it from the reset
//! that answers its next write.
//!
//! Keep-alive finds out, at either end, that the other cannot be reached. An attempt to connect gets no answer while the two
//! sides are cut off from each other, and fails when the operating system's patience is over.
//!
//! - `pipe` is one direction of a connection, `connection` is the whole as a pure state, with the faults that wait for it; `net` is
//!   all of them and the listening addresses. This file is the seam: it waits, counts the operation when it completes, lets a planned
//!   crash hit it, and is dead once the life that opened the handle is over.
//!
//! Left out: lost packets (TCP hides them as latency), partitions between more than two parties, keep-alive towards a machine that
//! lost power (its peer learns it from its next write alone).

mod connection;
mod net;
mod pipe;

pub use connection::SeenEnd;
pub(crate) use connection::Side;
pub(crate) use net::Net;
pub use net::{ConnectionId, ConnectionRecord};

use crate::{
    clock::Alarm,
    fault::{Hit, Moment, NetworkOperation, injected},
    world::{DueCrash, Entered, Event, Seat, State, VirtualTime},
};
use connection::{Readable, Written};
use highwater_core::env::{BoxFuture, Connection, Listener, Network, Reader, Writer, host_and_port};
use std::{
    future::{Future, poll_fn},
    io,
    pin::Pin,
    task::{Context, Poll},
};

/// How long an operating system goes on trying to connect, in milliseconds.
pub(crate) const CONNECT_PATIENCE_MS: u64 = 130_000;
/// When keep-alive finds out that a peer is gone, in milliseconds after the last that was heard of it.
pub(crate) const KEEPALIVE_MS: u64 = highwater_core::env::KEEPALIVE.as_millis() as u64;
/// How often keep-alive asks a peer that says nothing.
pub(crate) const PROBE_MS: u64 = 5_000;

/// The network as one life of a node sees it.
#[derive(Clone)]
pub struct SimNetwork {
    seat: Seat,
}

/// What an attempt at an operation came to.
enum Attempt<T> {
    Done(T),
    /// Nothing yet; worth another look at this time, or when the world wakes the task.
    Wait(Option<VirtualTime>),
    /// The process stands still before it: it is attempted anew after that.
    Halted,
    Crashed,
    Dead,
}

impl Seat {
    /// Attempts an operation until it is done. A life that is over waits for ever.
    async fn attempt<T>(&self, mut once: impl FnMut(&mut Context<'_>) -> Attempt<T>) -> T {
        let mut alarm: Option<Alarm> = None;
        let done = poll_fn(|context| {
            loop {
                match once(context) {
                    Attempt::Done(value) => return Poll::Ready(Some(value)),
                    Attempt::Crashed => return Poll::Ready(None),
                    Attempt::Halted => {
                        context.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    Attempt::Dead | Attempt::Wait(None) => return Poll::Pending,
                    Attempt::Wait(Some(at)) => {
                        if alarm.as_ref().is_none_or(|alarm| alarm.deadline() != at) {
                            alarm = Some(Alarm::at(&self.world, at));
                        }
                        let alarm = alarm.as_mut().expect("it was set");
                        if Pin::new(alarm).poll(context).is_pending() {
                            return Poll::Pending;
                        }
                    }
                }
            }
        });
        match done.await {
            // Also of a process that stands still from here on: a read that took bytes must not be dropped with them.
            Some(value) => value,
            None => self.die().await,
        }
    }

    /// Completes an operation that takes effect as a whole: counts it, and lets a crash come before or after it.
    fn complete<T>(
        &self,
        state: &mut State,
        operation: NetworkOperation,
        act: impl FnOnce(&mut State, VirtualTime) -> io::Result<T>,
    ) -> Attempt<io::Result<T>> {
        let at = self.world.now();
        let Some(entered) = state.enter_network(self, operation, at) else { return Attempt::Dead };
        if entered.halted == Some(Moment::Before) && entered.crash.is_none() {
            return Attempt::Halted;
        }
        let result = match entered.crash {
            Some(DueCrash { moment: Moment::Before, .. }) => None,
            _ => Some(act(state, at)),
        };
        let outcome = result.as_ref().map_or(2, |result| u64::from(result.is_err()));
        state.note(Event::Network, self, at, [operation as u64, entered.number, outcome]);
        state.trace_network(self, at, entered.number, operation);
        match (entered.crash, result) {
            (Some(DueCrash { fault, .. }), _) => {
                let hit = Hit::Network { number: entered.number, operation };
                state.crash(fault, self.node, self.life, at, hit);
                Attempt::Crashed
            }
            // At a byte of the connection.
            (None, _) if state.is_doomed(self.node) => Attempt::Crashed,
            (None, result) => Attempt::Done(result.expect("what nothing hit has a result")),
        }
    }
}

/// An attempt to connect under way. Whoever drops it has given up, and nothing of it is left.
struct Connecting {
    /// When the answer is there, if the other side can be reached by then.
    answered_at: VirtualTime,
    given_up_at: VirtualTime,
    /// The fault that keeps the answer away.
    kept_by: Option<usize>,
    /// The fault that refuses it.
    refused: Option<usize>,
}

impl Connecting {
    fn start(state: &mut State, seat: &Seat, now: VirtualTime) -> Self {
        let nanos = |millis: u64| millis.saturating_mul(1_000_000);
        let Attempted { hangs_ms, hangs_by, refused } = state.attempt_to_connect(seat, now);
        let heard_at = now.after_nanos(nanos(hangs_ms));
        Self {
            answered_at: heard_at.after_nanos(2 * state.net.line(heard_at).latency_nanos),
            given_up_at: now.after_nanos(nanos(CONNECT_PATIENCE_MS)),
            kept_by: hangs_by,
            refused,
        }
    }
}

/// What the plan has for an attempt to connect.
#[derive(Default)]
pub(crate) struct Attempted {
    /// It gets no answer for so long.
    pub hangs_ms: u64,
    /// The fault that does this.
    pub hangs_by: Option<usize>,
    /// The fault that refuses it.
    pub refused: Option<usize>,
}

impl SimNetwork {
    pub(crate) fn new(seat: Seat) -> Self {
        Self { seat }
    }

    async fn connect_to(&self, address: &str) -> io::Result<Connection> {
        host_and_port(address)?;
        let mut connecting: Option<Connecting> = None;
        let connect = |_: &mut Context<'_>| {
            let now = self.seat.world.now();
            let mut state = self.seat.world.lock();
            if !state.is_alive(&self.seat) {
                return Attempt::Dead;
            }
            let this = connecting.get_or_insert_with(|| Connecting::start(&mut state, &self.seat, now));
            if this.answered_at <= now && state.net.unreachable_until > now {
                let again_at = state.net.unreachable_until;
                this.kept_by = state.net.unreachable_by;
                this.answered_at = again_at.after_nanos(2 * state.net.line(again_at).latency_nanos);
            }
            let next = this.answered_at.min(this.given_up_at);
            if next > now {
                return Attempt::Wait(Some(next));
            }
            let (timed_out, refused) = (this.answered_at > now, this.refused);
            let kept_by = this.kept_by;
            self.seat.complete(&mut state, NetworkOperation::Connect, |state, at| {
                if timed_out {
                    let kind = io::ErrorKind::TimedOut;
                    return Err(kept_by.map_or(kind.into(), |fault| injected(fault, kind, "timed out")));
                }
                if let Some(fault) = refused {
                    return Err(injected(fault, io::ErrorKind::ConnectionRefused, "connection refused"));
                }
                let id = state.net.connect(address, &self.seat, at)?;
                state.arm_connection(id, &self.seat, at);
                Ok(id)
            })
        };
        let id = self.seat.attempt(connect).await?;
        Ok(self.seat.halves(id, Side::Connector))
    }

    /// Listens, with the numbers of the accepted connections.
    pub(crate) async fn listen_at(&self, address: &str) -> io::Result<SimListener> {
        let listen = |_: &mut Context<'_>| {
            let mut state = self.seat.world.lock();
            let listen = |state: &mut State, _| state.net.listen(address, &self.seat);
            self.seat.complete(&mut state, NetworkOperation::Listen, listen)
        };
        let address = self.seat.attempt(listen).await?;
        Ok(SimListener { seat: self.seat.clone(), address })
    }
}

impl Network for SimNetwork {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Connection>> {
        Box::pin(self.connect_to(address))
    }

    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move { Ok(Box::new(self.listen_at(address).await?) as Box<dyn Listener>) })
    }
}

/// A listening address.
pub(crate) struct SimListener {
    seat: Seat,
    address: Box<str>,
}

impl SimListener {
    /// The next connection, with its number in the world. Cancel safe.
    pub(crate) async fn accept_numbered(&self) -> io::Result<(ConnectionId, Connection)> {
        let accept = |context: &mut Context<'_>| {
            let mut state = self.seat.world.lock();
            if !state.net.has_backlog(&self.address) {
                state.net.wait_to_accept(&self.address, context.waker());
                return Attempt::Wait(None);
            }
            let accept =
                |state: &mut State, _| Ok(state.net.accept(&self.address).expect("the backlog has one"));
            self.seat.complete(&mut state, NetworkOperation::Accept, accept)
        };
        let id = self.seat.attempt(accept).await?;
        Ok((id, self.seat.halves(id, Side::Acceptor)))
    }
}

impl Listener for SimListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Connection>> {
        Box::pin(async move { Ok(self.accept_numbered().await?.1) })
    }

    fn local_address(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for SimListener {
    fn drop(&mut self) {
        let now = self.seat.world.now();
        self.seat.world.lock().net.close_listener(&self.address, &self.seat, now);
    }
}

impl Seat {
    fn halves(&self, connection: ConnectionId, side: Side) -> Connection {
        let half = || Half { seat: self.clone(), connection, side };
        Connection { reader: Box::new(SimReader(half())), writer: Box::new(SimWriter(half())) }
    }
}

/// What either half of an end holds.
struct Half {
    seat: Seat,
    connection: ConnectionId,
    side: Side,
}

struct SimReader(Half);

impl Reader for SimReader {
    fn read<'a>(&'a mut self, buffer: &'a mut Vec<u8>, max: usize) -> BoxFuture<'a, io::Result<usize>> {
        let Half { seat, connection, side } = &self.0;
        let (connection, side) = (*connection, *side);
        let read = move |context: &mut Context<'_>| {
            if max == 0 {
                return Attempt::Done(Ok(0));
            }
            let mut state = seat.world.lock();
            if let Readable::At(at) = state.net.conn(connection).readable(side, seat.world.now()) {
                state.net.conn(connection).wait_to_read(side, context.waker());
                return Attempt::Wait(at);
            }
            seat.complete(&mut state, NetworkOperation::Read, |state, at| {
                let result = state.net.conn(connection).read(side, buffer, max, at);
                match side {
                    Side::Connector => state.reach_connection_faults(connection, seat.life, at),
                    Side::Acceptor if result.as_ref().is_ok_and(|read| *read > 0) => {
                        state.net.heard_of(connection, at);
                    }
                    Side::Acceptor => {}
                }
                result
            })
        };
        Box::pin(async move { seat.attempt(read).await })
    }
}

impl Drop for SimReader {
    fn drop(&mut self) {
        let Half { seat, connection, side } = &self.0;
        let now = seat.world.now();
        let mut state = seat.world.lock();
        if state.is_alive(seat) {
            let line = state.net.line(now);
            state.net.conn(*connection).drop_reader(*side, now, line);
        }
    }
}

struct SimWriter(Half);

impl Half {
    /// A write in as many parts as the send buffer makes of it. It is counted when it starts; a crash inside it leaves
    /// the first half written.
    async fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let Self { seat, connection, side } = self;
        let mut written = 0;
        let mut entered: Option<Entered> = None;
        let write = |context: &mut Context<'_>| {
            let now = seat.world.now();
            let mut state = seat.world.lock();
            if !state.is_alive(seat) {
                return Attempt::Dead;
            }
            let Entered { number, crash, .. } = match entered.clone() {
                Some(entered) => entered,
                None => {
                    let first = state.enter_network(seat, NetworkOperation::Write, now);
                    let first = first.expect("the life was found alive");
                    if first.halted == Some(Moment::Before) && first.crash.is_none() {
                        return Attempt::Halted;
                    }
                    let shape = [NetworkOperation::Write as u64, first.number, bytes.len() as u64];
                    state.note(Event::Network, seat, now, shape);
                    state.trace_network(seat, now, first.number, NetworkOperation::Write);
                    entered.insert(first).clone()
                }
            };
            let until = match crash {
                Some(DueCrash { moment: Moment::Before, .. }) => 0,
                Some(DueCrash { moment: Moment::Inside, .. }) => bytes.len() / 2,
                _ => bytes.len(),
            };
            if *side == Side::Connector {
                state.hold_back_late_data(*connection, seat.life, now);
            }
            let result = loop {
                if written >= until {
                    break Ok(());
                }
                let line = state.net.line(now);
                match state.net.conn(*connection).write(*side, &bytes[written..until], now, line) {
                    Ok(Written::Full(fails_at)) => {
                        state.net.conn(*connection).wait_to_write(*side, context.waker());
                        return Attempt::Wait(fails_at);
                    }
                    Ok(Written::Trickled(taken, next_at)) if written + taken < until => {
                        written += taken;
                        return Attempt::Wait(Some(next_at));
                    }
                    Ok(Written::Taken(taken) | Written::Trickled(taken, _)) => written += taken,
                    Err(error) => break Err(error),
                }
            };
            if let Some(DueCrash { fault, .. }) = crash.filter(|crash| state.can_crash(*crash, seat.node)) {
                let hit = Hit::Network { number, operation: NetworkOperation::Write };
                state.crash(fault, seat.node, seat.life, now, hit);
                return Attempt::Crashed;
            }
            Attempt::Done(result)
        };
        seat.attempt(write).await
    }
}

impl Writer for SimWriter {
    fn write_all<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(self.0.write(bytes))
    }

    fn finish(&mut self) -> BoxFuture<'_, io::Result<()>> {
        let Half { seat, connection, side } = &self.0;
        let finish = move |_: &mut Context<'_>| {
            let mut state = seat.world.lock();
            seat.complete(&mut state, NetworkOperation::Finish, |state, at| {
                let line = state.net.line(at);
                state.net.conn(*connection).finish(*side, at, line)
            })
        };
        Box::pin(async move { seat.attempt(finish).await })
    }
}

impl Drop for SimWriter {
    fn drop(&mut self) {
        let Half { seat, connection, side } = &self.0;
        let now = seat.world.now();
        let mut state = seat.world.lock();
        if state.is_alive(seat) {
            let line = state.net.line(now);
            state.net.conn(*connection).drop_writer(*side, now, line);
        }
    }
}

#[cfg(test)]
mod tests;
