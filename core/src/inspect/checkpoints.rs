//! Which checkpoints there are, which of them can be restored, and what a start would make of them.
//!
//! The order and the rules are those of [`recovery`]; that it comes to the same is tested over every damage of every file
//! (`tests/tests/damaged_directory/inspected.rs`).

use super::{
    FoundCheckpoint, FoundSnapshot, Inspection, OperatorState, PendingBatch, SourceState, Start,
    checkpoint_of, damage_of, listing::Listing,
};
use crate::{
    checkpoint::{Checkpoint, SnapshotOutline, checkpoints_in, outline_snapshot},
    codec,
    dstream::{OperatorDescription, OperatorKind},
    env::Env,
    error::{Error, Result},
    ids::CheckpointId,
    journal::Keep,
    recovery::{self, Recovered},
};
use std::{collections::BTreeMap, path::Path};

/// The checkpoints that can be read.
pub(super) type Read = BTreeMap<CheckpointId, Checkpoint>;

pub(super) async fn look(
    env: &Env,
    directory: &Path,
    listing: &Listing,
    inspection: &mut Inspection,
) -> Result<Read> {
    let counting = checkpoints_in(&listing.checkpoint_names());
    let mut looking =
        Looking { env, directory, listing, read: Read::new(), rejected: Vec::new(), start: None };
    let mut retained: Option<Vec<CheckpointId>> = None;
    for (id, bytes) in listing.checkpoints() {
        let mut found = FoundCheckpoint {
            id,
            bytes,
            completed: None,
            age_batches: None,
            age_ms: None,
            pending: None,
            snapshot: None,
            restorable: false,
            why_not: None,
            snapshot_read: false,
        };
        let passed_over = match () {
            () if !counting.contains(&id) => Some("a newer driver had published before: it does not count"),
            () if retained.as_ref().is_some_and(|retained| !retained.contains(&id)) => {
                Some("it was removed, and a power loss has undone that: what it refers to may be gone")
            }
            () => None,
        };
        match checkpoint_of(env, directory, id).await {
            Ok(checkpoint) => {
                if passed_over.is_none() {
                    retained.get_or_insert_with(|| checkpoint.retained.clone());
                }
                found.completed = Some(checkpoint.completed);
                found.pending = Some(checkpoint.pending.len() as u64);
                found.snapshot.clone_from(&checkpoint.snapshot);
                looking.read.insert(id, checkpoint.clone());
                match passed_over {
                    Some(why) => found.why_not = Some(why.into()),
                    None => looking.restore(&mut found, checkpoint, inspection).await?,
                }
            }
            Err(error) => {
                let why = recovery::rejection(&error);
                found.why_not = Some(passed_over.map_or_else(|| why.clone(), str::to_owned));
                if passed_over.is_none() {
                    looking.reject(id, why, &error);
                    inspection.damage.push(damage_of(error)?);
                }
            }
        }
        inspection.checkpoints.push(found);
    }
    looking.tell_ages(inspection);
    inspection.snapshots = looking.snapshots();
    inspection.start = match looking.start {
        Some(start) => start,
        None => looking.without_checkpoint(),
    };
    Ok(looking.read)
}

struct Looking<'a> {
    env: &'a Env,
    directory: &'a Path,
    listing: &'a Listing,
    read: Read,
    rejected: Vec<(CheckpointId, String)>,
    start: Option<Start>,
}

impl Looking<'_> {
    /// Finds out whether a start could go on from a checkpoint. The first one with a sound snapshot is the one that a start takes.
    async fn restore(
        &mut self,
        found: &mut FoundCheckpoint,
        checkpoint: Checkpoint,
        inspection: &mut Inspection,
    ) -> Result<()> {
        let is_first = self.start.is_none();
        found.snapshot_read = is_first && checkpoint.snapshot.is_some();
        let outline = match self.snapshot_of(&checkpoint, is_first).await {
            Ok(outline) => outline,
            Err(error) => {
                let why = recovery::rejection(&error);
                if is_first {
                    self.reject(found.id, why.clone(), &error);
                }
                found.why_not = Some(why);
                inspection.damage.push(damage_of(error)?);
                return Ok(());
            }
        };
        let journal = self.directory.join("journal");
        let followed = recovery::follow(self.env, &journal, found.id, &checkpoint, None, Keep::Outline).await;
        let recovered = followed.and_then(|followed| {
            let place = (journal, found.id.generation.next());
            recovery::replay(place, found.id, found.id, checkpoint, Vec::new(), followed, Vec::new())
        });
        match recovered {
            Ok(recovered) => {
                found.restorable = true;
                if is_first {
                    self.start = Some(told(&recovered, outline.as_ref()));
                }
            }
            Err(error) => {
                if is_first {
                    self.start = Some(Start::Refuses { error: error.to_string() });
                }
                found.why_not = Some(recovery::rejection(&error));
                inspection.damage.push(damage_of(error)?);
            }
        }
        Ok(())
    }

    /// What is in the snapshot of a checkpoint, if it is read. Otherwise its length is looked at.
    async fn snapshot_of(&self, checkpoint: &Checkpoint, is_read: bool) -> Result<Option<SnapshotOutline>> {
        let Some(reference) = &checkpoint.snapshot else { return Ok(None) };
        let name = name_of(Path::new(&reference.name));
        let path = self.directory.join("state").join(&name);
        if is_read {
            return outline_snapshot(&*self.env.disk, &path, Some(reference)).await.map(Some);
        }
        let (offset, reason) = match self.listing.length("state", &name) {
            None => (0, "the file is missing".to_owned()),
            Some(bytes) if bytes == reference.bytes => return Ok(None),
            Some(bytes) => (bytes, format!("it ends here and should have {} bytes", reference.bytes)),
        };
        Err(Error::Damaged { path, offset, reason })
    }

    /// A start passes over it, or ends with the error, if that is more than damage.
    fn reject(&mut self, id: CheckpointId, why: String, error: &Error) {
        if self.start.is_some() {
            return;
        }
        if !matches!(error, Error::Damaged { .. }) {
            self.start = Some(Start::Refuses { error: error.to_string() });
        }
        self.rejected.push((id, why));
    }

    fn tell_ages(&self, inspection: &mut Inspection) {
        let Some((_, newest)) = self.read.iter().next_back() else { return };
        for found in &mut inspection.checkpoints {
            if let Some(completed) = found.completed {
                let age_ms = newest.completed.0.saturating_sub(completed.0);
                (found.age_ms, found.age_batches) = (Some(age_ms), Some(age_ms / newest.interval.millis()));
            }
        }
    }

    fn snapshots(&self) -> Vec<FoundSnapshot> {
        let named_by = |name: &str| {
            let names = |(_, checkpoint): &(&CheckpointId, &Checkpoint)| {
                checkpoint.snapshot.as_ref().is_some_and(|snapshot| snapshot.name == name)
            };
            self.read.iter().filter(names).map(|(id, _)| *id).collect()
        };
        let found = |(name, bytes): (&str, u64)| FoundSnapshot {
            name: name.to_owned(),
            bytes,
            named_by: named_by(name),
        };
        self.listing.snapshots().into_iter().map(found).collect()
    }

    fn without_checkpoint(&self) -> Start {
        let found = self.listing.data();
        if found.is_empty() && self.rejected.is_empty() {
            return Start::BeginAfresh;
        }
        let found = if found.is_empty() { "checkpoints".to_owned() } else { found.join(", ") };
        let (directory, rejected) = (self.directory.to_owned(), self.rejected.clone());
        Start::Refuses { error: Error::NoUsableCheckpoint { directory, found, rejected }.to_string() }
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn told(recovered: &Recovered, outline: Option<&SnapshotOutline>) -> Start {
    let operators = &recovered.checkpoint.operators;
    let describe =
        |id| operators.iter().find(|operator| operator.id == id).map(OperatorDescription::to_string);
    let state = outline.into_iter().flat_map(|outline| &outline.operators);
    let state = state.map(|(operator, (chunks, bytes))| OperatorState {
        operator: *operator,
        description: describe(*operator).unwrap_or_default(),
        chunks: *chunks,
        bytes: *bytes,
    });
    let pending = recovered.pending.iter().map(|batch| PendingBatch {
        time: batch.time,
        blocks: batch.blocks.len() as u64,
        records: batch.records(),
    });
    let report = &recovered.report;
    Start::Recover {
        checkpoint: report.checkpoint,
        completed: recovered.completed,
        state_of: report.snapshot,
        state_replays: report.state_replays,
        pending: pending.collect(),
        waiting_records: report.unallocated_records,
        journal_records: report.journal_records,
        torn_bytes: report.torn_bytes,
        state: state.collect(),
        sources: sources(recovered),
        sinks: recovered.sinks.clone(),
    }
}

/// The sources, which are numbered in the order of their operators.
fn sources(recovered: &Recovered) -> Vec<SourceState> {
    let operators = recovered.checkpoint.operators.iter().filter(|operator| operator.parents.is_empty());
    let source = |((number, source), operator): ((u32, &recovery::RecoveredSource), &OperatorDescription)| {
        let position = source.position.as_ref().filter(|_| operator.kind != OperatorKind::TextFileStream);
        SourceState {
            source: crate::ids::SourceId(number),
            description: operator.to_string(),
            blocks: source.next.0,
            waiting_blocks: source.unallocated.len() as u64,
            position: position.and_then(|position| codec::decode(&position.0).ok()),
        }
    };
    (0..).zip(&recovered.sources).zip(operators).map(source).collect()
}
