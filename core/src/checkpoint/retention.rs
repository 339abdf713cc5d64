//! What is kept and what is removed.
//!
//! Kept are the newest checkpoints, and the newest one of the snapshot before the newest snapshot, so that neither one
//! damaged checkpoint nor one damaged snapshot leaves nothing to recover from; and all that these need: their snapshots, and
//! the journal from the oldest segment that one of them names. A checkpoint's name is durably gone before anything that it
//! refers to is removed; unless the sync of its directory failed for another driver, of which only those are told that had named
//! something there. One that comes back is older than all that are retained, and a start passes over it.
//!
//! A checkpoint that an earlier generation published last counts for nothing here, though it is kept as long as any: the sync
//! of its name may have failed, and then a power loss takes it.

use super::{
    Checkpoint, CheckpointDirectory,
    store::{TEMPORARY, file_name, is_older, remove},
};
use crate::{
    env::Env,
    error::{Error, Result},
    event::Event,
    ids::{CheckpointId, SegmentId},
    journal::list_segments,
    listeners::Listeners,
};
use std::collections::BTreeSet;

/// What retention knows of a published checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Retained {
    pub id: CheckpointId,
    pub snapshot: Option<String>,
    pub journal_from: SegmentId,
    /// Its name is known to be durable.
    pub is_durable: bool,
}

impl Retained {
    pub fn new(id: CheckpointId, checkpoint: &Checkpoint) -> Self {
        let snapshot = checkpoint.snapshot.as_ref().map(|snapshot| snapshot.name.clone());
        Self { id, snapshot, journal_from: checkpoint.journal_from, is_durable: true }
    }
}

/// The published checkpoints and how many of them to keep.
pub(crate) struct Retention {
    keep: usize,
    /// Oldest first.
    published: Vec<Retained>,
    /// The first segment that may still exist.
    journal_from: SegmentId,
    /// Everything that an earlier generation left and nothing needs was removed.
    swept: bool,
}

impl Retention {
    pub fn new(keep: usize, mut published: Vec<Retained>) -> Self {
        published.sort_by_key(|retained| retained.id);
        Self { keep, published, journal_from: SegmentId(0), swept: false }
    }

    pub fn add(&mut self, retained: Retained) {
        self.published.push(retained);
    }

    /// The checkpoints that are kept.
    pub fn kept_ids(&self) -> Vec<CheckpointId> {
        self.kept().into_iter().map(|retained| retained.id).collect()
    }

    /// The first segment that any of them needs.
    pub fn journal_from(&self) -> SegmentId {
        self.published.iter().map(|retained| retained.journal_from).min().unwrap_or(SegmentId(0))
    }

    /// Which of the published ones to keep: the newest ones, and as many of which it is known that they are durable.
    fn kept(&self) -> Vec<Retained> {
        let newest = &self.published[self.published.len().saturating_sub(self.keep)..];
        let durable: Vec<_> =
            self.published.iter().rev().filter(|one| one.is_durable).take(self.keep).collect();
        let mut kept: Vec<&Retained> = newest.iter().chain(durable.iter().copied()).collect();
        // A second snapshot, in case the one that all of these name is damaged.
        if let Some(first) = durable.first()
            && first.snapshot.is_some()
            && durable.iter().all(|other| other.snapshot == first.snapshot)
        {
            let others = self.published.iter().filter(|other| other.snapshot != first.snapshot);
            kept.extend(others.max_by_key(|other| (other.is_durable, other.id)));
        }
        kept.sort_by_key(|retained| retained.id);
        kept.dedup();
        kept.into_iter().cloned().collect()
    }

    /// Removes what is not kept.
    ///
    /// # Errors
    /// [`Error::Disk`].
    pub async fn trim(
        &mut self,
        env: &Env,
        directory: &CheckpointDirectory,
        listeners: &Listeners,
    ) -> Result<()> {
        let kept = self.kept();
        let dropped: Vec<_> = self.published.iter().filter(|one| !kept.contains(one)).cloned().collect();
        let (checkpoints, snapshots) = (directory.checkpoints(), directory.snapshots());
        let mut removed_checkpoints = 0;
        for retained in &dropped {
            remove(env, checkpoints.join(file_name(retained.id))).await?;
            removed_checkpoints += 1;
        }
        if !self.swept {
            removed_checkpoints += self.sweep_checkpoints(env, directory, &kept).await?;
        }
        let needed: BTreeSet<_> = kept.iter().filter_map(|retained| retained.snapshot.as_deref()).collect();
        let journal_from = kept.iter().map(|retained| retained.journal_from).min().unwrap_or(SegmentId(0));
        let unneeded: BTreeSet<_> = dropped
            .iter()
            .filter_map(|retained| retained.snapshot.as_deref())
            .filter(|name| !needed.contains(name))
            .collect();
        let mut removed = (removed_checkpoints, 0, 0);
        if !unneeded.is_empty() || journal_from > self.journal_from || !self.swept {
            let gone = env.disk.sync_dir(&checkpoints).await;
            gone.map_err(Error::disk("sync the directory", &checkpoints))?;
            for name in unneeded {
                remove(env, snapshots.join(name)).await?;
                removed.1 += 1;
            }
            if !self.swept {
                removed.1 += sweep_snapshots(env, directory, &needed).await?;
                directory.trim_claims().await?;
            }
            removed.2 = trim_journal(env, directory, journal_from).await?;
        }
        self.journal_from = journal_from;
        self.swept = true;
        self.published = kept;
        let (checkpoints, snapshots, segments) = removed;
        if checkpoints + snapshots + segments > 0 {
            listeners.tell(&Event::Trimmed { checkpoints, snapshots, segments });
        }
        Ok(())
    }

    /// Checkpoints of older generations that the recovery rejected: `published` does not know them.
    async fn sweep_checkpoints(
        &self,
        env: &Env,
        directory: &CheckpointDirectory,
        kept: &[Retained],
    ) -> Result<u64> {
        let checkpoints = directory.checkpoints();
        let names = env.disk.list(&checkpoints).await.map_err(Error::disk("list", &checkpoints))?;
        let mut removed = 0;
        for name in names {
            let known = kept.iter().any(|retained| file_name(retained.id) == name);
            if !known && is_older(&name, directory.generation) && !name.ends_with(TEMPORARY) {
                remove(env, checkpoints.join(name)).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// Snapshots of older generations that no kept checkpoint names: they were written and never published.
async fn sweep_snapshots(env: &Env, directory: &CheckpointDirectory, needed: &BTreeSet<&str>) -> Result<u64> {
    let snapshots = directory.snapshots();
    let names = env.disk.list(&snapshots).await.map_err(Error::disk("list", &snapshots))?;
    let mut removed = 0;
    for name in names {
        if !needed.contains(name.as_str()) && is_older(&name, directory.generation) {
            remove(env, snapshots.join(name)).await?;
            removed += 1;
        }
    }
    Ok(removed)
}

async fn trim_journal(env: &Env, directory: &CheckpointDirectory, from: SegmentId) -> Result<u64> {
    let journal = directory.journal();
    let (segments, marks) = list_segments(env, &journal).await?;
    let mut removed = 0;
    for name in segments.into_iter().filter(|name| name.segment < from) {
        remove(env, name.wal(&journal)).await?;
        removed += 1;
    }
    for name in marks.into_iter().filter(|name| name.segment < from) {
        remove(env, name.marks(&journal)).await?;
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{CheckpointSequence, Generation};

    fn published(sequence: u64, generation: u64, snapshot: &str, is_durable: bool) -> Retained {
        let id = CheckpointId { sequence: CheckpointSequence(sequence), generation: Generation(generation) };
        Retained { id, snapshot: Some(snapshot.into()), journal_from: SegmentId(0), is_durable }
    }

    fn kept(published: Vec<Retained>) -> Vec<u64> {
        let kept = Retention::new(2, published).kept();
        kept.iter().map(|retained| retained.id.sequence.0).collect()
    }

    #[test]
    fn the_newest_ones_are_kept_and_one_of_another_snapshot() {
        let all = [(1, "a"), (2, "a"), (3, "b"), (4, "b"), (5, "b")];
        let all = |durable| all.map(|(sequence, name)| published(sequence, 1, name, durable)).to_vec();
        assert_eq!(kept(all(true)), [2, 4, 5]);
        let mut fresh = all(true);
        fresh.truncate(3);
        assert_eq!(kept(fresh), [2, 3]);
    }

    #[test]
    fn a_checkpoint_that_may_not_be_durable_takes_nobodys_place() {
        // The last ones of generations 1 to 4, of which a power loss may leave nothing.
        let mut all =
            vec![published(1, 1, "a", true), published(2, 1, "b", true), published(3, 1, "c", false)];
        all.extend([published(4, 2, "c", false), published(5, 3, "c", false), published(6, 4, "c", false)]);
        all.push(published(7, 5, "c", true));
        assert_eq!(kept(all.clone()), [2, 6, 7], "as many as ever, and one that is durable");
        all.push(published(8, 5, "c", true));
        assert_eq!(kept(all), [2, 7, 8]);
    }
}
