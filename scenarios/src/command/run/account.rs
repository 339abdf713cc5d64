//! What a run did, as the document that `--format json` ends with: what it recovered, what it completed, how it ended.
//!
//! It is kept from the driver's events, and does not grow with the run.

use super::super::{Failure, INTERRUPTED, UNUSABLE};
use highwater_core::{
    event::{Event, Recovery},
    ids::Generation,
};
use serde::Serialize;

/// What a driver has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Account {
    /// The generation that it claimed.
    pub generation: Option<Generation>,
    /// What it found; `None` after a first start.
    pub recovered: Option<Recovery>,
    pub batches_completed: u64,
    /// Those that an earlier life may have emitted, too.
    pub batches_emitted_again: u64,
    /// In the batches that were completed.
    pub records: u64,
    /// The time of the last batch that was completed, as the output has it.
    pub last_batch: Option<String>,
    pub checkpoints: u64,
    pub connections: u64,
}

impl Account {
    /// Enters what happened.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::GenerationClaimed { generation } => self.generation = Some(*generation),
            Event::Recovered(recovery) => self.recovered = Some(recovery.clone()),
            Event::BatchCompleted { time, records } => {
                self.batches_completed += 1;
                self.records += *records;
                self.last_batch = Some(time.to_string());
            }
            Event::BatchEmitted { repetition: true, .. } => self.batches_emitted_again += 1,
            Event::CheckpointPublished { .. } => self.checkpoints += 1,
            Event::SourceConnected { .. } => self.connections += 1,
            _ => {}
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Ending {
    /// In order: what was received is processed.
    Stopped,
    /// At once, by a second Ctrl-C.
    Interrupted,
    /// By an error that may go away.
    Failed,
    /// By an error that comes again until somebody mends the input.
    Unusable,
}

impl Ending {
    pub fn of(ended: &Result<(), Failure>) -> Self {
        match ended {
            Ok(()) => Self::Stopped,
            Err(Failure { status: INTERRUPTED, .. }) => Self::Interrupted,
            Err(Failure { status: UNUSABLE, .. }) => Self::Unusable,
            Err(_) => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_core::ids::BatchTime;

    #[test]
    fn events_are_added_up() {
        let time = BatchTime(1_519_961_356_000);
        let mut account = Account::default();
        for event in [
            Event::GenerationClaimed { generation: Generation(3) },
            Event::BatchEmitted { time, repetition: true },
            Event::BatchCompleted { time, records: 4 },
            Event::BatchEmitted { time, repetition: false },
            Event::BatchCompleted { time, records: 5 },
            Event::Stopping,
        ] {
            account.note(&event);
        }
        let expected = Account {
            generation: Some(Generation(3)),
            batches_completed: 2,
            batches_emitted_again: 1,
            records: 9,
            last_batch: Some("2018-03-02 03:29:16".to_owned()),
            ..Account::default()
        };
        assert_eq!(account, expected);
    }
}
