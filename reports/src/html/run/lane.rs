//! The lanes of the chart, and which of them a thing that happened belongs to.

use highwater_core::event::Event;
use highwater_sim::{fault::Place, run::Happening};
use serde::Serialize;

/// A lane, from the top down: data flow from the source to the sinks, below them the driver that moves them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Lane {
    Faults,
    Source,
    Connection,
    Journal,
    Batches,
    Checkpoints,
    Sinks,
    Lives,
}

impl Lane {
    pub const ALL: [Self; 8] = [
        Self::Faults,
        Self::Source,
        Self::Connection,
        Self::Journal,
        Self::Batches,
        Self::Checkpoints,
        Self::Sinks,
        Self::Lives,
    ];

    /// What it is called, and what it shows.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Faults => ("faults", "what was done to the driver and its world"),
            Self::Source => ("source", "lines that the source sent"),
            Self::Connection => ("connection", "connections of the driver to its source"),
            Self::Journal => ("journal", "blocks of records made durable, and segments begun"),
            Self::Batches => ("batches", "batches allocated and completed"),
            Self::Checkpoints => ("checkpoints", "checkpoints, snapshots of the state, and what is trimmed"),
            Self::Sinks => ("sinks", "outputs written"),
            Self::Lives => ("lives", "the driver's lives, with their starts, recoveries and ends"),
        }
    }

    /// Every happening is named: one that is added does not compile until it has a lane.
    pub fn of(happening: &Happening) -> Self {
        match happening {
            Happening::FaultFired { .. } => Self::Faults,
            Happening::LifeBegan | Happening::LifeFailed { .. } | Happening::CutOff => Self::Lives,
            Happening::Event(event) => match event {
                Event::GenerationClaimed { .. }
                | Event::StartedFresh { .. }
                | Event::Recovered(_)
                | Event::Stopping
                | Event::Stopped { .. } => Self::Lives,
                Event::TemporaryRemoved { .. }
                | Event::CandidateRejected { .. }
                | Event::SnapshotWritten { .. }
                | Event::CheckpointPublished { .. }
                | Event::Trimmed { .. } => Self::Checkpoints,
                Event::SourceConnected { .. } | Event::SourceDisconnected { .. } => Self::Connection,
                Event::RecordsRepaired { .. } => Self::Source,
                Event::BlockStored { .. } | Event::SegmentStarted { .. } => Self::Journal,
                Event::BatchAllocated { .. }
                | Event::BatchCompleted { .. }
                | Event::BatchesSkipped { .. } => Self::Batches,
                Event::BatchEmitted { .. } | Event::OutputIncomplete { .. } | Event::OutputMissing { .. } => {
                    Self::Sinks
                }
            },
        }
    }

    /// Where a disk operation is shown.
    pub fn of_place(place: Place) -> Self {
        match place {
            Place::Journal | Place::Marks => Self::Journal,
            Place::Checkpoint | Place::State => Self::Checkpoints,
            Place::Output | Place::Elsewhere => Self::Sinks,
            Place::Root | Place::Generation => Self::Lives,
        }
    }
}

/// How a mark looks: what a reader should see first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Tone {
    /// A step of an undisturbed batch.
    Routine,
    /// Worth a look.
    Notable,
    /// Done once before.
    Again,
    /// A fault.
    Fault,
    /// Something ended that should not have.
    Bad,
}

impl Tone {
    pub fn of(happening: &Happening) -> Self {
        match happening {
            Happening::FaultFired { .. } => Self::Fault,
            Happening::LifeFailed { .. } | Happening::CutOff => Self::Bad,
            Happening::LifeBegan => Self::Notable,
            Happening::Event(event) => match event {
                Event::Stopped { error: Some(_) }
                | Event::CandidateRejected { .. }
                | Event::OutputMissing { .. } => Self::Bad,
                Event::BatchEmitted { repetition: true, .. }
                | Event::Recovered(_)
                | Event::OutputIncomplete { .. } => Self::Again,
                Event::BatchEmitted { .. }
                | Event::BlockStored { .. }
                | Event::BatchAllocated { .. }
                | Event::BatchCompleted { .. }
                | Event::SnapshotWritten { .. }
                | Event::CheckpointPublished { .. }
                | Event::Trimmed { .. }
                | Event::SegmentStarted { .. } => Self::Routine,
                Event::GenerationClaimed { .. }
                | Event::StartedFresh { .. }
                | Event::TemporaryRemoved { .. }
                | Event::SourceConnected { .. }
                | Event::SourceDisconnected { .. }
                | Event::RecordsRepaired { .. }
                | Event::BatchesSkipped { .. }
                | Event::Stopping
                | Event::Stopped { error: None } => Self::Notable,
            },
        }
    }
}
