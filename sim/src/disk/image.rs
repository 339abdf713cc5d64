//! The disk after a power loss: one of the many images that the contract of the disk seam allows.
//!
//! Which one follows from the image seed alone. After the image is made it is checked against what was promised before
//! it: every durable name that nothing pending touched is there, and every file that has a name holds what was synced.
//!
//! A sector that did not survive reads as zeros or, in a drawn image, as whatever was there.
//!
//! Left out: damage to durable bytes, which is not the contract's to allow. Damage that a fault did before is there as it was.

use super::{
    inode::{Inode, Promised, Stale, Survival},
    names::complete,
    record::{ContentChange, RecordedChange},
    volume::{Actor, InodeId, Volume},
};
use crate::{
    rng::{Domain, Draws, stream},
    sabotage::Sabotage,
    world::{Life, NodeIndex},
};

impl Volume {
    /// Loses power: the cached view becomes what survived.
    pub(crate) fn lose_power(&mut self, image_seed: u64, actor: Actor) {
        let promises = self.promises();
        let mut rng = stream(image_seed, Domain::Image);
        let (data, names) = match image_seed {
            0 => (Survival::Nothing, Some(false)),
            1 => (Survival::Everything, Some(true)),
            2 => (Survival::LengthOnly, Some(true)),
            3 => (Survival::Everything, Some(false)),
            _ => (Survival::Drawn, None),
        };
        let sabotaged = self.is_sabotaged(Sabotage::RenameLandsBeforeData);
        let changes = std::mem::take(&mut self.pending);
        // Names in one directory often land together: all of them, none, or each on its own.
        let odds = *rng.pick(&[0, 30, 70, 100]);
        let mut happen: Vec<bool> =
            changes.iter().map(|_| names.unwrap_or_else(|| rng.percent(odds))).collect();
        if sabotaged {
            happen.fill(true);
        }
        complete(&changes, &mut happen);
        for (change, _) in changes.iter().zip(happen).filter(|(_, happens)| *happens) {
            // If what gave it this name did not happen, there is nothing to remove.
            if !self.removes_nothing(change) {
                self.make_durable(change);
            }
        }
        let mut stale = Stale::of(image_seed);
        for file in &mut self.inodes {
            if file.durable_name.is_some() {
                file.lose_power(data, &mut rng, &mut stale);
                if sabotaged && file.renamed {
                    file.overwrite(0, &vec![0; file.content.len()]);
                    file.settle();
                }
                file.renamed = false;
            } else {
                file.clear();
            }
        }
        self.relink(actor);
        if !sabotaged {
            self.keep_promises(&promises);
        }
    }

    /// Makes the durable names the names that are seen.
    fn relink(&mut self, actor: Actor) {
        self.directories.values_mut().for_each(|names| names.clear());
        for (n, file) in self.inodes.iter_mut().enumerate() {
            let was_linked = std::mem::replace(&mut file.linked, file.durable_name.is_some());
            if let Some(path) = file.durable_name.clone() {
                let (directory, name) = path.rsplit_once('/').unwrap_or(("", &path));
                let names = self.directories.get_mut(directory).expect("directories are durable");
                names.insert(name.into(), InodeId(n));
                file.name = path;
            }
            file.recorded = self.record.watches_output(&file.name);
            if file.recorded && (was_linked || file.linked) {
                let content = file.linked.then(|| file.content.clone());
                let change = ContentChange::PowerLoss { content };
                self.record.changes.push(RecordedChange::new(&file.name, actor, change));
            }
        }
        self.recount();
    }

    /// What was promised to survive, reckoned apart from how the image is made.
    fn promises(&self) -> Vec<Promise> {
        let files = self.inodes.iter().enumerate().filter(|(n, file)| {
            file.durable_name.is_some() || self.pending.iter().any(|change| change.inode.0 == *n)
        });
        let promise = |(n, file): (usize, &Inode)| {
            // What takes a name over takes it from whoever has it on the medium, also where a failed sync gave up the change
            // by which the file left it.
            let touched = self.pending.iter().any(|change| {
                change.inode.0 == n
                    || change.taken().is_some() && change.taken() == file.durable_name.as_deref()
            });
            Promise {
                inode: n,
                durable_name: file.durable_name.clone().filter(|_| !touched),
                promised: file.promised.clone(),
            }
        };
        files.map(promise).collect()
    }

    fn keep_promises(&self, promises: &[Promise]) {
        for promise in promises {
            let file = &self.inodes[promise.inode];
            if let Some(name) = &promise.durable_name {
                let found = self.find(name).ok();
                assert_eq!(found, Some(InodeId(promise.inode)), "the durable name {name} was lost");
            }
            if file.linked {
                let broken = file.check(&promise.promised);
                assert_eq!(broken, None, "synced content of {} was lost", file.name);
            }
        }
    }

    /// Lets what hid behind the page cache of a life be read, now that the life is over, and holds every file against what was
    /// promised of it.
    pub(crate) fn end_life(&mut self, node: NodeIndex, life: Life) {
        self.struck.postponed.clear();
        for file in &mut self.inodes {
            file.end_of_cache(|by| by == (node, life));
            let broken = file.check(&file.promised);
            assert_eq!(
                broken, None,
                "synced content of {} was lost in a life without a power loss",
                file.name
            );
        }
    }
}

/// What a power loss must leave of one file.
struct Promise {
    inode: usize,
    durable_name: Option<Box<str>>,
    promised: Vec<Promised>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::VirtualTime;
    use std::collections::BTreeSet;

    const ACTOR: Actor = Actor { node: NodeIndex(1), life: Life(1), at: VirtualTime(0) };

    fn volume() -> Volume {
        let mut volume = Volume::new();
        volume.create_dir("/d/journal").unwrap();
        volume
    }

    fn file(volume: &mut Volume, path: &str, synced: &[u8], unsynced: &[u8]) -> InodeId {
        let inode = volume.create_new(path, ACTOR).unwrap();
        volume.append(inode, synced, ACTOR);
        volume.sync(inode);
        volume.append(inode, unsynced, ACTOR);
        inode
    }

    /// The names in the directory after each of many images.
    fn listings(prepare: impl Fn(&mut Volume)) -> BTreeSet<Vec<String>> {
        let image = |seed| {
            let mut volume = volume();
            prepare(&mut volume);
            volume.lose_power(seed, ACTOR);
            volume.list("/d/journal").unwrap()
        };
        (0..200).map(image).collect()
    }

    fn set(listings: &[&[&str]]) -> BTreeSet<Vec<String>> {
        listings.iter().map(|names| names.iter().map(|name| name.to_string()).collect()).collect()
    }

    #[test]
    fn synced_content_under_a_synced_name_survives_every_image() {
        for seed in 0..500 {
            let mut volume = volume();
            file(&mut volume, "/d/journal/1", b"kept", b"at risk");
            volume.sync_dir("/d/journal").unwrap();
            volume.lose_power(seed, ACTOR);
            assert!(volume.read("/d/journal/1", 0, 4).unwrap() == b"kept", "image {seed}");
        }
    }

    #[test]
    fn a_name_without_a_directory_sync_is_lost_or_kept() {
        let seen = listings(|volume| {
            file(volume, "/d/journal/1", b"x", b"");
        });
        assert_eq!(seen, set(&[&[], &["1"]]));
    }

    #[test]
    fn a_rename_leaves_the_old_name_or_the_new_one() {
        let seen = listings(|volume| {
            file(volume, "/d/journal/a", b"x", b"");
            volume.sync_dir("/d/journal").unwrap();
            volume.rename("/d/journal/a", "/d/journal/b").unwrap();
            volume.rename("/d/journal/b", "/d/journal/c").unwrap();
        });
        assert_eq!(seen, set(&[&["a"], &["b"], &["c"]]));
    }

    #[test]
    fn a_removal_without_a_directory_sync_is_undone_or_not() {
        let seen = listings(|volume| {
            file(volume, "/d/journal/a", b"x", b"");
            volume.sync_dir("/d/journal").unwrap();
            volume.remove("/d/journal/a", ACTOR).unwrap();
        });
        assert_eq!(seen, set(&[&[], &["a"]]));
    }

    #[test]
    fn a_rename_can_land_without_its_data_and_without_its_creation() {
        let contents: BTreeSet<Option<Vec<u8>>> = (0..300)
            .map(|seed| {
                let mut volume = volume();
                file(&mut volume, "/d/journal/a", b"", &[b'x'; 600]);
                volume.rename("/d/journal/a", "/d/journal/b").unwrap();
                volume.lose_power(seed, ACTOR);
                volume.read("/d/journal/b", 0, 600).ok()
            })
            .collect();
        assert!(contents.contains(&None), "the rename did not land");
        assert!(contents.contains(&Some(Vec::new())), "it landed before the data");
        assert!(contents.contains(&Some(vec![0; 600])), "and with the length ahead of them");
        assert!(contents.contains(&Some(vec![b'x'; 600])));
    }

    #[test]
    fn a_name_taken_over_belongs_to_one_file_in_every_image() {
        for seed in 0..300 {
            let mut volume = volume();
            file(&mut volume, "/d/journal/a", b"first", b"");
            volume.sync_dir("/d/journal").unwrap();
            volume.rename("/d/journal/a", "/d/journal/b").unwrap();
            file(&mut volume, "/d/journal/a", b"second", b"");
            volume.lose_power(seed, ACTOR);
            let read = |name| volume.read(name, 0, 9).ok();
            match read("/d/journal/b") {
                Some(moved) => assert_eq!(moved, b"first"),
                None => assert_eq!(read("/d/journal/a").unwrap(), b"first"),
            }
        }
    }

    #[test]
    fn a_rename_between_directories_is_durable_when_either_is_synced() {
        for synced in ["/d", "/d/journal"] {
            for seed in 0..50 {
                let mut volume = volume();
                file(&mut volume, "/d/a", b"x", b"");
                volume.rename("/d/a", "/d/journal/a").unwrap();
                volume.sync_dir(synced).unwrap();
                volume.lose_power(seed, ACTOR);
                assert_eq!(volume.read("/d/journal/a", 0, 1).unwrap(), b"x");
                assert!(volume.find("/d/a").is_err());
            }
        }
    }

    #[test]
    fn the_four_plain_images_are_what_they_are_called() {
        let image = |seed| {
            let mut volume = volume();
            file(&mut volume, "/d/journal/old", b"s", b"u");
            volume.sync_dir("/d/journal").unwrap();
            file(&mut volume, "/d/journal/new", b"s", b"u");
            volume.lose_power(seed, ACTOR);
            let read = |name| volume.read(name, 0, 9).ok();
            (read("/d/journal/old").unwrap(), read("/d/journal/new"))
        };
        assert_eq!(image(0), (b"s".to_vec(), None), "nothing unsynced");
        assert_eq!(image(1), (b"su".to_vec(), Some(b"su".to_vec())), "everything");
        assert_eq!(image(2), (b"s\0".to_vec(), Some(b"s\0".to_vec())), "names and lengths");
        assert_eq!(image(3), (b"su".to_vec(), None), "data");
    }

    #[test]
    fn a_sabotaged_sync_keeps_nothing_and_a_sabotaged_rename_loses_what_was_synced() {
        let image = |sabotage| {
            let mut volume = volume();
            volume.sabotage.insert(sabotage);
            file(&mut volume, "/d/journal/tmp", b"data", b"");
            volume.sync_dir("/d/journal").unwrap();
            volume.rename("/d/journal/tmp", "/d/journal/final").unwrap();
            volume.sync_dir("/d/journal").unwrap();
            volume.lose_power(0, ACTOR);
            volume.read("/d/journal/final", 0, 9).ok()
        };
        assert_eq!(image(Sabotage::FileSyncDoesNothing), Some(Vec::new()));
        assert_eq!(image(Sabotage::DirectorySyncDoesNothing), None);
        assert_eq!(image(Sabotage::RenameLandsBeforeData), Some(vec![0; 4]));
        assert_eq!(image(Sabotage::LocksDoNotExclude), Some(b"data".to_vec()));
    }

    #[test]
    #[should_panic(expected = "synced content of /d/journal/1 was lost")]
    fn a_disk_that_loses_a_synced_byte_by_itself_finds_it_out_at_the_end_of_the_life() {
        let mut volume = volume();
        let inode = file(&mut volume, "/d/journal/1", b"kept", b"");
        volume.end_life(ACTOR.node, ACTOR.life);
        volume.inodes[inode.0].content[2] ^= 1;
        volume.end_life(ACTOR.node, ACTOR.life);
    }

    #[test]
    #[should_panic(expected = "synced content of /d/journal/1 was lost")]
    fn a_damaged_byte_excuses_no_other_one() {
        let mut volume = volume();
        let inode = file(&mut volume, "/d/journal/1", b"kept", b"");
        volume.rot(inode, 0, 1, 3);
        volume.end_life(ACTOR.node, ACTOR.life);
        volume.inodes[inode.0].content[2] ^= 1;
        volume.end_life(ACTOR.node, ACTOR.life);
    }

    #[test]
    fn outputs_and_removed_files_are_kept_for_the_judges_and_space_is_counted() {
        let mut volume = volume();
        volume.record.keep_removed.push("/journal/".into());
        volume.record.outputs.push("/out".into());
        file(&mut volume, "/d/journal/1", b"abc", b"d");
        file(&mut volume, "/d/out", b"", b"line");
        volume.remove("/d/journal/1", ACTOR).unwrap();
        let buried = &volume.record.graveyard[0];
        assert_eq!((&buried.content[..], &buried.durable[..]), (&b"abcd"[..], &b"abc"[..]));
        let usage = volume.usage();
        assert_eq!((usage.bytes, usage.files, usage.bytes_peak, usage.files_peak), (4, 1, 8, 2));
        volume.lose_power(0, ACTOR);
        let changes: Vec<&ContentChange> =
            volume.record.changes.iter().map(|recorded| &recorded.change).collect();
        let append = ContentChange::Append { offset: 0, bytes: b"line".to_vec() };
        assert_eq!(*changes.last().unwrap(), &ContentChange::PowerLoss { content: None });
        assert!(changes.contains(&&append));
    }
}
