//! What faults do to the disk: syncs that fail, bits that rot, writes that go wrong, reads that are stale. Pure state, as the volume;
//! which fault strikes what is decided in `fate`.
//!
//! A sync of a directory that fails gives its pending changes up: ext4 and XFS go on showing them, btrfs shows at once what is
//! durable, and every file that was moved meanwhile is back under its durable name. None of the three promises this for a
//! directory by itself (a failed log write mostly ends in a read-only file system); it is what a reader meets after that.

use super::{
    damage::{Damage, Latent},
    names::{NameChange, What},
    record::{ContentChange, RecordedChange},
    sabotaged::Postponed,
    untold::Untold,
    volume::{Actor, InodeId, Volume, directory_of},
};
use crate::{
    fault::{FileSystem, Step},
    world::{Life, NodeIndex},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    ops::Range,
};

/// What faults do to the disk for longer than an operation.
#[derive(Default)]
pub(crate) struct Struck {
    /// Syncs report success and do nothing.
    pub lies: bool,
    /// The next operation takes so many milliseconds.
    pub stall_ms: Option<u64>,
    pub slow_start: Option<SlowLife>,
    /// Whether a failed sync of a directory ever gave changes of names up.
    pub names_given_up: bool,
    /// Set by a read that was stale: the bytes that it did not show.
    pub unseen: Option<Range<u64>>,
    /// All that stale reads did not show.
    pub stale: Vec<Damage>,
    /// The syncs that a sabotage lets wait, each for a step.
    pub(super) postponed: Vec<(Step, Postponed)>,
    /// Those of them whose step has come: they take effect before the next durable step.
    pub(super) overdue: Vec<Postponed>,
    /// Who else is to be told of syncs that failed.
    pub(super) untold: Untold,
    /// By life, the claim that it created; known where a sabotage asks for it.
    pub claims: BTreeMap<(NodeIndex, Life), String>,
}

/// A life whose first disk operations are slow.
#[derive(Clone, Copy)]
pub(crate) struct SlowLife {
    pub node: NodeIndex,
    pub life: Life,
    pub operations: u64,
    pub latency_ms: u64,
}

impl Struck {
    /// Whether an operation may go another way than usual, or take longer, by what is going on.
    pub(crate) fn is_any(&self) -> bool {
        self.lies || self.stall_ms.is_some() || self.slow_start.is_some()
    }

    /// What goes on is over.
    pub(crate) fn heal(&mut self) {
        (self.lies, self.stall_ms, self.slow_start) = (false, None, None);
    }
}

impl Volume {
    /// A sync of a file fails.
    pub(crate) fn fail_sync(
        &mut self,
        inode: InodeId,
        file_system: FileSystem,
        is_written: impl FnMut(usize) -> bool,
        actor: Actor,
    ) {
        let file = &mut self.inodes[inode.0];
        if !file.fail_sync(file_system, is_written) {
            return;
        }
        if file.recorded {
            let content = Some(file.content.clone());
            let change = ContentChange::PowerLoss { content };
            self.record.changes.push(RecordedChange::new(&file.name, actor, change));
        }
        self.recount();
    }

    /// A sync of a directory fails. `is_written` says of each pending change, given how many are behind it, whether it happened
    /// on the medium all the same.
    pub(crate) fn fail_sync_dir(
        &mut self,
        path: &str,
        file_system: FileSystem,
        mut is_written: impl FnMut(usize) -> bool,
        actor: Actor,
    ) {
        if file_system == FileSystem::Btrfs {
            return self.revert_names(path, actor);
        }
        let mut behind = self.pending.iter().filter(|change| change.touches(path)).count();
        let happen = self.pending.iter().map(|change| {
            let touches = change.touches(path);
            behind -= usize::from(touches);
            touches && is_written(behind)
        });
        let happen = happen.collect();
        self.settle_names(happen);
        let waiting = self.pending.len();
        self.pending.retain(|change| !change.touches(path));
        self.struck.names_given_up |= self.pending.len() < waiting;
    }

    /// Every file whose name in a directory is not durable is back where it durably is, and so is whoever took a name from one of
    /// these.
    fn revert_names(&mut self, path: &str, actor: Actor) {
        let touching = self.pending.iter().filter(|change| change.touches(path));
        let mut reverted: BTreeSet<InodeId> = touching.map(|change| change.inode).collect();
        loop {
            let homes: Vec<&str> =
                reverted.iter().filter_map(|inode| self.inode(*inode).durable_name.as_deref()).collect();
            let takes_a_home =
                |change: &&NameChange| change.taken().is_some_and(|name| homes.contains(&name));
            let took = self.pending.iter().filter(takes_a_home).map(|change| change.inode);
            // Whose name was to be taken over has it again.
            let replaced = self.pending.iter().filter(|change| reverted.contains(&change.inode));
            let replaced = replaced.filter_map(|change| match &change.what {
                What::Replaced { to, .. } => self.durable.get(to).copied(),
                _ => None,
            });
            let took = took.chain(replaced);
            // Also by a change that was given up: that one is seen and waits for nothing.
            let taken: Vec<InodeId> =
                homes.iter().filter_map(|home| self.find(home).ok()).chain(took).collect();
            let before = reverted.len();
            reverted.extend(taken);
            if reverted.len() == before {
                break;
            }
        }
        self.pending.retain(|change| !reverted.contains(&change.inode));
        for inode in &reverted {
            let (linked, name) = (self.inode(*inode).linked, self.inode(*inode).name.clone());
            if linked {
                self.unlink(&name);
            }
        }
        for inode in reverted {
            let home = self.inode(inode).durable_name.clone();
            if let Some(home) = &home {
                self.link(inode, home).expect("a directory is never removed");
            }
            let watched = home.as_ref().is_some_and(|home| self.record.watches_output(home));
            let file = &mut self.inodes[inode.0];
            let moved = file.linked != home.is_some() || home.as_ref().is_some_and(|home| *home != file.name);
            if moved && (file.recorded || watched) {
                let content = home.is_some().then(|| file.content.clone());
                let name = home.as_deref().unwrap_or(&file.name);
                let change = RecordedChange::new(name, actor, ContentChange::PowerLoss { content });
                self.record.changes.push(change);
            }
            file.linked = home.is_some();
            if let Some(home) = home {
                (file.name, file.recorded) = (home, watched);
            }
        }
        self.recount();
    }

    /// A bit of a file flips.
    pub(crate) fn rot(&mut self, inode: InodeId, fault: usize, byte: usize, bit: u8) {
        self.inodes[inode.0].rot(fault, byte, bit);
    }

    /// What was written is not what will be read.
    pub(crate) fn damage_later(&mut self, inode: InodeId, latent: Latent) {
        self.inodes[inode.0].damage_later(latent);
    }

    /// The files that are wanted and hold anything, the newest name first, with how many of their bytes faults can reach: the
    /// durable ones, or all where none are.
    pub(crate) fn reachable(&self, wanted: impl Fn(&str) -> bool) -> Vec<(InodeId, usize)> {
        let names = self.directories.iter().flat_map(|(directory, names)| {
            names.iter().map(move |(name, inode)| (format!("{directory}/{name}"), *inode))
        });
        let mut files: Vec<(String, InodeId)> = names.filter(|(path, _)| wanted(path)).collect();
        files.sort_by(|(one, _), (other, _)| other.cmp(one));
        let reach = |inode: InodeId| match self.inode(inode) {
            file if file.synced > 0 => file.synced,
            file => file.content.len(),
        };
        files.into_iter().map(|(_, inode)| (inode, reach(inode))).filter(|(_, reach)| *reach > 0).collect()
    }

    /// A read as it was before the last append.
    pub(crate) fn read_stale(&mut self, path: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = self.read(path, offset, length)?;
        if let Some(before) = self.length_before(path)? {
            let kept = usize::try_from(before.saturating_sub(offset)).unwrap_or(usize::MAX);
            if kept < bytes.len() {
                self.struck.unseen = Some(before.max(offset)..offset + bytes.len() as u64);
                bytes.truncate(kept);
            }
        }
        Ok(bytes)
    }

    /// A length as it was before the last append.
    pub(crate) fn length_stale(&mut self, path: &str) -> io::Result<u64> {
        let length = self.length(path)?;
        match self.length_before(path)? {
            Some(before) if before < length => {
                self.struck.unseen = Some(before..length);
                Ok(before)
            }
            _ => Ok(length),
        }
    }

    fn length_before(&self, path: &str) -> io::Result<Option<u64>> {
        Ok(self.inode(self.find(path)?).length_before.map(|length| length as u64))
    }

    /// A listing as it was before the last change.
    pub(crate) fn list_stale(&mut self, path: &str) -> io::Result<Vec<String>> {
        let names = self.list(path)?;
        let Some(last) = self.last_changes.get(path) else { return Ok(names) };
        let (added, gone) = match &last.what {
            What::Created { at } => (None, Some(at)),
            What::Renamed { from, to } => (Some(from), Some(to)),
            // The name was there before, too.
            What::Replaced { from, .. } => (Some(from), None),
            What::Removed { at } => (Some(at), None),
        };
        let here = |changed: Option<&Box<str>>| {
            let changed = changed.filter(|changed| directory_of(changed) == path)?;
            Some(changed[path.len() + 1..].to_owned())
        };
        let mut before: BTreeSet<String> = names.iter().cloned().collect();
        before.extend(here(added));
        if let Some(gone) = here(gone) {
            before.remove(&gone);
        }
        let before: Vec<String> = before.into_iter().collect();
        if before != names {
            self.struck.unseen = Some(0..0);
        }
        Ok(before)
    }

    /// All damage that a reader could meet so far.
    pub(crate) fn damages(&self) -> Vec<Damage> {
        let mut damages = self.struck.stale.clone();
        for file in &self.inodes {
            for (fault, bytes) in file.damaged.iter().flat_map(|damaged| &damaged.seen) {
                let bytes = bytes.start as u64..bytes.end as u64;
                damages.push(Damage { path: file.name.to_string(), fault: *fault, bytes });
            }
        }
        damages
    }
}
