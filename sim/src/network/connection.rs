//! One connection: two directions of bytes under way, two ends, and the faults that wait for it. Pure state.
//!
//! What holds: a direction holds at most the send buffer's worth of bytes that the reader has not taken. What is written into a
//! direction that is cut is gone and provokes a reset, one round trip later, as TCP does. Keep-alive works at both ends: one that
//! hears nothing for [`KEEPALIVE_MS`] while the other cannot be reached gives the connection up and tells nobody; the other end
//! learns it from the answer to its next probe that gets through.

use super::{
    KEEPALIVE_MS, PROBE_MS,
    pipe::{Ending, NEVER, Pipe},
};
use crate::{
    fault::{Direction, Fault},
    world::{Life, NodeIndex, VirtualTime},
};
use serde::{Deserialize, Serialize};
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
    const BOTH: [Self; 2] = [Self::Connector, Self::Acceptor];

    pub(crate) fn other(self) -> Self {
        match self {
            Self::Connector => Self::Acceptor,
            Self::Acceptor => Self::Connector,
        }
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

impl End {
    fn is_open(&self) -> bool {
        self.reader_open || self.writer_open
    }
}

/// How the reader of a connection learned that it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeenEnd {
    /// It read the orderly end.
    Orderly,
    /// It got a reset.
    Reset,
    /// Its keep-alive gave up.
    TimedOut,
}

/// What a reader finds.
pub(crate) enum Readable {
    /// Bytes, the end, or an error.
    Now,
    /// Nothing before this time, if nothing else happens.
    At(Option<VirtualTime>),
}

/// What became of a write.
pub(crate) enum Written {
    /// So many bytes were taken, and more may be at once.
    Taken(usize),
    /// So many bytes were taken; the next not before this time.
    Trickled(usize, VirtualTime),
    /// The buffer is full; the connection fails at this time, if nothing else happens.
    Full(Option<VirtualTime>),
}

/// A time in which no packet makes the way to the other end and back.
#[derive(Clone, Copy)]
struct Outage {
    since: VirtualTime,
    until: VirtualTime,
    /// The fault that makes it, by its place in the plan: of several the one that lasts longest.
    by: usize,
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
    outage: Option<Outage>,
    /// So many bytes go at a time.
    bytes_at_once: usize,
    /// So many bytes may be under way in a direction, if the world allows as many.
    buffer_bytes: usize,
    /// The fault that holds back what the driver writes next.
    late_data: Option<usize>,
}

/// How long bytes take, and how many may wait.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    pub latency_nanos: u64,
    pub send_buffer_bytes: usize,
}

/// How long a write waits between two parts on a connection that trickles.
const TRICKLE_NANOS: u64 = 10_000;

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
            outage: None,
            bytes_at_once: usize::MAX,
            buffer_bytes: usize::MAX,
            late_data: None,
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
        (end.node, end.life) == (node, life) && end.is_open()
    }

    /// Who made it.
    pub(crate) fn connector(&self) -> (NodeIndex, Life) {
        let end = &self.ends[Side::Connector as usize];
        (end.node, end.life)
    }

    pub(crate) fn readable(&mut self, side: Side, now: VirtualTime) -> Readable {
        self.settle(now);
        let pipe = &self.pipes[side as usize];
        if pipe.silent_until > now {
            return Readable::At(Some(pipe.silent_until));
        }
        let next = pipe.next_arrival();
        // An orderly end comes after all bytes, an error at its own time whatever is still under way.
        let end = match pipe.ending {
            Some(Ending::Orderly { at }) => Some(at).filter(|_| next.is_none()),
            _ => pipe.fails_at(),
        };
        let soonest = next.into_iter().chain(end).chain(self.gives_up_at(side)).min();
        match soonest.filter(|at| *at < NEVER) {
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
        let max = match side {
            Side::Connector => max.min(self.bytes_at_once).min(self.until_next_fault()),
            Side::Acceptor => max,
        };
        let pipe = &mut self.pipes[side as usize];
        let end = &mut self.ends[side as usize];
        let taken = pipe.take(into, max, now);
        end.delivered += taken as u64;
        if taken == 0 {
            end.seen.get_or_insert(match pipe.ending {
                Some(Ending::Reset { .. }) => SeenEnd::Reset,
                Some(Ending::TimedOut { .. }) => SeenEnd::TimedOut,
                _ => SeenEnd::Orderly,
            });
            pipe.at_end()?;
        }
        Ok(taken)
    }

    fn until_next_fault(&self) -> usize {
        let delivered = self.delivered(Side::Connector);
        let left = self.faults.front().map_or(u64::MAX, |(_, after_bytes, _)| after_bytes - delivered);
        usize::try_from(left).unwrap_or(usize::MAX)
    }

    /// The next fault that the bytes delivered so far have reached, once.
    pub(crate) fn reached_fault(&mut self) -> Option<(usize, u64, Fault)> {
        let delivered = self.delivered(Side::Connector);
        let reached = self.faults.front().is_some_and(|(_, after_bytes, _)| *after_bytes <= delivered);
        reached.then(|| self.faults.pop_front()).flatten()
    }

    /// What the driver writes next fires a fault, which holds it back.
    pub(crate) fn expect_late_data(&mut self, fault: usize) {
        self.late_data = Some(fault);
    }

    /// The fault that a write of the driver fires.
    pub(crate) fn late_data(&mut self, now: VirtualTime) -> Option<usize> {
        let fails = self.pipes[Side::Connector as usize].failure(now).is_some();
        self.late_data.take_if(|_| !fails)
    }

    /// A fault that its bytes have reached takes effect; `index` is its place in the plan.
    pub(crate) fn suffer(&mut self, index: usize, fault: &Fault, now: VirtualTime, line: Line) {
        let later = now.after_nanos(line.latency_nanos);
        let (to_driver, to_source) = match fault {
            Fault::Stall(stall) => {
                let until = now.after_nanos(stall.for_ms.saturating_mul(1_000_000));
                self.pipes[Side::Connector as usize].silent_until = until;
                return;
            }
            Fault::Trickle(trickle) => {
                let bytes = usize::try_from(trickle.bytes_max.max(1)).unwrap_or(usize::MAX);
                self.bytes_at_once = self.bytes_at_once.min(bytes);
                return;
            }
            Fault::SmallBuffer(small) => {
                let bytes = usize::try_from(small.bytes.max(1)).unwrap_or(usize::MAX);
                self.buffer_bytes = self.buffer_bytes.min(bytes);
                return;
            }
            Fault::HalfOpen(_) => {
                self.pipes[Side::Connector as usize].lose_after(VirtualTime::default());
                return self.break_off(index, Direction::Both, now, NEVER, line);
            }
            Fault::LateData(_) => {
                self.pipes[Side::Acceptor as usize].block(NEVER, now, line);
                let to_driver = &mut self.pipes[Side::Connector as usize];
                to_driver.cut();
                to_driver.ended_by = Some(index);
                return to_driver.end(Ending::Reset { at: later.after_nanos(line.latency_nanos) });
            }
            Fault::Reset(_) => (Ending::Reset { at: now }, Ending::Reset { at: later }),
            Fault::Close(_) => (Ending::Orderly { at: now }, Ending::Orderly { at: later }),
            _ => return,
        };
        for (side, ending) in [(Side::Connector, to_driver), (Side::Acceptor, to_source)] {
            let pipe = &mut self.pipes[side as usize];
            pipe.cut();
            pipe.ended_by = Some(index);
            pipe.end(ending);
        }
    }

    /// What was held back of the driver's words arrives, and after it a reset: the driver's end is long gone.
    pub(crate) fn release_late_data(&mut self, now: VirtualTime, line: Line) {
        let leaves = self.outage.map_or(now, |outage| outage.until.max(now));
        let pipe = &mut self.pipes[Side::Acceptor as usize];
        if pipe.failure(now).is_some() {
            return;
        }
        pipe.unblock(leaves, line);
        pipe.end(Ending::Reset { at: leaves.after_nanos(2 * line.latency_nanos) });
    }

    /// Until a time nothing arrives in a direction, by the fault at this place in the plan.
    pub(crate) fn break_off(
        &mut self,
        by: usize,
        direction: Direction,
        now: VirtualTime,
        until: VirtualTime,
        line: Line,
    ) {
        self.settle(now);
        if !self.ends.iter().any(End::is_open) {
            return;
        }
        self.outage = Some(match self.outage {
            Some(outage) if outage.until < until => Outage { until, by, ..outage },
            Some(outage) => outage,
            None => Outage { since: now, until, by },
        });
        for side in Side::BOTH {
            let pipe = &mut self.pipes[side as usize];
            match (direction, side) {
                (Direction::ToSource, Side::Connector) | (Direction::ToDriver, Side::Acceptor) => {}
                _ => pipe.block(until, now, line),
            }
            // Both sides have a new time at which they give up.
            pipe.wake_reader();
            pipe.wake_writer();
        }
    }

    /// When the keep-alive of a side gives up, if nothing arrives.
    fn gives_up_at(&self, side: Side) -> Option<VirtualTime> {
        let Outage { since, until, .. } = self.outage?;
        let pipe = &self.pipes[side as usize];
        let at = since.max(pipe.heard).after_nanos(KEEPALIVE_MS * 1_000_000);
        let sooner = self.ends[side as usize].is_open() && pipe.fails_at().is_none_or(|fails| fails > at);
        (at < until && sooner).then_some(at)
    }

    /// Keep-alive gives up where it is due.
    fn settle(&mut self, now: VirtualTime) {
        let Some(Outage { until, by, .. }) = self.outage else { return };
        for side in Side::BOTH {
            let Some(at) = self.gives_up_at(side).filter(|at| *at <= now) else { continue };
            let inbound = &mut self.pipes[side as usize];
            inbound.lose_after(at);
            inbound.cut = true;
            inbound.ended_by = Some(by);
            inbound.end(Ending::TimedOut { at });
            inbound.wake_writer();
            let outbound = &mut self.pipes[side.other() as usize];
            if outbound.is_blocked(at) {
                outbound.lose_after(at);
                outbound.ending.take_if(|ending| matches!(ending, Ending::Orderly { at: end } if *end > at));
            }
            outbound.wake_writer();
            if outbound.ending.is_none() {
                outbound.ended_by = Some(by);
                outbound.end(Ending::Reset { at: until.after_nanos(PROBE_MS * 1_000_000) });
            }
        }
        if until <= now {
            self.outage = None;
        }
    }

    /// Writes as many of `bytes` as the send buffer takes.
    pub(crate) fn write(
        &mut self,
        side: Side,
        bytes: &[u8],
        now: VirtualTime,
        line: Line,
    ) -> io::Result<Written> {
        self.settle(now);
        if let Some(error) = self.pipes[side as usize].failure(now) {
            return Err(error);
        }
        if self.ends[side as usize].finished {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let to = side.other();
        let pipe = &mut self.pipes[to as usize];
        if pipe.cut {
            let there = pipe.passage(now, line);
            let inbound = &mut self.pipes[side as usize];
            if inbound.fails_at().is_none() {
                inbound.end(Ending::Reset { at: inbound.passage(there, line) });
            }
            return Ok(Written::Taken(bytes.len()));
        }
        let room = pipe.room(line.send_buffer_bytes.min(self.buffer_bytes));
        let taken = bytes.len().min(room).min(self.bytes_at_once);
        if taken == 0 {
            let fails_at =
                self.pipes[side as usize].fails_at().into_iter().chain(self.gives_up_at(side)).min();
            return Ok(Written::Full(fails_at.filter(|at| *at < NEVER)));
        }
        pipe.push(&bytes[..taken], now, line);
        if to == Side::Connector && self.driver_number.is_some() {
            self.written.extend_from_slice(&bytes[..taken]);
        }
        Ok(match self.bytes_at_once {
            usize::MAX => Written::Taken(taken),
            _ => Written::Trickled(taken, now.after_nanos(TRICKLE_NANOS)),
        })
    }

    /// Ends the direction away from `side` in order.
    pub(crate) fn finish(&mut self, side: Side, now: VirtualTime, line: Line) -> io::Result<()> {
        self.settle(now);
        if let Some(error) = self.pipes[side as usize].failure(now) {
            return Err(error);
        }
        if !std::mem::replace(&mut self.ends[side as usize].finished, true) {
            let pipe = &mut self.pipes[side.other() as usize];
            if !pipe.cut && pipe.ending.is_none() {
                let at = pipe.arrival(now, line);
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
        self.settle(now);
        let end = &mut self.ends[side as usize];
        (end.reader_open, end.writer_open) = (false, false);
        let inbound = &mut self.pipes[side as usize];
        let unread = inbound.next_arrival().is_some_and(|arrives| arrives <= now);
        let unread = unread && inbound.failure(now).is_none();
        inbound.cut();
        if unread {
            let outbound = &mut self.pipes[side.other() as usize];
            if outbound.failure(now).is_none() {
                outbound.end(Ending::Reset { at: outbound.passage(now, line) });
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

    /// No fault is left, and what holds the bytes up is over.
    pub(crate) fn heal(&mut self, now: VirtualTime, line: Line) {
        self.settle(now);
        self.faults.clear();
        (self.outage, self.late_data) = (None, None);
        (self.bytes_at_once, self.buffer_bytes) = (usize::MAX, usize::MAX);
        for pipe in &mut self.pipes {
            pipe.silent_until = VirtualTime::default();
            pipe.unblock(now, line);
            pipe.wake_reader();
            pipe.wake_writer();
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
