//! The source: what a driver reads its lines from, with a ledger of what it gave away.
//!
//! It runs on a node of its own and speaks to the driver through the network seam, as two real programs do. In
//! [`Mode::Tcp`] it is `nc -lk`: a line written to a connection is gone, whether it arrives or not, and the next
//! connection gets the lines after it. In [`Mode::Resume`] the driver says `RESUME n` when it connects, gets line n next,
//! and says `ACK n` when n lines are durable; both acknowledge n lines, and what is acknowledged the source forgets. The newest
//! connection wins: no other is sent anything. What arrives late on an older one still counts.
//!
//! - `lines` are what is sent, when, and `schedule` whether all of it is due at once; `server` serves them; `ledger` is what the
//!   judges believe. `files` puts them into a directory instead of sending them.
//!
//! Left out: a source that crashes, several drivers at once, lines that contain a line feed.

mod files;
mod ledger;
mod lines;
mod schedule;
mod server;

pub(crate) use files::DIRECTORY;
pub use ledger::{Ledger, SentLine, SourceConnection, SourceReport, Violation};
pub use lines::{AtEnd, Line, LineEnd, Script};
pub(crate) use schedule::Schedule;

use crate::world::{Node, World};
use std::sync::Arc;

/// The protocol that a source speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Lines, and nothing back: `tcp://`.
    Tcp,
    /// Lines from a number on, acknowledged: `resume://`.
    Resume,
}

/// A source: where it listens, what it speaks and what it says.
#[derive(Clone, Debug)]
pub struct Source {
    /// `HOST:PORT`
    pub address: String,
    /// The protocol.
    pub mode: Mode,
    /// The lines.
    pub script: Script,
}

impl Source {
    /// Where a scenario's source listens unless it says otherwise.
    pub const ADDRESS: &'static str = "source:8880";

    /// Starts it on a node of its own. The ledger is that of the whole run.
    pub fn start(self, world: &Arc<World>) -> Ledger {
        self.start_on(&world.add_node("source"), world)
    }

    /// Puts its lines into files on the driver's disk instead of serving them. The ledger is that of the whole run.
    pub(crate) fn start_in_directory(self, world: &Arc<World>) -> Ledger {
        let node = world.add_node("source");
        let ledger = Ledger::new(world.clone(), self.mode, self.script);
        let seat = node.begin();
        seat.make_directory(DIRECTORY);
        let putting = files::put(seat.clone(), ledger.clone());
        let _detached = seat.spawn(Box::pin(async move { match putting.await {} }));
        ledger
    }

    fn start_on(self, node: &Node, world: &Arc<World>) -> Ledger {
        let ledger = Ledger::new(world.clone(), self.mode, self.script);
        let seat = node.begin();
        let serving = server::serve(seat.clone(), self.address, ledger.clone());
        let _detached = seat.spawn(Box::pin(serving));
        ledger
    }
}

#[cfg(test)]
mod tests;
