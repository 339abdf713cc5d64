//! The disk as one number: equal for disks between which nothing that reads, writes or loses power can tell.
//!
//! It covers every name, every content, what of both is durable, and what is not. Left out is what was: the files that nothing
//! can find again, the numbers of files, the record for the judges, and what faults go on doing to it.

use super::{inode::Inode, volume::Volume};
use std::hash::{Hash, Hasher};
use xxhash_rust::xxh3::Xxh3;

impl Volume {
    /// The fingerprint.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hash = Xxh3::new();
        for (directory, names) in &self.directories {
            (directory, names.len()).hash(&mut hash);
            for (name, inode) in names {
                name.hash(&mut hash);
                self.inode(*inode).hash(&mut hash);
            }
        }
        for (name, inode) in &self.durable {
            name.hash(&mut hash);
            self.inode(*inode).hash(&mut hash);
        }
        for change in &self.pending {
            change.to_string().hash(&mut hash);
            self.inode(change.inode).hash(&mut hash);
        }
        hash.finish()
    }
}

impl Hash for Inode {
    fn hash<H: Hasher>(&self, hash: &mut H) {
        // Without the rest pattern, so that a new field is thought of here. What is promised follows from the others, and the length
        // before is for faults alone, and when it was written for the judges.
        let Self {
            content,
            synced,
            cut_off,
            durable_name,
            name,
            linked,
            recorded,
            renamed,
            given_up,
            damaged,
            length_before: _,
            promised: _,
            written_at: _,
        } = self;
        (content, synced, cut_off, durable_name, name).hash(hash);
        (linked, recorded, renamed).hash(hash);
        (format!("{given_up:?}"), format!("{damaged:?}")).hash(hash);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Actor;
    use super::*;
    use crate::world::{Life, NodeIndex, VirtualTime};
    use std::collections::BTreeSet;

    const ACTOR: Actor = Actor { node: NodeIndex(1), life: Life(1), at: VirtualTime(0) };

    #[test]
    fn each_change_of_the_disk_changes_it_and_reading_does_not() {
        let mut volume = Volume::new();
        let mut seen = BTreeSet::from([volume.fingerprint()]);
        let mut changed = |volume: &Volume| assert!(seen.insert(volume.fingerprint()));
        volume.create_dir("/d").unwrap();
        changed(&volume);
        let file = volume.create_new("/d/a", ACTOR).unwrap();
        changed(&volume);
        volume.append(file, b"abc", ACTOR);
        changed(&volume);
        volume.sync(file);
        changed(&volume);
        volume.sync_dir("/d").unwrap();
        changed(&volume);
        volume.truncate(file, 1, ACTOR).unwrap();
        changed(&volume);
        volume.rename("/d/a", "/d/b").unwrap();
        changed(&volume);
        volume.remove("/d/b", ACTOR).unwrap();
        changed(&volume);
        let before = volume.fingerprint();
        assert!(volume.list("/d").unwrap().is_empty() && volume.length("/d/b").is_err());
        assert_eq!(volume.fingerprint(), before);
    }

    #[test]
    fn what_nothing_can_find_again_is_left_out() {
        let mut volume = Volume::new();
        volume.create_dir("/d").unwrap();
        let before = volume.fingerprint();
        volume.create_new("/d/a", ACTOR).unwrap();
        volume.remove("/d/a", ACTOR).unwrap();
        volume.sync_dir("/d").unwrap();
        assert_eq!(volume.fingerprint(), before);
    }
}
