//! Batch times: one tick an interval, on the grid that the first start's zero time fixed.
//!
//! Within a life ticks follow the monotonic clock, so a step of the wall clock moves nothing. Between lives the wall clock
//! says which times were missed; where it went back, the next batch is one interval after the last one all the same.

use super::{Backlog, BatchBlocks};
use crate::{
    env::{Env, Monotonic},
    error::Result,
    event::Event,
    flag::Flag,
    ids::{BatchTime, Interval},
    listeners::Listeners,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// How many missed batches share a sync of their allocation.
const ALLOCATED_AT_ONCE_MAX: usize = 64;

pub(crate) struct Generator {
    pub env: Env,
    pub backlog: Arc<Backlog>,
    pub listeners: Listeners,
    pub interval: Interval,
    /// The last batch time that was allocated, or the zero time.
    pub last: BatchTime,
    pub missed_batches_max: u64,
    pub batches: mpsc::Sender<BatchBlocks>,
    /// True once the receivers have ended: what is in the backlog is all there will be.
    pub drain: Flag,
}

impl Generator {
    /// Generates batches until the drain is asked for and nothing is left.
    pub async fn run(mut self) -> Result<()> {
        let clock = self.env.clock.clone();
        // Batch times beyond this are reached when the monotonic clock has come as far.
        let anchor = (clock.monotonic(), clock.wall().0.max(self.last.0));
        self.skip(anchor.1);
        loop {
            let mut due = Vec::new();
            let now_ms = anchor.1 + clock.monotonic().since(anchor.0).as_millis() as u64;
            while due.len() < ALLOCATED_AT_ONCE_MAX && self.last.next(self.interval).0 <= now_ms {
                self.last = self.last.next(self.interval);
                due.push(self.last);
            }
            if due.is_empty() {
                let ahead_ms = self.last.next(self.interval).0 - anchor.1;
                if self.wait(anchor.0.after(Duration::from_millis(ahead_ms))).await {
                    return Ok(());
                }
                continue;
            }
            for batch in self.backlog.allocate(&due, &self.listeners).await? {
                // The runner has ended, and tells why: that is what ends the driver.
                if self.batches.send(batch).await.is_err() {
                    return Ok(());
                }
            }
        }
    }

    /// Waits for the next tick; true if there is nothing left to wait for.
    async fn wait(&mut self, until: Monotonic) -> bool {
        let tick = self.env.clock.sleep_until(until);
        let drained = async {
            self.drain.raised().await;
            if self.backlog.has_unallocated() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = drained => true,
            () = tick => false,
        }
    }

    /// Passes over the oldest missed times beyond the cap.
    fn skip(&mut self, now_ms: u64) {
        let missed = now_ms.saturating_sub(self.last.0) / self.interval.millis();
        let Some(count) = missed.checked_sub(self.missed_batches_max).filter(|count| *count > 0) else {
            return;
        };
        let from = self.last.next(self.interval);
        self.last = BatchTime(self.last.0 + count * self.interval.millis());
        self.listeners.tell(&Event::BatchesSkipped { from, count });
    }
}
