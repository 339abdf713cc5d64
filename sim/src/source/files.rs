//! Puts a script into a directory of the driver's disk, in files of the lines that are due: as another machine would that has its
//! share of that disk.
//!
//! A file appears whole and durable, under the number of its first line. What is there counts as acknowledged: nobody will send it
//! again.

use super::Ledger;
use crate::{clock::Alarm, world::Seat};
use std::convert::Infallible;

/// Where the files appear.
pub(crate) const DIRECTORY: &str = "/input";
/// Lines of a file, at most.
const LINES_MAX: usize = 16;

/// Puts them there for ever.
pub(super) async fn put(seat: Seat, ledger: Ledger) -> Infallible {
    loop {
        let mut lines = Vec::new();
        if let Some(first) = ledger.put_due(LINES_MAX, &mut lines) {
            seat.place(&format!("{DIRECTORY}/lines-{first:06}"), &lines);
        } else if let Some(due) = ledger.next_due() {
            tokio::select! {
                biased;
                () = ledger.all_due() => {}
                () = Alarm::at(&seat.world, due) => {}
            }
        } else {
            std::future::pending::<()>().await;
        }
    }
}
