//! What the judges see: only what can be seen from outside the engine.
//!
//! The disk as each life found it, every change of the output files, the source's ledger and its connections, what became
//! of the faults; and of the driver's own word its event stream, which is part of its interface.

use super::TappedBatch;
use crate::{
    disk::{Buried, Usage},
    fault::{FaultOutcome, StepMade},
    network::ConnectionRecord,
    source::SourceReport,
    world::{Life, RollingHash, VirtualTime},
};
use highwater_core::{event::Event, ids::BatchTime};
use std::collections::BTreeMap;

/// Every file of the disk with its content.
pub type Image = BTreeMap<String, Vec<u8>>;

/// A run, as it was seen from outside.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The driver's lives, in the order of their starts; one may end after the next began.
    pub lives: Vec<LifeEvidence>,
    /// The disk in the end.
    pub last_image: Image,
    /// Journal files that were removed.
    pub graveyard: Vec<Buried>,
    /// What was appended to the tap and to the pipeline's output, in order.
    pub emissions: Vec<Emission>,
    /// The source.
    pub source: SourceReport,
    /// The driver's connections.
    pub connections: Vec<ConnectionRecord>,
    /// What became of each fault.
    pub faults: Vec<FaultOutcome>,
    /// The driver's disk operations, recorded in a run without faults.
    pub steps: Vec<StepMade>,
    /// The space that was used.
    pub usage: Usage,
    /// Whether everything that was sent was processed in time, and the driver stopped when it was asked to.
    pub converged: Result<(), String>,
    /// When the last fault was over.
    pub healed_at: VirtualTime,
    /// When the run ended.
    pub ended_at: VirtualTime,
    /// Of everything that happened at the seams.
    pub hash: RollingHash,
}

/// A life of the driver.
#[derive(Clone, Debug)]
pub struct LifeEvidence {
    /// Which one.
    pub life: Life,
    /// When it began.
    pub began_at: VirtualTime,
    /// When it ended.
    pub ended_at: VirtualTime,
    /// How.
    pub end: LifeEnd,
    /// The disk that it found: when it had claimed its generation, or at its start if it never did. Before the claim an older
    /// driver may write.
    pub image: Image,
    /// When it was asked for an orderly stop, and what it had read of its connections by then.
    pub stop: Option<StopAsked>,
    /// What it said, and when.
    pub events: Vec<(VirtualTime, Event)>,
    /// Its disk operations.
    pub disk_operations: u64,
    /// Its network operations.
    pub network_operations: u64,
}

/// An orderly stop that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopAsked {
    /// When.
    pub at: VirtualTime,
    /// How many bytes the driver had read until then, of each connection by its number.
    pub delivered: BTreeMap<u32, u64>,
}

impl LifeEvidence {
    /// Whether both were alive at one time.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.began_at < other.ended_at && other.began_at < self.ended_at
    }
}

/// How a life ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LifeEnd {
    /// A planned crash, by its place in the plan.
    Crashed {
        /// The fault.
        fault: usize,
        /// Whether it was a power loss.
        power_loss: bool,
    },
    /// It ended itself with an error.
    Failed {
        /// The error.
        error: String,
    },
    /// It ended itself because a newer driver had started.
    Fenced {
        /// The error that says so.
        error: String,
    },
    /// It was asked to stop, and did.
    Stopped,
    /// The run was over before it ended.
    CutOff,
}

/// Something that was appended to an output file.
#[derive(Clone, Debug)]
pub struct Emission {
    /// By which life.
    pub life: Life,
    /// When.
    pub at: VirtualTime,
    /// Which batch, if it can be told.
    pub time: Option<BatchTime>,
    /// Whether it is the tap's; else it is the pipeline's.
    pub tap: bool,
    /// Where in its file.
    pub offset: u64,
    /// The bytes, maybe cut short by a crash.
    pub bytes: Vec<u8>,
}

impl Evidence {
    /// The batches of the tap's file in the end, and the bytes of the file that are no batch.
    pub fn tapped(&self) -> (Vec<TappedBatch>, usize) {
        let bytes = self.last_image.get(super::supervise::TAP).map_or(&[][..], Vec::as_slice);
        let (batches, used) = TappedBatch::parse_all(bytes);
        (batches, bytes.len() - used)
    }

    /// The text of the pipeline's output file in the end.
    pub fn output(&self) -> String {
        let bytes = self.last_image.get(super::supervise::OUTPUT).map_or(&[][..], Vec::as_slice);
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// Whether another life was alive at one time with this.
    pub fn had_company(&self, life: &LifeEvidence) -> bool {
        self.lives.iter().any(|other| other.life != life.life && other.overlaps(life))
    }

    /// All events with their lives, life by life.
    pub fn events(&self) -> impl Iterator<Item = (VirtualTime, Life, &Event)> {
        self.lives.iter().flat_map(|life| life.events.iter().map(|(at, event)| (*at, life.life, event)))
    }
}
