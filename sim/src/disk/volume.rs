//! The disk proper: directories, files, and what of them is durable. Pure state; time and faults come from outside.
//!
//! What holds: the cached view is exact at every moment, the durable view is what a power loss leaves at least. All
//! iteration is in the order of names or of creation. Directories are durable when they are made.
//!
//! Left out: links, permissions, overwriting in place, directories that move or go away. What faults do is in `struck`.

use super::{
    inode::Inode,
    names::{NameChange, What, complete},
    record::{Buried, ContentChange, Published, Record, RecordedChange, Usage},
    struck::Struck,
};
use crate::{
    sabotage::Sabotage,
    world::{Life, NodeIndex, VirtualTime},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, ErrorKind},
};

/// Which file, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct InodeId(pub usize);

/// Who acts, and when.
#[derive(Clone, Copy)]
pub(crate) struct Actor {
    pub node: NodeIndex,
    pub life: Life,
    pub at: VirtualTime,
}

/// The disk.
pub(crate) struct Volume {
    pub(super) directories: BTreeMap<Box<str>, BTreeMap<Box<str>, InodeId>>,
    /// The durable names, by full path.
    pub(super) durable: BTreeMap<Box<str>, InodeId>,
    /// What was done to names since, in order.
    pub(super) pending: Vec<NameChange>,
    pub(super) inodes: Vec<Inode>,
    /// By directory, the last change of its names.
    pub(super) last_changes: BTreeMap<Box<str>, NameChange>,
    locks: BTreeMap<InodeId, (NodeIndex, Life)>,
    pub(super) usage: Usage,
    pub(crate) record: Record,
    pub(crate) sabotage: BTreeSet<Sabotage>,
    /// What faults do to it for a while.
    pub(crate) struck: Struck,
}

/// The directory that holds `path`.
pub(crate) fn directory_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

impl Volume {
    /// An empty disk: the root directory alone.
    pub(crate) fn new() -> Self {
        Self {
            directories: BTreeMap::from([("".into(), BTreeMap::new())]),
            durable: BTreeMap::new(),
            pending: Vec::new(),
            inodes: Vec::new(),
            last_changes: BTreeMap::new(),
            locks: BTreeMap::new(),
            usage: Usage::default(),
            record: Record::default(),
            sabotage: BTreeSet::new(),
            struck: Struck::default(),
        }
    }

    pub(crate) fn is_sabotaged(&self, sabotage: Sabotage) -> bool {
        self.sabotage.contains(&sabotage)
    }

    /// The file at `path`.
    pub(crate) fn find(&self, path: &str) -> io::Result<InodeId> {
        let (directory, name) = split(path);
        match self.directories.get(directory).and_then(|names| names.get(name)) {
            Some(inode) => Ok(*inode),
            None if self.directories.contains_key(path) => Err(ErrorKind::IsADirectory.into()),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    pub(crate) fn has_directory(&self, path: &str) -> bool {
        self.directories.contains_key(path)
    }

    /// Whether a file can be created there.
    pub(crate) fn can_create(&self, path: &str) -> bool {
        let missing = matches!(self.find(path), Err(error) if error.kind() == ErrorKind::NotFound);
        missing && self.has_directory(directory_of(path))
    }

    pub(crate) fn inode(&self, inode: InodeId) -> &Inode {
        &self.inodes[inode.0]
    }

    pub(crate) fn create_dir(&mut self, path: &str) -> io::Result<()> {
        let mut end = 0;
        while end < path.len() {
            end = path[end + 1..].find('/').map_or(path.len(), |n| end + 1 + n);
            let directory = &path[..end];
            if self.find(directory).is_ok() {
                return Err(ErrorKind::AlreadyExists.into());
            }
            if !self.directories.contains_key(directory) {
                self.directories.insert(directory.into(), BTreeMap::new());
            }
        }
        Ok(())
    }

    pub(crate) fn create_new(&mut self, path: &str, actor: Actor) -> io::Result<InodeId> {
        match self.find(path) {
            Ok(_) if self.is_sabotaged(Sabotage::CreateNewOverwrites) => {
                return self.create_over(path, actor);
            }
            Ok(_) => return Err(ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == ErrorKind::IsADirectory => {
                return Err(ErrorKind::AlreadyExists.into());
            }
            Err(_) => {}
        }
        let inode = InodeId(self.inodes.len());
        self.link(inode, path)?;
        let recorded = self.record.watches_output(path);
        self.inodes.push(Inode { name: path.into(), linked: true, recorded, ..Inode::default() });
        self.usage.files_grow();
        self.change_name(NameChange { inode, what: What::Created { at: path.into() } });
        Ok(inode)
    }

    /// Creates a file, or empties the one that is there.
    pub(crate) fn create_over(&mut self, path: &str, actor: Actor) -> io::Result<InodeId> {
        let Ok(inode) = self.find(path) else { return self.create_new(path, actor) };
        self.truncate(inode, 0, actor)?;
        Ok(inode)
    }

    fn change_name(&mut self, change: NameChange) {
        for directory in change.directories() {
            match self.last_changes.get_mut(directory) {
                Some(last) => last.clone_from(&change),
                None => {
                    self.last_changes.insert(directory.into(), change.clone());
                }
            }
        }
        self.pending.push(change);
    }

    pub(super) fn link(&mut self, inode: InodeId, path: &str) -> io::Result<()> {
        let (directory, name) = split(path);
        let names = self.directories.get_mut(directory).ok_or(ErrorKind::NotFound)?;
        let before = names.insert(name.into(), inode);
        assert!(before.is_none(), "{path} is linked twice");
        Ok(())
    }

    pub(super) fn unlink(&mut self, path: &str) {
        let (directory, name) = split(path);
        self.directories.get_mut(directory).expect("the file was found there").remove(name);
    }

    pub(crate) fn read(&self, path: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let content = &self.inode(self.find(path)?).content;
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
        Ok(content[from..from.saturating_add(length).min(content.len())].to_vec())
    }

    pub(crate) fn length(&self, path: &str) -> io::Result<u64> {
        Ok(self.inode(self.find(path)?).content.len() as u64)
    }

    /// Writes from `offset` on, which is not behind the end.
    pub(crate) fn write(&mut self, inode: InodeId, offset: u64, bytes: &[u8], actor: Actor) {
        self.write_once(inode, offset, bytes, actor);
        if self.is_sabotaged(Sabotage::OutputWrittenTwice)
            && self.inodes[inode.0].recorded
            && self.record.changes.len().is_multiple_of(5)
            && let [rest @ .., last, end] = bytes
        {
            let other = [rest, &[last ^ 1, *end]].concat();
            self.write_once(inode, offset + bytes.len() as u64, &other, actor);
        }
    }

    fn write_once(&mut self, inode: InodeId, offset: u64, bytes: &[u8], actor: Actor) {
        let file = &mut self.inodes[inode.0];
        if file.recorded {
            let change = ContentChange::Write { offset, bytes: bytes.to_vec() };
            self.record.changes.push(RecordedChange::new(&file.name, actor, change));
        }
        let before = file.content.len();
        file.write(offset as usize, bytes);
        file.written_at = actor.at;
        if file.linked {
            self.usage.bytes_grow((file.content.len() - before) as u64);
        }
    }

    #[cfg(test)]
    pub(crate) fn append(&mut self, inode: InodeId, bytes: &[u8], actor: Actor) {
        self.write(inode, self.inode(inode).content.len() as u64, bytes, actor);
    }

    pub(crate) fn truncate(&mut self, inode: InodeId, length: u64, actor: Actor) -> io::Result<()> {
        let file = &mut self.inodes[inode.0];
        let Some(shorter) = (file.content.len() as u64).checked_sub(length) else {
            return Err(ErrorKind::InvalidInput.into());
        };
        if file.recorded {
            self.record.changes.push(RecordedChange::new(
                &file.name,
                actor,
                ContentChange::Truncate { length },
            ));
        }
        file.truncate(length as usize);
        if file.linked {
            self.usage.bytes -= shorter;
        }
        Ok(())
    }

    pub(crate) fn sync(&mut self, inode: InodeId) {
        if !self.is_sabotaged(Sabotage::FileSyncDoesNothing) {
            self.inodes[inode.0].sync();
        }
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let inode = self.find(from)?;
        if self.find(to).is_ok() || self.directories.contains_key(to) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        self.give_name(inode, from, to, What::Renamed { from: from.into(), to: to.into() })
    }

    fn give_name(&mut self, inode: InodeId, from: &str, to: &str, what: What) -> io::Result<()> {
        self.link(inode, to)?;
        self.unlink(from);
        let recorded = self.record.watches_output(to);
        let file = &mut self.inodes[inode.0];
        // Of an empty file nothing could come later than its name: what is written to it after this has its own sync.
        let renamed = file.renamed || !file.content.is_empty();
        (file.name, file.renamed, file.recorded) = (to.into(), renamed, recorded);
        self.change_name(NameChange { inode, what });
        Ok(())
    }

    /// Takes note of a rename, which publishes what was written before.
    pub(crate) fn note_published(&mut self, to: &str, actor: Actor) {
        if let Ok(inode) = self.find(to) {
            let written_at = self.inodes[inode.0].written_at;
            let published = Published { path: to.to_owned(), life: actor.life, written_at, at: actor.at };
            self.record.published.push(published);
        }
    }

    /// As [`rename`](Self::rename), without looking whether the name is taken: for a sabotage.
    pub(crate) fn rename_over(&mut self, from: &str, to: &str, actor: Actor) -> io::Result<()> {
        self.find(from)?;
        if self.find(to).is_ok() {
            self.remove(to, actor)?;
        }
        self.rename(from, to)
    }

    /// Renames a file, over the one that has the name, in one step.
    pub(crate) fn replace_name(&mut self, from: &str, to: &str, actor: Actor) -> io::Result<()> {
        let inode = self.find(from)?;
        let Ok(replaced) = self.find(to) else { return self.rename(from, to) };
        if replaced == inode {
            return Ok(());
        }
        self.forget_name(replaced, to, actor);
        self.give_name(inode, from, to, What::Replaced { from: from.into(), to: to.into() })
    }

    /// Takes a name from its file, as it is seen.
    fn forget_name(&mut self, inode: InodeId, path: &str, actor: Actor) {
        self.unlink(path);
        let file = &mut self.inodes[inode.0];
        file.linked = false;
        self.usage.shrink(file.content.len() as u64);
        if self.record.keeps_removed(path) {
            self.record.graveyard.push(Buried::new(path, file, actor));
        }
    }

    pub(crate) fn remove(&mut self, path: &str, actor: Actor) -> io::Result<()> {
        let inode = self.find(path)?;
        if self.is_sabotaged(Sabotage::RemoveDoesNothing) {
            return Ok(());
        }
        self.forget_name(inode, path, actor);
        self.change_name(NameChange { inode, what: What::Removed { at: path.into() } });
        Ok(())
    }

    pub(crate) fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let names = self.directories.get(path).ok_or(ErrorKind::NotFound)?;
        let mut names: Vec<String> = names.keys().map(|name| name.to_string()).collect();
        if self.is_sabotaged(Sabotage::ListHidesNewest) && names.len() > 1 && !path.ends_with("/generation") {
            names.pop();
        }
        Ok(names)
    }

    pub(crate) fn sync_dir(&mut self, path: &str) -> io::Result<()> {
        if !self.directories.contains_key(path) {
            return Err(ErrorKind::NotFound.into());
        }
        if self.is_sabotaged(Sabotage::DirectorySyncDoesNothing) {
            return Ok(());
        }
        let happen = self.pending.iter().map(|change| change.touches(path)).collect();
        self.settle_names(happen);
        Ok(())
    }

    /// Lets the chosen ones of the pending changes, and what follows from them, happen on the medium; the others wait.
    pub(super) fn settle_names(&mut self, mut happen: Vec<bool>) {
        let changes = std::mem::take(&mut self.pending);
        complete(&changes, &mut happen);
        let mut waiting: Vec<NameChange> = Vec::new();
        for (change, happens) in changes.into_iter().zip(happen) {
            if happens {
                let is_named_later = waiting.iter().any(|earlier| earlier.inode == change.inode);
                if is_named_later || !self.removes_nothing(&change) {
                    self.make_durable(&change);
                }
                // What else was to come of the file in other directories before this is overtaken by it.
                waiting.retain(|earlier| earlier.inode != change.inode);
            } else {
                waiting.push(change);
            }
        }
        self.pending = waiting;
    }

    /// Whether it removes a name that the file has not on the medium.
    pub(super) fn removes_nothing(&self, change: &NameChange) -> bool {
        let durable_name = self.inode(change.inode).durable_name.as_ref();
        matches!(&change.what, What::Removed { at } if durable_name != Some(at))
    }

    /// Lets a change of names happen on the medium, whatever name the file had there: what was done to it before is
    /// overtaken.
    pub(super) fn make_durable(&mut self, change: &NameChange) {
        let inode = change.inode;
        let file = &mut self.inodes[inode.0];
        if let Some(former) = file.durable_name.take() {
            self.durable.remove(&former);
        }
        match &change.what {
            What::Created { at: name } | What::Renamed { to: name, .. } | What::Replaced { to: name, .. } => {
                file.durable_name = Some(name.clone());
                if let Some(displaced) = self.durable.insert(name.clone(), inode) {
                    let replaced = matches!(change.what, What::Replaced { .. });
                    assert!(
                        replaced || self.struck.names_given_up,
                        "{name} is the durable name of two files"
                    );
                    self.inodes[displaced.0].durable_name = None;
                }
            }
            // Nobody reads it again: files are read by name.
            What::Removed { .. } => file.clear(),
        }
    }

    /// Counts the space anew.
    pub(super) fn recount(&mut self) {
        let linked = || self.inodes.iter().filter(|file| file.linked);
        let bytes = linked().map(|file| file.content.len() as u64).sum();
        let files = linked().count() as u64;
        self.usage.recounted(bytes, files);
    }

    pub(crate) fn lock(&mut self, path: &str, actor: Actor) -> io::Result<InodeId> {
        let inode = match self.find(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => self.create_new(path, actor)?,
            found => found?,
        };
        if self.locks.contains_key(&inode) && !self.is_sabotaged(Sabotage::LocksDoNotExclude) {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.locks.insert(inode, (actor.node, actor.life));
        Ok(inode)
    }

    pub(crate) fn unlock(&mut self, inode: InodeId, node: NodeIndex, life: Life) {
        if self.locks.get(&inode) == Some(&(node, life)) {
            self.locks.remove(&inode);
        }
    }

    /// The operating system releases the locks of a process that has ended.
    pub(crate) fn release_locks(&mut self, node: NodeIndex, life: Life) {
        self.locks.retain(|_, holder| *holder != (node, life));
    }

    /// The lives that hold a lock.
    pub(crate) fn lock_holders(&self) -> Vec<Life> {
        self.locks.values().map(|(_, life)| *life).collect()
    }

    /// All files by their paths.
    pub(crate) fn files(&self) -> impl Iterator<Item = (String, &Inode)> {
        self.directories.iter().flat_map(move |(directory, names)| {
            names.iter().map(move |(name, inode)| (format!("{directory}/{name}"), &self.inodes[inode.0]))
        })
    }

    pub(crate) fn usage(&self) -> Usage {
        self.usage
    }
}
