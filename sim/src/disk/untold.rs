//! Who else is to be told of a sync that failed.
//!
//! A system tells of what it could not write once to each that has the file or the directory open (Linux since 4.13: `errseq_t`): whoever
//! had a file open then, and whoever had named something in a directory that no sync has confirmed. Their next sync fails too, whatever
//! it writes. Whoever comes later is told nothing.

use super::{
    Target,
    volume::{Actor, InodeId, directory_of},
};
use crate::world::{Life, NodeIndex};
use std::collections::BTreeMap;

/// What is synced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Synced {
    /// The content of a file.
    File(InodeId),
    /// The names in a directory.
    Directory(Box<str>),
}

impl Synced {
    /// What a sync of this is of.
    pub(super) fn by(target: Target<'_>) -> Self {
        match target {
            Target::File(inode, _) => Self::File(inode),
            Target::Path(path) => Self::Directory(path.into()),
        }
    }
}

/// Those whom a sync that fails concerns, each with the fault that it has not been told of yet.
#[derive(Default)]
pub(crate) struct Untold(BTreeMap<(Synced, NodeIndex, Life), Option<usize>>);

impl Untold {
    /// A life opens a file. What failed before is not told.
    pub(super) fn opened(&mut self, inode: InodeId, actor: Actor) {
        self.0.insert((Synced::File(inode), actor.node, actor.life), None);
    }

    /// A life gives a name.
    pub(super) fn named(&mut self, path: &str, actor: Actor) {
        let directory = Synced::Directory(directory_of(path).into());
        self.0.entry((directory, actor.node, actor.life)).or_default();
    }

    /// A sync fails by a fault.
    pub(super) fn failed(&mut self, synced: &Synced, fault: usize) {
        let concerned = self.0.iter_mut().filter(|((what, ..), _)| what == synced);
        concerned.for_each(|(_, untold)| *untold = Some(fault));
    }

    /// A life syncs, or is told of a failure; the fault that it has not been told of before.
    pub(super) fn tell(&mut self, synced: &Synced, actor: Actor) -> Option<usize> {
        let key = (synced.clone(), actor.node, actor.life);
        match synced {
            Synced::File(_) => self.0.get_mut(&key)?.take(),
            // Its names are confirmed, or it knows that they are not.
            Synced::Directory(_) => self.0.remove(&key)?,
        }
    }

    /// A life is over.
    pub(super) fn forget(&mut self, node: NodeIndex, life: Life) {
        self.0.retain(|(_, of_node, of_life), _| (*of_node, *of_life) != (node, life));
    }
}
