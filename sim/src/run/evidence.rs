//! What the judges see: only what can be seen from outside the engine.
//!
//! The disk as each life found it, every change of the output files, the source's ledger and its connections, what became
//! of the faults; and of the driver's own word its event stream, which is part of its interface.

use super::TappedBatch;
use crate::{
    disk::{Buried, Damage, FailedOperation, Published, Usage},
    fault::{
        Class, DiskOperation, FailedSync, Fault, FaultOutcome, FileSystem, Hit, NetworkOperationMade, Place,
        Step, StepMade, StepSet,
    },
    network::ConnectionRecord,
    source::SourceReport,
    world::{Life, RollingHash, VirtualTime},
};
use highwater_core::{
    Error,
    event::Event,
    ids::{BatchTime, Generation},
};
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Every file of the disk with its content.
pub type Image = BTreeMap<String, Vec<u8>>;

/// A run, as it was seen from outside.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The driver's lives, in the order of their starts; one may end after the next began.
    pub lives: Vec<LifeEvidence>,
    /// The disk in the end.
    pub last_image: Image,
    /// The files of it that damage has changed, as they were written.
    pub last_pristine: Image,
    /// Files of the checkpoint directory that were removed.
    pub graveyard: Vec<Buried>,
    /// The files that were given their names by renames, in order.
    pub published: Vec<Published>,
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
    /// The damage that a reader could meet.
    pub damages: Vec<Damage>,
    /// The operations of which the driver was told that they failed.
    pub failures: Vec<FailedOperation>,
    /// The steps that some life made: what a fault could have hit.
    pub reached: StepSet,
    /// Those of them that were refused at least once, because the name was taken.
    pub refused: StepSet,
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
    /// The disk that it found, damage included: when it had claimed its generation, or at its start if it never did. Before
    /// the claim an older driver may write.
    pub image: Image,
    /// The files of it that damage has changed, as they were written.
    pub pristine: Image,
    /// When it was asked for an orderly stop, and what it had read of its connections by then.
    pub stop: Option<StopAsked>,
    /// Whether it still held the checkpoint directory's lock when it said that it had stopped.
    pub held_at_its_end: bool,
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
    /// The generation that it claimed, and when it said so.
    pub fn claim(&self) -> Option<(VirtualTime, Generation)> {
        self.events.iter().find_map(|(at, event)| match event {
            Event::GenerationClaimed { generation } => Some((*at, *generation)),
            _ => None,
        })
    }

    /// Whether both were alive at one time.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.began_at < other.ended_at && other.began_at < self.ended_at
    }
}

/// How a life ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
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
        /// What kind of error that is.
        cause: Cause,
    },
    /// It was asked to stop, and did.
    Stopped,
    /// The run was over before it ended.
    CutOff,
}

/// What an error that ends a driver is about, as far as the judges tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The checkpoint directory does not hold what was written to it.
    Damage,
    /// A newer driver owns the checkpoint directory.
    Fenced,
    /// A live driver holds it.
    InUse,
    /// It holds checkpoints of another program.
    OtherProgram,
    /// Anything else.
    Other,
}

impl Cause {
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::Shared(inner) => Self::of(inner),
            Error::Damaged { .. } | Error::OtherVersion { .. } | Error::NoUsableCheckpoint { .. } => {
                Self::Damage
            }
            Error::Fenced { .. } => Self::Fenced,
            Error::InUse { .. } => Self::InUse,
            Error::OtherPipeline { .. } => Self::OtherProgram,
            _ => Self::Other,
        }
    }
}

/// Something that was written to an output file.
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
    /// To which file.
    pub path: String,
    /// Where in its file.
    pub offset: u64,
    /// The bytes, maybe cut short by a crash.
    pub bytes: Vec<u8>,
}

impl Emission {
    /// The directory that holds nothing but what a batch emitted, if it is written to one.
    pub fn batch_directory(&self) -> Option<&str> {
        let in_output = self.path.strip_prefix(super::supervise::OUTPUT)?;
        in_output.contains('/').then(|| self.path.rsplit_once('/').map_or("", |(directory, _)| directory))
    }
}

/// An image with the damage undone: what was written.
fn undamaged<'a>(image: &'a Image, pristine: &Image) -> Cow<'a, Image> {
    if pristine.is_empty() {
        return Cow::Borrowed(image);
    }
    let mut image = image.clone();
    image.extend(pristine.iter().map(|(path, bytes)| (path.clone(), bytes.clone())));
    Cow::Owned(image)
}

impl LifeEvidence {
    /// The disk that it found, as it was written: what the lives before it did.
    pub fn written(&self) -> Cow<'_, Image> {
        undamaged(&self.image, &self.pristine)
    }

    /// When it found that disk: at its claim, or when it began if it never came so far.
    pub fn found_at(&self) -> VirtualTime {
        let claim = |(at, event): &(VirtualTime, Event)| {
            matches!(event, Event::GenerationClaimed { .. }).then_some(*at)
        };
        self.events.iter().find_map(claim).unwrap_or(self.began_at)
    }

    /// The batches that it completed, with the times at which it said so.
    pub fn completions(&self) -> impl Iterator<Item = (VirtualTime, BatchTime)> {
        self.events.iter().filter_map(|(at, event)| match event {
            Event::BatchCompleted { time, .. } => Some((*at, *time)),
            _ => None,
        })
    }
}

impl Evidence {
    /// The disk in the end, as it was written.
    pub fn last_written(&self) -> Cow<'_, Image> {
        undamaged(&self.last_image, &self.last_pristine)
    }

    /// What the engine owed in this run: the class of the worst fault that fired.
    pub fn class(&self) -> Class {
        let fired = self.faults.iter().filter(|outcome| outcome.firing.is_some());
        fired.map(|outcome| outcome.fault.kind().class()).max().unwrap_or(Class::Tolerated)
    }

    /// The error with which the driver stopped for good because of damage that a fault did and that it owes no more about:
    /// an error that names file and offset, where there is damage.
    pub fn detected(&self) -> Option<&str> {
        if self.class() == Class::Tolerated {
            return None;
        }
        let last = self.lives.last()?;
        match &last.end {
            LifeEnd::Failed { error, cause: Cause::Damage }
                if names_file_and_offset(error) && self.damage_told(error, last).is_some() =>
            {
                Some(error)
            }
            _ => None,
        }
    }

    /// The damage that a life could meet, by what had fired when it ended.
    pub fn damages_before(&self, life: &LifeEvidence) -> impl Iterator<Item = &Damage> {
        self.damages.iter().filter(|damage| self.has_fired(damage.fault, life.ended_at))
    }

    /// Whether a fault of the plan had fired by then.
    pub fn has_fired(&self, fault: usize, by: VirtualTime) -> bool {
        let firing = self.faults.get(fault).and_then(|outcome| outcome.firing.as_ref());
        firing.is_some_and(|firing| firing.at <= by)
    }

    /// The damage that an error or a rejection of a life tells of: to that very file, or to one of its place. A segment and its marks
    /// bear witness of each other, a segment's length stands in its successor, and a snapshot's in the checkpoints.
    pub(super) fn damage_told(&self, told: &str, life: &LifeEvidence) -> Option<&Damage> {
        let together = |place: Place| match place {
            Place::Marks => Place::Journal,
            Place::State => Place::Checkpoint,
            other => other,
        };
        let places: BTreeSet<Place> = damaged_places(told).map(together).collect();
        let is_named = |damage: &Damage| told.contains(&damage.path);
        let is_near = |damage: &Damage| {
            places.contains(&together(Place::of(&damage.path, super::supervise::CHECKPOINT)))
        };
        let of_it = self.damages_before(life).filter(|damage| is_named(damage) || is_near(damage));
        of_it.max_by_key(|damage| is_named(damage))
    }

    /// Where a life took something that it read for damaged: it passed over a checkpoint, or ended with an error that names the file.
    pub fn refused_damage(&self) -> BTreeSet<Place> {
        let ends = self.lives.iter().filter_map(|life| match &life.end {
            LifeEnd::Failed { error, cause: Cause::Damage } => Some(error),
            _ => None,
        });
        let rejections = self.events().filter_map(|(_, _, event)| match event {
            Event::CandidateRejected { reason, .. } => Some(reason),
            _ => None,
        });
        ends.chain(rejections).flat_map(|told| damaged_places(told)).collect()
    }

    /// The syncs of a directory of which a driver was told that they failed, in order: what was done to its names may be undone.
    pub(crate) fn lost_names(&self, place: Place) -> impl Iterator<Item = &FailedOperation> {
        let step = Step { operation: DiskOperation::SyncDir, place };
        self.failures.iter().filter(move |failure| failure.step == step)
    }

    /// When a driver was told that a sync of a file failed: what was not durable of it may be gone.
    pub(crate) fn lost_bytes(&self, path: &str) -> impl Iterator<Item = VirtualTime> {
        let failed = self.failures.iter().filter(|failure| failure.step.operation == DiskOperation::Sync);
        failed.filter(move |failure| failure.path == path).map(|failure| failure.at)
    }

    /// The files and the directories that changed under the hands of a life, by a sync that failed for another one.
    pub(crate) fn gone_at_once(&self, life: &LifeEvidence) -> impl Iterator<Item = &str> {
        self.faults.iter().filter_map(|outcome| {
            let Fault::FailedSync(FailedSync { file_system: FileSystem::Btrfs, .. }) = &outcome.fault else {
                return None;
            };
            let firing = outcome.firing.as_ref()?;
            let Hit::Disk { path, step, .. } = &firing.hit else { return None };
            let concerns = firing.life != life.life && (life.began_at..=life.ended_at).contains(&firing.at);
            (concerns && step.operation.is_sync()).then_some(path.as_str())
        })
    }

    /// By how much the wall clock was put back in all after that: what was due then is not any more.
    pub fn wall_put_back_after(&self, at: VirtualTime) -> Duration {
        let after = |outcome: &&FaultOutcome| outcome.firing.as_ref().is_some_and(|firing| firing.at >= at);
        let fired = self.faults.iter().filter(after);
        let back_ms = fired.map(|outcome| match &outcome.fault {
            Fault::WallStep(step) => step.by_ms.min(0).unsigned_abs(),
            _ => 0,
        });
        Duration::from_millis(back_ms.fold(0, u64::saturating_add))
    }

    /// The batches that were emitted, by the longest of their emissions to the tap, in the order of their times. A life
    /// that is refused because of damage leaves the output file as the crash before it left it, torn; what was emitted is
    /// right or wrong all the same.
    pub fn emitted(&self) -> Vec<TappedBatch> {
        let taps = self.emissions.iter().filter(|emission| emission.tap);
        let parsed = taps.filter_map(|emission| TappedBatch::parse(&emission.bytes));
        let batches: BTreeMap<BatchTime, TappedBatch> =
            parsed.map(|(batch, _)| (batch.time, batch)).collect();
        batches.into_values().collect()
    }

    /// The batches of the tap's file in the end, and the bytes of the file that are no batch.
    pub fn tapped(&self) -> (Vec<TappedBatch>, usize) {
        let bytes = self.last_image.get(super::supervise::TAP).map_or(&[][..], Vec::as_slice);
        let (batches, used) = TappedBatch::parse_all(bytes);
        (batches, bytes.len() - used)
    }

    /// The batches that there are in the end: those of the tap's file; where damage stopped the driver for good, those that
    /// were emitted.
    pub fn batches(&self) -> Vec<TappedBatch> {
        match self.detected() {
            None => self.tapped().0,
            Some(_) => self.emitted(),
        }
    }

    /// The text of the pipeline's output in the end: that of its file; and of each file that it has in directories below, by path,
    /// with a line before it that names it. Hidden files are no output.
    pub fn output(&self) -> String {
        let outputs = self.last_image.range(super::supervise::OUTPUT.to_owned()..);
        let outputs = outputs.take_while(|(path, _)| path.starts_with(super::supervise::OUTPUT));
        let outputs = outputs.filter(|(path, _)| hidden_name(path).is_none());
        outputs.map(|(path, bytes)| output_heading(path) + &String::from_utf8_lossy(bytes)).collect()
    }

    /// Whether a file is a hidden one in the directory of a batch.
    pub fn hides_in_batch(&self, path: &str) -> bool {
        let in_output = path.strip_prefix(super::supervise::OUTPUT);
        in_output.is_some_and(|below| below.contains('/')) && hidden_name(path).is_some()
    }

    /// Whether what was emitted stands in its file in the end, as far as the file goes.
    pub fn stands(&self, emission: &Emission) -> bool {
        let file = self.last_image.get(&emission.path).map_or(&[][..], Vec::as_slice);
        let place = file.get(emission.offset as usize..).unwrap_or_default();
        place.iter().zip(&emission.bytes).all(|(stands, emitted)| stands == emitted)
    }

    /// Whether there ever were two drivers at once.
    pub fn had_two_drivers(&self) -> bool {
        self.lives.iter().any(|life| self.had_company(life))
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

/// The directory of a file with a hidden name, with its slash, and the name without the dot.
pub(crate) fn hidden_name(path: &str) -> Option<(&str, &str)> {
    let (directory, name) = path.split_at(path.rfind('/')? + 1);
    Some((directory, name.strip_prefix('.')?))
}

/// The line before the content of a file in the text of the output: none for the output file itself.
pub(crate) fn output_heading(path: &str) -> String {
    match path.strip_prefix(super::supervise::OUTPUT) {
        Some("") | None => String::new(),
        Some(rest) => format!("out{rest}:\n"),
    }
}

/// `/checkpoint/journal/0001.wal is damaged at byte 99: ...`
fn names_file_and_offset(error: &str) -> bool {
    let offset = error.split_once(" at byte ").and_then(|(_, rest)| rest.chars().next());
    // Where no checkpoint is left it names the directory, and each file in it.
    let directory = super::supervise::CHECKPOINT;
    let file = error.contains(&format!("{directory}/")) || error.contains(&format!("{directory} holds data"));
    file && offset.is_some_and(|c| c.is_ascii_digit())
}

/// The places of the files that an error calls damaged: `/checkpoint/journal/0001.wal is damaged at byte 99: ...`
fn damaged_places(error: &str) -> impl Iterator<Item = Place> {
    let told: Vec<&str> = error.split(" is damaged at byte ").collect();
    let named = told.len() - 1;
    told.into_iter().take(named).filter_map(|before| {
        let path = before.rsplit(' ').next()?;
        let directory = super::supervise::CHECKPOINT;
        match path.starts_with(directory) {
            true => Some(Place::of(path, directory)),
            false => Some(Place::of(&format!("{directory}/{path}"), directory)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_tells_which_places_it_calls_damaged() {
        let places = |error| damaged_places(error).collect::<Vec<_>>();
        assert_eq!(places("/checkpoint/journal/0001-0001.wal is damaged at byte 9: x"), [Place::Journal]);
        let rejected =
            "rejected: checkpoint/0002-0001 is damaged at byte 0: x; state/0001-0001 is damaged at byte 7: y";
        assert_eq!(places(rejected), [Place::Checkpoint, Place::State]);
        assert_eq!(places("the disk is full"), []);
    }
}
