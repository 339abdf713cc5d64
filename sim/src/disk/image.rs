//! The disk after a power loss: one of the many images that the contract of the disk seam allows.
//!
//! Which one follows from the image seed, or from the plan, unit by unit: [`AtRisk`] tells what can be chosen. After the image
//! is made it is checked against what was promised before it: every durable name that nothing pending touched is there, and every file that has a name holds what was synced.
//!
//! A sector that did not survive reads as zeros or, in a drawn image, as whatever was there.
//!
//! Left out: damage to durable bytes, which is not the contract's to allow. Damage that a fault did before is there as it was.

use super::{
    inode::{Inode, Promised, SECTOR, Stale, Survival},
    names::complete,
    record::{ContentChange, RecordedChange},
    volume::{Actor, InodeId, Volume},
};
use crate::{
    fault::{Kept, KeptFile, PowerLoss},
    rng::{Domain, Draws, stream},
    sabotage::Sabotage,
    world::{Life, NodeIndex},
};
use std::collections::BTreeMap;

impl Volume {
    /// Loses power: the cached view becomes what survived.
    pub(crate) fn lose_power(&mut self, how: &PowerLoss, actor: Actor) {
        let promises = self.promises();
        let mut rng = stream(how.image_seed, Domain::Image);
        let (data, names) = match how.image_seed {
            0 => (Survival::Nothing, Some(false)),
            1 => (Survival::Everything, Some(true)),
            2 => (Survival::LengthOnly, Some(true)),
            3 => (Survival::Everything, Some(false)),
            _ => (Survival::Drawn, None),
        };
        let sabotaged = self.is_sabotaged(Sabotage::RenameLandsBeforeData);
        let kept_files = how.keep.as_ref().map(|keep| self.kept_files(keep));
        let changes = std::mem::take(&mut self.pending);
        let mut happen: Vec<bool> = match &how.keep {
            Some(keep) => (0..changes.len() as u64).map(|n| keep.names.contains(&n)).collect(),
            None => {
                // Names in one directory often land together: all of them, none, or each on its own.
                let odds = *rng.pick(&[0, 30, 70, 100]);
                changes.iter().map(|_| names.unwrap_or_else(|| rng.percent(odds))).collect()
            }
        };
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
        let mut stale = Stale::of(if how.keep.is_some() { 0 } else { how.image_seed });
        for (n, file) in self.inodes.iter_mut().enumerate() {
            if file.durable_name.is_some() {
                match &kept_files {
                    None => file.lose_power(data, &mut rng, &mut stale),
                    Some(kept) => file.keep(kept.get(&InodeId(n)).copied().unwrap_or(&KeptFile::default())),
                }
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

    /// What a power loss at this moment could take back or tear.
    pub(crate) fn at_risk(&self) -> AtRisk {
        let names = self.pending.iter().map(|change| change.to_string()).collect();
        let of_file = |inode: InodeId| {
            let file = self.inode(inode);
            let bytes = file.content.len() - file.synced;
            let sectors =
                if bytes == 0 { 0 } else { file.content.len().div_ceil(SECTOR) - file.synced / SECTOR };
            FileAtRisk {
                path: file.name.to_string(),
                truncate: !file.cut_off.is_empty(),
                bytes: bytes as u64,
                sectors: sectors as u64,
            }
        };
        AtRisk { names, files: self.files_at_risk().map(of_file).collect() }
    }

    /// The files with something unsynced that a power loss could leave under a name, in the order of their creation.
    fn files_at_risk(&self) -> impl Iterator<Item = InodeId> {
        let named = |n: usize| {
            self.inodes[n].durable_name.is_some() || self.pending.iter().any(|change| change.inode.0 == n)
        };
        let unsynced = |file: &Inode| file.content.len() > file.synced || !file.cut_off.is_empty();
        let files = self.inodes.iter().enumerate().filter(move |(_, file)| unsynced(file));
        files.map(|(n, _)| n).filter(move |n| named(*n)).map(InodeId)
    }

    fn kept_files<'a>(&self, keep: &'a Kept) -> BTreeMap<InodeId, &'a KeptFile> {
        let of_file = |(place, inode)| Some((inode, keep.files.iter().find(|kept| kept.file == place)?));
        (0..).zip(self.files_at_risk()).filter_map(of_file).collect()
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
        self.struck.overdue.clear();
        self.struck.untold.forget(node, life);
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

impl Inode {
    /// Loses power, with this left of what was not synced.
    fn keep(&mut self, kept: &KeptFile) {
        let (durable, full) = (self.synced, self.content.len());
        if !self.cut_off.is_empty() && !kept.truncate {
            self.lose_truncate();
        } else if full > durable {
            let first = durable / SECTOR;
            let sector = |n: u64| {
                first.saturating_add(usize::try_from(n).unwrap_or(usize::MAX)).saturating_mul(SECTOR)
            };
            let end_of = |n: &u64| sector(n.saturating_add(1)).min(full);
            let length = match kept.bytes {
                Some(bytes) => durable.saturating_add(usize::try_from(bytes).unwrap_or(usize::MAX)).min(full),
                None => kept.sectors.iter().map(end_of).max().unwrap_or(durable),
            };
            self.shorten(length);
            for n in (0..).take_while(|n| sector(*n) < length).filter(|n| !kept.sectors.contains(n)) {
                let (from, to) = (sector(n).max(durable), sector(n + 1).min(length));
                self.overwrite(from, &vec![0; to - from]);
            }
        }
        self.lost_power(&mut Stale::of(0));
    }
}

/// What a power loss at one moment could take back or tear: the units of which a [`Kept`] chooses some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AtRisk {
    /// The changes of names that no directory's sync has confirmed, in order.
    pub names: Vec<String>,
    /// The files with something unsynced, in the order of their creation.
    pub files: Vec<FileAtRisk>,
}

/// What a power loss could take from the content of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileAtRisk {
    /// The name that it has, or had last.
    pub path: String,
    /// It was cut, and may not have been.
    pub truncate: bool,
    /// So many bytes at its end are not synced.
    pub bytes: u64,
    /// They lie in so many sectors.
    pub sectors: u64,
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
            volume.lose_power(&PowerLoss::image(seed), ACTOR);
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
            volume.lose_power(&PowerLoss::image(seed), ACTOR);
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
    fn a_name_that_is_taken_over_has_the_old_file_or_the_new_one() {
        for (replaced_is_durable, new_is_durable) in
            [(true, true), (true, false), (false, true), (false, false)]
        {
            let mut seen = BTreeSet::new();
            for seed in 0..200 {
                let mut volume = volume();
                file(&mut volume, "/d/journal/a", b"old", b"");
                if replaced_is_durable {
                    volume.sync_dir("/d/journal").unwrap();
                }
                file(&mut volume, "/d/journal/.a", b"new", b"");
                if new_is_durable {
                    volume.sync_dir("/d/journal").unwrap();
                }
                volume.replace_name("/d/journal/.a", "/d/journal/a", ACTOR).unwrap();
                assert_eq!(volume.list("/d/journal").unwrap(), ["a"]);
                volume.lose_power(&PowerLoss::image(seed), ACTOR);
                let content = volume.read("/d/journal/a", 0, 9).ok();
                seen.insert((content, volume.read("/d/journal/.a", 0, 9).ok()));
            }
            let (old, new) = (Some(b"old".to_vec()), Some(b"new".to_vec()));
            assert!(seen.contains(&(new.clone(), None)), "it happened");
            assert!(seen.contains(&(old.clone(), new.clone())) || !new_is_durable, "it did not");
            if replaced_is_durable || new_is_durable {
                assert!(seen.iter().all(|(taken, _)| *taken == old || *taken == new), "{seen:?}");
            }
        }
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
                volume.lose_power(&PowerLoss::image(seed), ACTOR);
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
            volume.lose_power(&PowerLoss::image(seed), ACTOR);
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
                volume.lose_power(&PowerLoss::image(seed), ACTOR);
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
            volume.lose_power(&PowerLoss::image(seed), ACTOR);
            let read = |name| volume.read(name, 0, 9).ok();
            (read("/d/journal/old").unwrap(), read("/d/journal/new"))
        };
        assert_eq!(image(0), (b"s".to_vec(), None), "nothing unsynced");
        assert_eq!(image(1), (b"su".to_vec(), Some(b"su".to_vec())), "everything");
        assert_eq!(image(2), (b"s\0".to_vec(), Some(b"s\0".to_vec())), "names and lengths");
        assert_eq!(image(3), (b"su".to_vec(), None), "data");
    }

    fn keep(names: &[u64], files: &[KeptFile]) -> PowerLoss {
        let keep = Kept { names: names.to_vec(), files: files.to_vec() };
        PowerLoss { image_seed: 9, keep: Some(keep) }
    }

    fn of_file(file: u64, truncate: bool, bytes: Option<u64>, sectors: &[u64]) -> KeptFile {
        KeptFile { file, truncate, bytes, sectors: sectors.to_vec() }
    }

    /// A file with 100 synced bytes and 1900 that are not, and a second one that was cut from 50 to 20 bytes.
    fn two_files_at_risk() -> Volume {
        let mut volume = volume();
        file(&mut volume, "/d/journal/1", &[b's'; 100], &[b'u'; 1900]);
        let second = file(&mut volume, "/d/journal/2", &[b's'; 50], b"");
        volume.sync_dir("/d/journal").unwrap();
        volume.truncate(second, 20, ACTOR).unwrap();
        volume.append(second, b"new", ACTOR);
        volume.rename("/d/journal/1", "/d/journal/3").unwrap();
        volume.remove("/d/journal/2", ACTOR).unwrap();
        volume
    }

    #[test]
    fn what_is_at_risk_is_told_in_a_stable_order() {
        let at_risk = two_files_at_risk().at_risk();
        assert_eq!(at_risk.names, ["rename /d/journal/1 to /d/journal/3", "remove /d/journal/2"]);
        let file =
            |path: &str, truncate, bytes, sectors| FileAtRisk { path: path.into(), truncate, bytes, sectors };
        let files = [file("/d/journal/3", false, 1900, 4), file("/d/journal/2", true, 3, 1)];
        assert_eq!(at_risk.files, files);
    }

    #[test]
    fn each_unit_that_is_kept_survives_and_each_other_is_lost() {
        let image = |names: &[u64], files: &[KeptFile]| {
            let mut volume = two_files_at_risk();
            volume.lose_power(&keep(names, files), ACTOR);
            let files =
                volume.files().map(|(path, file)| (path[path.len() - 1..].to_owned(), file.durable()));
            files.collect::<Vec<_>>()
        };
        let one = |unsynced: &[(u8, usize)]| {
            let mut content = vec![b's'; 100];
            unsynced.iter().for_each(|(byte, count)| content.extend(vec![*byte; *count]));
            content
        };
        let old = vec![b's'; 50];
        let nothing = [("1".to_owned(), one(&[])), ("2".to_owned(), old.clone())];
        assert_eq!(image(&[], &[]), nothing);
        // Places that nothing has.
        assert_eq!(image(&[7], &[of_file(5, true, Some(9), &[0])]), nothing);
        assert_eq!(image(&[0], &[]), [("2".into(), old.clone()), ("3".into(), one(&[]))]);
        assert_eq!(image(&[1], &[]), [("1".into(), one(&[]))]);
        let first = |kept: KeptFile| image(&[], &[kept]).remove(0).1;
        assert_eq!(first(of_file(0, false, None, &[0])), one(&[(b'u', 412)]));
        assert_eq!(first(of_file(0, false, None, &[1])), one(&[(0, 412), (b'u', 512)]));
        assert_eq!(first(of_file(0, false, None, &[3])), one(&[(0, 412 + 1024), (b'u', 464)]));
        assert_eq!(first(of_file(0, false, Some(1900), &[])), one(&[(0, 1900)]));
        assert_eq!(
            first(of_file(0, false, Some(1900), &[0, 2])),
            one(&[(b'u', 412), (0, 512), (b'u', 512), (0, 464)])
        );
        assert_eq!(first(of_file(0, false, Some(37), &[0, 1])), one(&[(b'u', 37)]));
        assert_eq!(first(of_file(0, false, Some(u64::MAX), &[u64::MAX])), one(&[(0, 1900)]));
        let second = |kept: KeptFile| image(&[], &[kept]).remove(1).1;
        assert_eq!(second(of_file(1, true, None, &[])), [b's'; 20]);
        assert_eq!(second(of_file(1, true, Some(3), &[0])), [&[b's'; 20][..], b"new"].concat());
        assert_eq!(second(of_file(1, false, Some(3), &[0])), old, "what came after a lost truncate is lost");
    }

    #[test]
    fn the_plain_images_are_some_of_those_that_can_be_chosen() {
        let everything = [of_file(0, false, Some(1900), &[0, 1, 2, 3]), of_file(1, true, Some(3), &[0])];
        let lengths = [of_file(0, false, Some(1900), &[]), of_file(1, true, Some(3), &[])];
        let chosen =
            [keep(&[], &[]), keep(&[0, 1], &everything), keep(&[0, 1], &lengths), keep(&[], &everything)];
        for (seed, chosen) in (0..).zip(chosen) {
            let image = |how: &PowerLoss| {
                let mut volume = two_files_at_risk();
                volume.lose_power(how, ACTOR);
                volume.files().map(|(path, file)| (path, file.content.clone())).collect::<Vec<_>>()
            };
            assert_eq!(image(&chosen), image(&PowerLoss::image(seed)), "image {seed}");
        }
    }

    #[test]
    fn a_name_that_is_kept_takes_what_gave_it_up_with_it() {
        let mut volume = volume();
        file(&mut volume, "/d/journal/a", b"first", b"");
        volume.sync_dir("/d/journal").unwrap();
        volume.rename("/d/journal/a", "/d/journal/b").unwrap();
        file(&mut volume, "/d/journal/a", b"second", b"");
        volume.lose_power(&keep(&[1], &[]), ACTOR);
        assert_eq!(volume.read("/d/journal/a", 0, 9).unwrap(), b"second");
        assert_eq!(volume.read("/d/journal/b", 0, 9).unwrap(), b"first");
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
            volume.lose_power(&PowerLoss::image(0), ACTOR);
            volume.read("/d/journal/final", 0, 9).ok()
        };
        assert_eq!(image(Sabotage::FileSyncDoesNothing), Some(Vec::new()));
        assert_eq!(image(Sabotage::DirectorySyncDoesNothing), None);
        assert_eq!(image(Sabotage::RenameLandsBeforeData), Some(vec![0; 4]));
        assert_eq!(image(Sabotage::LocksDoNotExclude), Some(b"data".to_vec()));
    }

    #[test]
    fn a_sabotaged_rename_of_an_empty_file_lands_before_no_data() {
        let mut volume = volume();
        volume.sabotage.insert(Sabotage::RenameLandsBeforeData);
        let inode = volume.create_new("/d/journal/tmp", ACTOR).unwrap();
        volume.rename("/d/journal/tmp", "/d/journal/final").unwrap();
        volume.sync_dir("/d/journal").unwrap();
        volume.append(inode, b"data", ACTOR);
        volume.sync(inode);
        volume.lose_power(&PowerLoss::image(0), ACTOR);
        assert_eq!(volume.read("/d/journal/final", 0, 9).unwrap(), b"data");
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
        volume.lose_power(&PowerLoss::image(0), ACTOR);
        let changes: Vec<&ContentChange> =
            volume.record.changes.iter().map(|recorded| &recorded.change).collect();
        let append = ContentChange::Write { offset: 0, bytes: b"line".to_vec() };
        assert_eq!(*changes.last().unwrap(), &ContentChange::PowerLoss { content: None });
        assert!(changes.contains(&&append));
    }
}
