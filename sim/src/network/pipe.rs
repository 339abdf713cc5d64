//! One direction of a connection: the bytes under way, how it ends, and what holds it up. Pure state.
//!
//! What holds: bytes arrive in the order in which they were written, each at its own time; what is blocked arrives after the block.
//! A direction that is `cut` carries nothing any more.

use super::connection::Line;
use crate::{fault::injected, world::VirtualTime};
use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    task::Waker,
};

/// A time that never comes.
pub(super) const NEVER: VirtualTime = VirtualTime(u64::MAX);

/// How a direction ends for its reader, and when.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ending {
    Orderly {
        at: VirtualTime,
    },
    Reset {
        at: VirtualTime,
    },
    /// The reader's own end has given up.
    TimedOut {
        at: VirtualTime,
    },
}

impl Ending {
    fn at(&mut self) -> &mut VirtualTime {
        match self {
            Self::Orderly { at } | Self::Reset { at } | Self::TimedOut { at } => at,
        }
    }
}

/// Bytes that arrive together.
struct Segment {
    arrives: VirtualTime,
    bytes: Vec<u8>,
    read: usize,
}

/// One direction of a connection.
#[derive(Default)]
pub(super) struct Pipe {
    segments: VecDeque<Segment>,
    /// Bytes in `segments` that were not read.
    held: usize,
    last_arrival: VirtualTime,
    /// The last arrival of what was not blocked: what keep-alive goes by.
    pub heard: VirtualTime,
    pub ending: Option<Ending>,
    /// The fault that ended it, by its place in the plan.
    pub ended_by: Option<usize>,
    /// The reader finds nothing before this.
    pub silent_until: VirtualTime,
    /// Nothing leaves before this.
    blocked_until: VirtualTime,
    pub cut: bool,
    pub reader: Option<Waker>,
    pub writer: Option<Waker>,
}

impl Pipe {
    /// What is under way is lost, and so is all that comes.
    pub fn cut(&mut self) {
        self.cut = true;
        self.lose_after(VirtualTime::default());
        self.wake_writer();
    }

    /// What has not arrived by then is lost.
    pub fn lose_after(&mut self, at: VirtualTime) {
        let arrived = self.segments.partition_point(|segment| segment.arrives <= at);
        let lost = self.segments.drain(arrived..);
        self.held -= lost.map(|segment| segment.bytes.len() - segment.read).sum::<usize>();
    }

    pub fn end(&mut self, ending: Ending) {
        self.ending = Some(ending);
        self.wake_reader();
    }

    pub fn wake_reader(&mut self) {
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }

    pub fn wake_writer(&mut self) {
        if let Some(waker) = self.writer.take() {
            waker.wake();
        }
    }

    /// The error that the reader's end has got, whether it knows or not.
    pub fn failure(&self, now: VirtualTime) -> Option<io::Error> {
        self.fails_at().filter(|at| *at <= now).and_then(|_| self.at_end().err())
    }

    /// When that error comes.
    pub fn fails_at(&self) -> Option<VirtualTime> {
        match self.ending {
            Some(Ending::Reset { at } | Ending::TimedOut { at }) => Some(at),
            _ => None,
        }
    }

    pub fn is_blocked(&self, now: VirtualTime) -> bool {
        self.blocked_until > now
    }

    /// When a packet that is sent now arrives, which may overtake bytes.
    pub fn passage(&self, now: VirtualTime, line: Line) -> VirtualTime {
        now.max(self.blocked_until).after_nanos(line.latency_nanos)
    }

    /// When bytes, or their orderly end, arrive that are sent now.
    pub fn arrival(&self, now: VirtualTime, line: Line) -> VirtualTime {
        self.last_arrival.max(self.passage(now, line))
    }

    /// So many bytes more may be under way.
    pub fn room(&self, buffer_bytes: usize) -> usize {
        buffer_bytes.saturating_sub(self.held)
    }

    pub fn push(&mut self, bytes: &[u8], now: VirtualTime, line: Line) {
        let arrives = self.arrival(now, line);
        self.segments.push_back(Segment { arrives, bytes: bytes.to_vec(), read: 0 });
        (self.held, self.last_arrival) = (self.held + bytes.len(), arrives);
        if !self.is_blocked(now) {
            self.heard = arrives;
        }
        self.wake_reader();
    }

    /// When the next bytes arrive.
    pub fn next_arrival(&self) -> Option<VirtualTime> {
        self.segments.front().map(|segment| segment.arrives)
    }

    /// Takes what has arrived.
    pub fn take(&mut self, into: &mut Vec<u8>, max: usize, now: VirtualTime) -> usize {
        let mut taken = 0;
        while let Some(segment) =
            self.segments.front_mut().filter(|segment| taken < max && segment.arrives <= now)
        {
            let part = &segment.bytes[segment.read..];
            let part = &part[..part.len().min(max - taken)];
            into.extend_from_slice(part);
            taken += part.len();
            segment.read += part.len();
            if segment.read == segment.bytes.len() {
                self.segments.pop_front();
            }
        }
        if taken > 0 {
            self.held -= taken;
            self.wake_writer();
        }
        taken
    }

    /// What a reader finds who has taken all bytes.
    pub fn at_end(&self) -> io::Result<()> {
        let (kind, what) = match self.ending {
            Some(Ending::Reset { .. }) => (ErrorKind::ConnectionReset, "connection reset"),
            Some(Ending::TimedOut { .. }) => (ErrorKind::TimedOut, "timed out"),
            Some(Ending::Orderly { .. }) | None => return Ok(()),
        };
        Err(match self.ended_by {
            Some(fault) => injected(fault, kind, what),
            None => kind.into(),
        })
    }

    /// What is under way now, or sent before the given time, arrives only after it.
    pub fn block(&mut self, until: VirtualTime, now: VirtualTime, line: Line) {
        self.blocked_until = self.blocked_until.max(until);
        let earliest = self.blocked_until.after_nanos(line.latency_nanos);
        self.move_arrivals(now, |at| at.max(earliest));
        self.heard = self.heard.min(now);
    }

    /// What was blocked leaves now.
    pub fn unblock(&mut self, now: VirtualTime, line: Line) {
        if self.is_blocked(now) {
            self.blocked_until = now;
            let latest = now.after_nanos(line.latency_nanos);
            self.move_arrivals(now, |at| at.min(latest));
            self.heard = self.heard.max(self.last_arrival);
            self.wake_reader();
        }
    }

    fn move_arrivals(&mut self, now: VirtualTime, moved: impl Fn(VirtualTime) -> VirtualTime) {
        let arrivals = self.segments.iter_mut().map(|segment| &mut segment.arrives);
        let arrivals = arrivals.chain([&mut self.last_arrival]);
        for at in arrivals.chain(self.ending.iter_mut().map(Ending::at)).filter(|at| **at > now) {
            *at = moved(*at);
        }
    }
}
