//! The source's books: what was sent on which connection, what was acknowledged, and where the driver broke the protocol.
//!
//! What holds: a line counts as sent on a connection before its first byte is written, so a connection's written bytes
//! are a prefix of the lines that it was sent. What the driver has read is the network's own count, not the driver's.

use super::{Mode, Script};
use crate::{
    network::{ConnectionId, ConnectionRecord},
    sabotage::Sabotage,
    world::{VirtualTime, World},
};
use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

/// The books of a source, shared with the task that serves it.
#[derive(Clone)]
pub struct Ledger {
    world: Arc<World>,
    pub(super) mode: Mode,
    pub(super) script: Arc<Script>,
    books: Arc<Mutex<Books>>,
}

#[derive(Default)]
struct Books {
    /// The line that is sent next.
    next: usize,
    /// One more than the last line that was ever sent.
    sent: usize,
    acknowledged: u64,
    violations: Vec<Violation>,
    connections: Vec<Served>,
}

struct Served {
    id: ConnectionId,
    accepted_at: VirtualTime,
    resumed_from: Option<u64>,
    /// Whether the driver that resumed might have had a successor: it cannot know what that one has acknowledged, until it finds
    /// out that there is one.
    of_several: bool,
    /// The highest acknowledgement on it, of `RESUME` or `ACK`.
    acknowledged: u64,
    /// Since the lines on a connection are consecutive, the first tells all their numbers.
    lines: Vec<SentLine>,
}

impl Books {
    /// So many lines are durable, says the driver on a connection. If it has said less on a newer one, it had forgotten them.
    fn acknowledge(&mut self, connection: usize, n: u64) {
        self.connections[connection].acknowledged = n;
        self.acknowledged = self.acknowledged.max(n);
        let newer = self.connections[connection + 1..].iter().filter(|newer| !newer.of_several);
        let newer = newer.filter_map(|newer| newer.resumed_from);
        if let Some(resumed) = newer.min().filter(|resumed| *resumed < n) {
            self.violations.push(Violation::ResumedBelowAcknowledged { resumed, acknowledged: n });
        }
    }
}

/// A line that was sent on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentLine {
    /// Its place in the script, from 0.
    pub line: usize,
    /// When.
    pub at: VirtualTime,
}

/// What the source knows of a connection, with what the network knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceConnection {
    /// When the source accepted it.
    pub accepted_at: VirtualTime,
    /// The line from which the driver resumed; `None` in TCP mode and before it said so.
    pub resumed_from: Option<u64>,
    /// The highest acknowledgement that came on it.
    pub acknowledged: u64,
    /// The lines that were sent on it, one after the other.
    pub lines: Vec<SentLine>,
    /// Its bytes: written, delivered to the driver, and how the driver saw its end. `None` if it was no driver's.
    pub record: Option<ConnectionRecord>,
}

/// The driver broke the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// `ACK n` below what the same connection acknowledged before: a durable count that shrinks. What arrives late on an older
    /// connection may be less than what a newer one has said.
    AcknowledgementWentBack {
        /// The highest before.
        from: u64,
        /// What came.
        to: u64,
    },
    /// `ACK n` of lines that were never sent.
    AcknowledgedUnsent {
        /// What came.
        acknowledged: u64,
        /// How many lines were sent.
        sent: u64,
    },
    /// `RESUME n` below what was acknowledged on an older connection, in whichever order the two arrived: the driver forgot what it
    /// called durable. Not while two drivers live.
    ResumedBelowAcknowledged {
        /// What came.
        resumed: u64,
        /// The highest acknowledgement.
        acknowledged: u64,
    },
    /// `RESUME n` of lines that were never sent.
    ResumedUnsent {
        /// What came.
        resumed: u64,
        /// How many lines were sent.
        sent: u64,
    },
    /// Something that is not of the protocol.
    Malformed {
        /// What came.
        message: String,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AcknowledgementWentBack { from, to } => write!(f, "ACK went back from {from} to {to}"),
            Self::AcknowledgedUnsent { acknowledged, sent } => {
                write!(f, "ACK {acknowledged} when {sent} lines were sent")
            }
            Self::ResumedBelowAcknowledged { resumed, acknowledged } => {
                write!(f, "RESUME {resumed} after ACK {acknowledged}: the driver forgot what it acknowledged")
            }
            Self::ResumedUnsent { resumed, sent } => {
                write!(f, "RESUME {resumed} when {sent} lines were sent")
            }
            Self::Malformed { message } => write!(f, "no message of the protocol: {message:?}"),
        }
    }
}

/// The ledger at one moment, as plain data that outlives the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceReport {
    /// The protocol.
    pub mode: Mode,
    /// How many lines there are to send.
    pub lines: usize,
    /// How many of them were sent at least once.
    pub sent: usize,
    /// The highest acknowledgement.
    pub acknowledged: u64,
    /// Where the driver broke the protocol.
    pub violations: Vec<Violation>,
    /// The connections in the order in which they were accepted.
    pub connections: Vec<SourceConnection>,
}

impl Ledger {
    pub(super) fn new(world: Arc<World>, mode: Mode, script: Script) -> Self {
        world.lock().schedule.set_lines_to_come(!script.lines.is_empty());
        Self { world, mode, script: Arc::new(script), books: Arc::default() }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether every line was sent at least once.
    pub fn all_sent(&self) -> bool {
        self.books().sent == self.script.lines.len()
    }

    /// Whether every line was acknowledged.
    pub fn all_acknowledged(&self) -> bool {
        self.books().acknowledged >= self.script.lines.len() as u64
    }

    /// Whether the driver has read all that was written on the newest connection, and nothing is left to send.
    pub fn all_delivered(&self) -> bool {
        let newest = self.books().connections.last().map(|served| served.id);
        let record = newest.and_then(|id| self.world.connection(id));
        self.all_sent() && record.is_some_and(|record| record.delivered == record.written.len() as u64)
    }

    /// All of it.
    pub fn report(&self) -> SourceReport {
        let books = self.books();
        let connection = |served: &Served| SourceConnection {
            accepted_at: served.accepted_at,
            resumed_from: served.resumed_from,
            acknowledged: served.acknowledged,
            lines: served.lines.clone(),
            record: self.world.connection(served.id),
        };
        SourceReport {
            mode: self.mode,
            lines: self.script.lines.len(),
            sent: books.sent,
            acknowledged: books.acknowledged,
            violations: books.violations.clone(),
            connections: books.connections.iter().map(connection).collect(),
        }
    }

    /// A connection was accepted; returns which it is. A source that hears nothing sends on after its last line, or repeats some.
    pub(super) fn accepted(&self, id: ConnectionId) -> usize {
        let accepted_at = self.world.now();
        let mut books = self.books();
        if self.mode == Mode::Tcp && books.sent > 0 {
            let repeated = usize::try_from(self.world.lines_repeated(id)).unwrap_or(usize::MAX);
            books.next = books.sent.saturating_sub(repeated);
        }
        let served = Served {
            id,
            accepted_at,
            resumed_from: None,
            of_several: false,
            acknowledged: 0,
            lines: Vec::new(),
        };
        books.connections.push(served);
        books.connections.len() - 1
    }

    /// `RESUME n` on a connection: from where to send, if it is the newest. Below what was acknowledged there is nothing left to send.
    pub(super) fn resumed(&self, connection: usize, n: u64) {
        self.acknowledge_what_arrived();
        let mut books = self.books();
        let (sent, is_newest) = (books.sent as u64, connection + 1 == books.connections.len());
        let acknowledged = match is_newest {
            true => books.acknowledged,
            false => {
                books.connections[..connection].iter().map(|older| older.acknowledged).max().unwrap_or(0)
            }
        };
        let of_several = self.world.is_of_several(books.connections[connection].id);
        books.connections[connection].of_several = of_several;
        if n < acknowledged && !of_several {
            books.violations.push(Violation::ResumedBelowAcknowledged { resumed: n, acknowledged });
        }
        if n > sent {
            books.violations.push(Violation::ResumedUnsent { resumed: n, sent });
        }
        // So many lines are durable: it says what an `ACK n` would have said, had the connection lived.
        if n <= sent {
            books.acknowledge(connection, n);
        }
        if is_newest {
            books.next = n.clamp(acknowledged, sent.max(acknowledged)) as usize;
        }
        books.connections[connection].resumed_from = Some(n);
    }

    /// `ACK n` on a connection.
    pub(super) fn acknowledged(&self, connection: usize, n: u64) {
        let mut books = self.books();
        let (sent, from) = (books.sent as u64, books.connections[connection].acknowledged);
        if n > sent {
            books.violations.push(Violation::AcknowledgedUnsent { acknowledged: n, sent });
        } else if n < from {
            books.violations.push(Violation::AcknowledgementWentBack { from, to: n });
        } else {
            books.acknowledge(connection, n);
        }
    }

    pub(super) fn malformed(&self, message: &[u8]) {
        let message = String::from_utf8_lossy(message).into_owned();
        self.books().violations.push(Violation::Malformed { message });
    }

    /// The sabotage [`Sabotage::AcknowledgeBeforeSync`]: every line that the driver has read counts as acknowledged.
    fn acknowledge_what_arrived(&self) {
        if !self.world.is_sabotaged(Sabotage::AcknowledgeBeforeSync) {
            return;
        }
        let mut books = self.books();
        let mut acknowledged = books.acknowledged;
        for served in &books.connections {
            let mut left = self.world.delivered(served.id);
            for SentLine { line, .. } in &served.lines {
                let mut bytes = Vec::new();
                self.script.write(*line, &mut bytes);
                let Some(after) = left.checked_sub(bytes.len() as u64) else { break };
                left = after;
                acknowledged = acknowledged.max(*line as u64 + 1);
            }
        }
        books.acknowledged = acknowledged;
    }

    /// The lines that are due, up to `lines_max`, as bytes; counted as sent.
    pub(super) fn take_due(&self, lines_max: usize, into: &mut Vec<u8>) {
        let at = self.world.now();
        let mut books = self.books();
        let all_due = self.world.lock().schedule.is_all_due();
        let Books { next, sent, connections, .. } = &mut *books;
        let served = connections.last_mut().expect("a connection was accepted");
        for _ in 0..lines_max {
            if self.script.lines.get(*next).is_none_or(|line| line.at_ms > at.millis() && !all_due) {
                return;
            }
            self.script.write(*next, into);
            served.lines.push(SentLine { line: *next, at });
            *next += 1;
            *sent = (*sent).max(*next);
            if *sent == self.script.lines.len() {
                self.world.lock().schedule.set_lines_to_come(false);
            }
        }
    }

    /// As [`take_due`](Self::take_due), for lines that are put where they stay: counted as acknowledged, too. The number of the first;
    /// none if none is due.
    pub(super) fn put_due(&self, lines_max: usize, into: &mut Vec<u8>) -> Option<usize> {
        let at_ms = self.world.now().millis();
        let mut books = self.books();
        let mut state = self.world.lock();
        let all_due = state.schedule.is_all_due();
        let first = books.next;
        let due = self.script.lines.iter().skip(first).take(lines_max);
        let due = due.take_while(|line| line.at_ms <= at_ms || all_due).count();
        books.next = first + due;
        books.sent = books.next;
        books.acknowledged = books.next as u64;
        (first..books.next).for_each(|line| self.script.write(line, into));
        if books.sent == self.script.lines.len() {
            state.schedule.set_lines_to_come(false);
        }
        (due > 0).then_some(first)
    }

    /// Completes when every line is due.
    pub(super) async fn all_due(&self) {
        poll_fn(|context| {
            let mut state = self.world.lock();
            match state.schedule.is_all_due() {
                true => Poll::Ready(()),
                false => {
                    state.schedule.wait(context.waker());
                    Poll::Pending
                }
            }
        })
        .await;
    }

    /// When the next line is due; `None` after the last.
    pub(super) fn next_due(&self) -> Option<VirtualTime> {
        let next = self.books().next;
        self.script.lines.get(next).map(|line| VirtualTime::from_millis(line.at_ms))
    }
}
