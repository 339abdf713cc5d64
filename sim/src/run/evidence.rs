//! What the judges see: only what can be seen from outside the engine.
//!
//! The disk as each life found it, every change of the output files, the source's ledger and its connections, what became
//! of the faults; and of the driver's own word its event stream, which is part of its interface.

use super::TappedBatch;
use crate::{
    disk::{Buried, Usage},
    fault::{FaultOutcome, NetworkOperationMade, StepMade},
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
    /// The driver's lives, in order.
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
    /// The driver's disk operations, recorded in a run without faults and where they were asked for.
    pub steps: Vec<StepMade>,
    /// Its network operations, recorded likewise.
    pub network_operations: Vec<NetworkOperationMade>,
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
    /// The disk that it found.
    pub image: Image,
    /// What it said, and when.
    pub events: Vec<(VirtualTime, Event)>,
    /// Its disk operations.
    pub disk_operations: u64,
    /// Its network operations.
    pub network_operations: u64,
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

    /// All events with their lives, in order.
    pub fn events(&self) -> impl Iterator<Item = (VirtualTime, Life, &Event)> {
        self.lives.iter().flat_map(|life| life.events.iter().map(|(at, event)| (*at, life.life, event)))
    }
}
