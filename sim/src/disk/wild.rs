//! A property of the disk under wild use: random creations, appends, renames, removals, syncs that succeed and that fail, rot, lost
//! writes, ends of lives and power losses over a few names.
//!
//! Each file begins with a number that is its own, synced as soon as it is created, so a file is known by its content. What is
//! reckoned here is less than what the disk knows, on purpose: a file whose name was durable, which nobody removed since and no
//! failed sync gave up, must be there after any power loss, under exactly one name; and of its content every byte that was synced
//! and not given up, byte by byte, with damage exactly where it was done.

use super::{Actor, InodeId, Volume, damage::Latent};
use crate::{
    fault::{FileSystem, Kept, PowerLoss},
    rng::{Domain, Draws, stream},
    sabotage::Sabotage,
    world::{Life, NodeIndex, VirtualTime},
};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};

const ACTOR: Actor = Actor { node: NodeIndex(1), life: Life(1), at: VirtualTime(0) };
const FAULT: usize = 7;

/// What is known of a byte of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Byte {
    Dirty(u8),
    Promised(u8),
    GivenUp,
}

/// What is known of a file.
#[derive(Clone, Default)]
struct Known {
    bytes: Vec<Byte>,
    /// What is read instead of the pristine byte, now or once the life is over.
    damaged: BTreeMap<usize, u8>,
    latent: BTreeMap<usize, u8>,
}

impl Known {
    fn append(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes.iter().copied().map(Byte::Dirty));
    }

    fn sync(&mut self, succeeds: bool) {
        for byte in &mut self.bytes {
            if let Byte::Dirty(value) = *byte {
                *byte = if succeeds { Byte::Promised(value) } else { Byte::GivenUp };
            }
        }
    }

    fn check(&self, pristine: &[u8], seen: &[u8]) {
        for (at, byte) in self.bytes.iter().enumerate() {
            let Byte::Promised(value) = byte else { continue };
            assert_eq!(pristine.get(at), Some(value), "byte {at} is lost");
            let read = self.damaged.get(&at).unwrap_or(value);
            assert_eq!(seen.get(at), Some(read), "byte {at} reads as another one");
        }
    }

    /// After a power loss all that is there is durable.
    fn of(pristine: &[u8], seen: &[u8]) -> Self {
        let bytes = pristine.iter().copied().map(Byte::Promised).collect();
        let differs = |at: &usize| pristine[*at] != seen[*at];
        let damaged = (0..seen.len()).filter(differs).map(|at| (at, seen[at])).collect();
        Self { bytes, damaged, latent: BTreeMap::new() }
    }
}

struct Wild {
    volume: Volume,
    rng: ChaCha8Rng,
    next: u64,
    /// By number, where the file is now.
    at: BTreeMap<u64, String>,
    known: BTreeMap<u64, Known>,
    /// The files that must survive.
    safe: BTreeSet<u64>,
    /// All directories that a change since its last sync touched, by file.
    unsynced: BTreeMap<u64, BTreeSet<String>>,
    /// The files of which a failed sync gave a change of the name up.
    given_up: BTreeSet<u64>,
}

fn directory(path: &str) -> String {
    super::volume::directory_of(path).to_owned()
}

impl Wild {
    fn path(&mut self) -> String {
        format!("/{}/{}", self.rng.pick(&["a", "b", "c"]), self.rng.pick(&["x", "y", "z"]))
    }

    fn directory(&mut self) -> String {
        format!("/{}", self.rng.pick(&["a", "b", "c"]))
    }

    fn file(&mut self) -> Option<(u64, String)> {
        let files: Vec<(u64, String)> = self.at.iter().map(|(n, path)| (*n, path.clone())).collect();
        (!files.is_empty()).then(|| self.rng.pick(&files).clone())
    }

    fn opened(&mut self) -> Option<(&mut Known, InodeId)> {
        let (n, path) = self.file()?;
        let inode = self.volume.find(&path).expect("it is there");
        Some((self.known.entry(n).or_default(), inode))
    }

    fn drawn_bytes(&mut self) -> Vec<u8> {
        let length = self.rng.magnitude(1..=1500);
        (0..length).map(|_| self.rng.between(1..=255) as u8).collect()
    }

    fn file_system(&mut self) -> FileSystem {
        *self.rng.pick(&[FileSystem::Ext4, FileSystem::Xfs, FileSystem::Btrfs])
    }

    fn step(&mut self, faults: bool) {
        match self.rng.below(if faults { 18 } else { 13 }) {
            0..=2 => self.create(),
            3..=5 => self.rename(),
            6 => self.remove(),
            7..=8 => self.sync_dir(),
            9 => self.lose_power(),
            10..=11 => self.append(),
            12 => self.sync(),
            13 => self.fail_sync(),
            14 => self.fail_sync_dir(),
            15 => self.rot(),
            16 => self.lose_write(),
            _ => self.end_life(),
        }
    }

    fn create(&mut self) {
        let path = self.path();
        if let Ok(inode) = self.volume.create_new(&path, ACTOR) {
            let number = self.next.to_le_bytes();
            self.volume.append(inode, &number, ACTOR);
            self.volume.sync(inode);
            let known = self.known.entry(self.next).or_default();
            known.append(&number);
            known.sync(true);
            self.unsynced.insert(self.next, BTreeSet::from([directory(&path)]));
            self.at.insert(self.next, path);
            self.next += 1;
        }
    }

    fn append(&mut self) {
        let bytes = self.drawn_bytes();
        if let Some((known, inode)) = self.opened() {
            known.append(&bytes);
            self.volume.append(inode, &bytes, ACTOR);
        }
    }

    fn sync(&mut self) {
        if let Some((known, inode)) = self.opened() {
            known.sync(true);
            self.volume.sync(inode);
        }
    }

    fn rename(&mut self) {
        let to = self.path();
        if let Some((n, from)) = self.file()
            && self.volume.rename(&from, &to).is_ok()
        {
            self.unsynced.insert(n, BTreeSet::from([directory(&from), directory(&to)]));
            self.at.insert(n, to);
        }
    }

    fn remove(&mut self) {
        if let Some((n, path)) = self.file() {
            self.volume.remove(&path, ACTOR).unwrap();
            self.at.remove(&n);
            self.safe.remove(&n);
        }
    }

    fn sync_dir(&mut self) {
        let synced = self.directory();
        self.volume.sync_dir(&synced).unwrap();
        for n in self.at.keys() {
            if self.unsynced.get(n).is_none_or(|directories| directories.contains(&synced)) {
                self.unsynced.remove(n);
                if !self.given_up.contains(n) {
                    self.safe.insert(*n);
                }
            }
        }
    }

    fn fail_sync(&mut self) {
        let file_system = self.file_system();
        let mut rng = self.rng.clone();
        let Some((n, path)) = self.file() else { return };
        let inode = self.volume.find(&path).expect("it is there");
        self.volume.fail_sync(inode, file_system, |_| rng.one_in(2), ACTOR);
        let length = self.volume.inode(inode).content.len();
        let known = self.known.get_mut(&n).expect("it was created");
        known.sync(false);
        known.bytes.truncate(length);
        known.latent.retain(|at, _| *at < length);
        known.damaged.retain(|at, _| *at < length);
        self.look();
    }

    fn fail_sync_dir(&mut self) {
        let (file_system, failed) = (self.file_system(), self.directory());
        let mut rng = self.rng.clone();
        let touched = self.unsynced.iter().filter(|(_, directories)| directories.contains(&failed));
        let touched: Vec<u64> = touched.map(|(n, _)| *n).collect();
        self.volume.fail_sync_dir(&failed, file_system, |_| rng.one_in(2), ACTOR);
        match file_system {
            // What was removed can be back, and what was moved is back where it was.
            FileSystem::Btrfs => {
                self.look();
                self.given_up.extend(self.unsynced.keys());
            }
            FileSystem::Ext4 | FileSystem::Xfs => {
                self.safe.retain(|n| !touched.contains(n));
                self.given_up.extend(touched);
            }
        }
    }

    fn rot(&mut self) {
        let (at, bit) = (self.rng.below(2000) as usize, self.rng.below(8) as u8);
        let Some((known, inode)) = self.opened() else { return };
        // Not the number: by it the file is known.
        if let (8.., Some(Byte::Promised(value))) = (at, known.bytes.get(at)) {
            *known.damaged.entry(at).or_insert(*value) ^= 1 << bit;
            self.volume.rot(inode, FAULT, at, bit);
        }
    }

    fn lose_write(&mut self) {
        let written = self.drawn_bytes();
        let Some((known, inode)) = self.opened() else { return };
        let from = known.bytes.len();
        known.append(&written);
        known.latent.extend((from..from + written.len()).map(|at| (at, 0)));
        self.volume.append(inode, &written, ACTOR);
        let (by, bytes) = ((ACTOR.node, ACTOR.life), vec![0; written.len()]);
        self.volume.damage_later(inode, Latent { fault: FAULT, by, from, bytes });
    }

    fn end_life(&mut self) {
        self.volume.end_life(ACTOR.node, ACTOR.life);
        for known in self.known.values_mut() {
            known.damaged.append(&mut known.latent);
        }
        for (path, file) in self.volume.files() {
            let (n, _) = self.at.iter().find(|(_, at)| **at == path).expect("it is there");
            self.known[n].check(file.pristine(), &file.content);
        }
    }

    fn lose_power(&mut self) {
        let mut power_loss = PowerLoss::image(self.rng.below(1000));
        if self.rng.one_in(2) {
            let names =
                (0..self.volume.at_risk().names.len() as u64).filter(|_| self.rng.one_in(2)).collect();
            power_loss.keep = Some(Kept { names, ..Kept::default() });
        }
        self.volume.lose_power(&power_loss, ACTOR);
        for known in self.known.values_mut() {
            known.damaged.append(&mut known.latent);
        }
        self.look();
        for (n, path) in &self.at {
            let file = self.volume.inode(self.volume.find(path).unwrap());
            self.known.insert(*n, Known::of(file.pristine(), &file.content));
        }
        self.safe = self.at.keys().copied().collect();
        self.unsynced.clear();
        self.given_up.clear();
    }

    /// Finds out where the files are now, and holds them against what is known.
    fn look(&mut self) {
        self.at.clear();
        for (path, file) in self.volume.files() {
            let number = file.pristine()[..8].try_into().expect("synced when it was created");
            let number = u64::from_le_bytes(number);
            self.known[&number].check(file.pristine(), &file.content);
            let twice = self.at.insert(number, path);
            assert_eq!(twice, None, "file {number} has two names");
        }
        let lost: Vec<&u64> = self.safe.iter().filter(|n| !self.at.contains_key(n)).collect();
        assert!(lost.is_empty(), "files {lost:?} are gone");
    }
}

fn run(seed: u64, faults: bool, sabotage: BTreeSet<Sabotage>) {
    let mut volume = Volume::new();
    volume.sabotage = sabotage;
    ["/a", "/b", "/c"].iter().for_each(|path| volume.create_dir(path).unwrap());
    let rng = stream(seed, Domain::Scenario);
    let (at, known, safe, unsynced, given_up) = Default::default();
    let mut wild = Wild { volume, rng, next: 0, at, known, safe, unsynced, given_up };
    (0..100).for_each(|_| wild.step(faults));
    wild.lose_power();
}

#[test]
fn what_was_durable_and_not_removed_survives_any_use_and_any_image() {
    (0..1000).for_each(|seed| run(seed, false, BTreeSet::new()));
}

#[test]
fn under_faults_exactly_what_they_took_is_lost_or_damaged() {
    (0..1000).for_each(|seed| run(seed, true, BTreeSet::new()));
}

#[test]
#[should_panic(expected = "are gone")]
fn a_directory_sync_that_does_nothing_is_noticed_by_this_property() {
    (0..100).for_each(|seed| run(seed, true, BTreeSet::from([Sabotage::DirectorySyncDoesNothing])));
}
