//! One connection: two directions of bytes under way, two ends, and the faults that wait for it. Pure state.
//!
//! What holds: bytes of one direction arrive in the order in which they were written, each at its own time. A direction
//! holds at most the send buffer's worth of bytes that the reader has not taken. A direction that is `cut` carries
//! nothing any more: what is written into it is gone and provokes a reset, one round trip later, as TCP does.

use crate::{
    fault::{Fault, Hit},
    world::{Life, NodeIndex, VirtualTime},
};
use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    task::Waker,
};

/// An end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Who connected.
    Connector = 0,
    /// Who accepted.
    Acceptor = 1,
}

impl Side {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Connector => Self::Acceptor,
            Self::Acceptor => Self::Connector,
        }
    }
}

/// How a direction ends for its reader, and when.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Orderly { at: VirtualTime },
    Reset { at: VirtualTime },
}

/// Bytes that arrive together.
struct Segment {
    arrives: VirtualTime,
    bytes: Vec<u8>,
    read: usize,
}

/// One direction of a connection.
#[derive(Default)]
struct Pipe {
    segments: VecDeque<Segment>,
    /// Bytes in `segments` that were not read.
    held: usize,
    last_arrival: VirtualTime,
    ending: Option<Ending>,
    silent_until: VirtualTime,
    cut: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Pipe {
    fn cut(&mut self) {
        self.cut = true;
        self.segments.clear();
        self.held = 0;
        self.wake_writer();
    }

    fn end(&mut self, ending: Ending) {
        self.ending = Some(ending);
        self.wake_reader();
    }

    fn wake_reader(&mut self) {
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }

    fn wake_writer(&mut self) {
        if let Some(waker) = self.writer.take() {
            waker.wake();
        }
    }

    fn is_reset(&self, now: VirtualTime) -> bool {
        matches!(self.ending, Some(Ending::Reset { at }) if at <= now)
    }
}

/// Who sits at an end.
struct End {
    node: NodeIndex,
    life: Life,
    reader_open: bool,
    writer_open: bool,
    finished: bool,
    /// How its reader learned that the stream is over.
    seen: Option<SeenEnd>,
    delivered: u64,
}

/// How the reader of a connection learned that it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeenEnd {
    /// It read the orderly end.
    Orderly,
    /// It got a reset.
    Reset,
}

/// What a reader finds.
pub(crate) enum Readable {
    /// Bytes, the end, or an error.
    Now,
    /// Nothing before this time, if nothing else happens.
    At(Option<VirtualTime>),
}

/// A connection.
pub(crate) struct Conn {
    ends: [End; 2],
    /// By the side that reads it.
    pipes: [Pipe; 2],
    /// Which connection of the driver it is, from 1.
    pub driver_number: Option<u32>,
    pub address: Box<str>,
    pub opened_at: VirtualTime,
    /// What was written towards the driver.
    pub written: Vec<u8>,
    /// The planned faults, the next one first: place in the plan, after how many bytes delivered to the driver, what.
    faults: VecDeque<(usize, u64, Fault)>,
}

/// How long bytes take, and how many may wait.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    pub latency_nanos: u64,
    pub send_buffer_bytes: usize,
}

impl Conn {
    pub(crate) fn new(
        address: &str,
        connector: (NodeIndex, Life),
        acceptor: (NodeIndex, Life),
        opened_at: VirtualTime,
    ) -> Self {
        let end = |(node, life)| End {
            node,
            life,
            reader_open: true,
            writer_open: true,
            finished: false,
            seen: None,
            delivered: 0,
        };
        Self {
            ends: [end(connector), end(acceptor)],
            pipes: Default::default(),
            driver_number: None,
            address: address.into(),
            opened_at,
            written: Vec::new(),
            faults: VecDeque::new(),
        }
    }

    /// Makes it the driver's n-th connection, with the faults that are planned for that.
    pub(crate) fn arm(&mut self, n: u32, faults: Vec<(usize, u64, Fault)>) {
        (self.driver_number, self.faults) = (Some(n), faults.into());
    }

    pub(crate) fn delivered(&self, side: Side) -> u64 {
        self.ends[side as usize].delivered
    }

    pub(crate) fn seen_end(&self, side: Side) -> Option<SeenEnd> {
        self.ends[side as usize].seen
    }

    pub(crate) fn sits(&self, side: Side, node: NodeIndex, life: Life) -> bool {
        let end = &self.ends[side as usize];
        (end.node, end.life) == (node, life) && (end.reader_open || end.writer_open)
    }

    /// Who made it.
    pub(crate) fn connector(&self) -> (NodeIndex, Life) {
        let end = &self.ends[Side::Connector as usize];
        (end.node, end.life)
    }

    pub(crate) fn readable(&self, side: Side, now: VirtualTime) -> Readable {
        let pipe = &self.pipes[side as usize];
        if pipe.silent_until > now {
            return Readable::At(Some(pipe.silent_until));
        }
        let next = pipe.segments.front().map(|segment| segment.arrives);
        // An orderly end comes after all bytes, a reset at its own time whatever is still under way.
        let end = match pipe.ending {
            Some(Ending::Orderly { at }) if next.is_none() => Some(at),
            Some(Ending::Reset { at }) => Some(at),
            _ => None,
        };
        match next.into_iter().chain(end).min() {
            Some(at) if at <= now => Readable::Now,
            soonest => Readable::At(soonest),
        }
    }

    /// Reads what `readable` promised.
    pub(crate) fn read(
        &mut self,
        side: Side,
        into: &mut Vec<u8>,
        max: usize,
        now: VirtualTime,
    ) -> io::Result<usize> {
        let limit = match (side, self.faults.front()) {
            (Side::Connector, Some((_, after_bytes, _))) => after_bytes - self.delivered(side),
            _ => u64::MAX,
        };
        let max = usize::try_from(limit).unwrap_or(usize::MAX).min(max);
        let pipe = &mut self.pipes[side as usize];
        let end = &mut self.ends[side as usize];
        let mut taken = 0;
        while let Some(segment) =
            pipe.segments.front_mut().filter(|segment| taken < max && segment.arrives <= now)
        {
            let part = &segment.bytes[segment.read..];
            let part = &part[..part.len().min(max - taken)];
            into.extend_from_slice(part);
            taken += part.len();
            segment.read += part.len();
            if segment.read == segment.bytes.len() {
                pipe.segments.pop_front();
            }
        }
        if taken > 0 {
            pipe.held -= taken;
            end.delivered += taken as u64;
            pipe.wake_writer();
            return Ok(taken);
        }
        match pipe.ending {
            Some(Ending::Reset { .. }) => {
                end.seen.get_or_insert(SeenEnd::Reset);
                Err(ErrorKind::ConnectionReset.into())
            }
            _ => {
                end.seen.get_or_insert(SeenEnd::Orderly);
                Ok(0)
            }
        }
    }

    /// The faults that the bytes delivered so far have reached, each of which takes effect now.
    pub(crate) fn reached_faults(&mut self, now: VirtualTime, line: Line) -> Vec<(usize, Hit)> {
        let mut fired = Vec::new();
        let delivered = self.delivered(Side::Connector);
        while self.faults.front().is_some_and(|(_, after_bytes, _)| *after_bytes <= delivered) {
            let (index, after_bytes, fault) = self.faults.pop_front().expect("there is one");
            let connection = self.driver_number.expect("only a driver's connection has faults");
            self.suffer(&fault, now, line);
            fired.push((index, Hit::Connection { connection, after_bytes }));
        }
        fired
    }

    fn suffer(&mut self, fault: &Fault, now: VirtualTime, line: Line) {
        let later = now.after_nanos(line.latency_nanos);
        let (to_driver, to_source) = match fault {
            Fault::Stall(stall) => {
                let until = now.after_nanos(stall.for_ms.saturating_mul(1_000_000));
                self.pipes[Side::Connector as usize].silent_until = until;
                return;
            }
            Fault::Reset(_) => (Ending::Reset { at: now }, Ending::Reset { at: later }),
            Fault::Close(_) => (Ending::Orderly { at: now }, Ending::Orderly { at: later }),
            _ => return,
        };
        for (side, ending) in [(Side::Connector, to_driver), (Side::Acceptor, to_source)] {
            let pipe = &mut self.pipes[side as usize];
            pipe.cut();
            pipe.end(ending);
        }
    }

    /// Writes as many of `bytes` as the send buffer takes; 0 is a full buffer.
    pub(crate) fn write(
        &mut self,
        side: Side,
        bytes: &[u8],
        now: VirtualTime,
        line: Line,
    ) -> io::Result<usize> {
        if self.pipes[side as usize].is_reset(now) {
            return Err(ErrorKind::ConnectionReset.into());
        }
        if self.ends[side as usize].finished {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let to = side.other();
        let pipe = &mut self.pipes[to as usize];
        if pipe.cut {
            let inbound = &mut self.pipes[side as usize];
            if !matches!(inbound.ending, Some(Ending::Reset { .. })) {
                inbound.end(Ending::Reset { at: now.after_nanos(2 * line.latency_nanos) });
            }
            return Ok(bytes.len());
        }
        let taken = bytes.len().min(line.send_buffer_bytes - pipe.held.min(line.send_buffer_bytes));
        if taken > 0 {
            let arrives = pipe.last_arrival.max(now.after_nanos(line.latency_nanos));
            pipe.segments.push_back(Segment { arrives, bytes: bytes[..taken].to_vec(), read: 0 });
            (pipe.held, pipe.last_arrival) = (pipe.held + taken, arrives);
            pipe.wake_reader();
            if to == Side::Connector && self.driver_number.is_some() {
                self.written.extend_from_slice(&bytes[..taken]);
            }
        }
        Ok(taken)
    }

    /// Ends the direction away from `side` in order.
    pub(crate) fn finish(&mut self, side: Side, now: VirtualTime, line: Line) -> io::Result<()> {
        if self.pipes[side as usize].is_reset(now) {
            return Err(ErrorKind::ConnectionReset.into());
        }
        if !std::mem::replace(&mut self.ends[side as usize].finished, true) {
            let pipe = &mut self.pipes[side.other() as usize];
            if !pipe.cut && pipe.ending.is_none() {
                let at = pipe.last_arrival.max(now.after_nanos(line.latency_nanos));
                pipe.end(Ending::Orderly { at });
            }
        }
        Ok(())
    }

    pub(crate) fn drop_reader(&mut self, side: Side, now: VirtualTime, line: Line) {
        self.ends[side as usize].reader_open = false;
        if !self.ends[side as usize].writer_open {
            self.close(side, now, line);
        }
    }

    pub(crate) fn drop_writer(&mut self, side: Side, now: VirtualTime, line: Line) {
        // As a socket's writing half does when it is dropped; an error has nobody to go to.
        let _ = self.finish(side, now, line);
        self.ends[side as usize].writer_open = false;
        if !self.ends[side as usize].reader_open {
            self.close(side, now, line);
        }
    }

    /// Both halves are gone, by their owner or by the operating system: an orderly end if everything received was read,
    /// a reset otherwise.
    pub(crate) fn close(&mut self, side: Side, now: VirtualTime, line: Line) {
        let end = &mut self.ends[side as usize];
        (end.reader_open, end.writer_open) = (false, false);
        let inbound = &mut self.pipes[side as usize];
        let unread = inbound.segments.front().is_some_and(|segment| segment.arrives <= now);
        inbound.cut();
        if unread {
            let outbound = &mut self.pipes[side.other() as usize];
            if !outbound.is_reset(now) {
                outbound.end(Ending::Reset { at: now.after_nanos(line.latency_nanos) });
            }
        } else {
            let _ = self.finish(side, now, line);
        }
    }

    /// The machine of `side` lost power: the other side is told nothing until it writes.
    pub(crate) fn vanish(&mut self, side: Side) {
        let end = &mut self.ends[side as usize];
        (end.reader_open, end.writer_open) = (false, false);
        self.pipes[side as usize].cut();
    }

    /// No fault is left, and a silence is over.
    pub(crate) fn heal(&mut self) {
        self.faults.clear();
        for pipe in &mut self.pipes {
            pipe.silent_until = VirtualTime::default();
            pipe.wake_reader();
        }
    }

    pub(crate) fn wait_to_read(&mut self, side: Side, waker: &Waker) {
        self.pipes[side as usize].reader = Some(waker.clone());
    }

    pub(crate) fn wait_to_write(&mut self, side: Side, waker: &Waker) {
        self.pipes[side.other() as usize].writer = Some(waker.clone());
    }

    pub(crate) fn forget_wakers(&mut self) {
        self.pipes.iter_mut().for_each(|pipe| (pipe.reader, pipe.writer) = (None, None));
    }
}
