//! A property of the disk under wild use: random creations, renames, removals, syncs and power losses over a few names.
//!
//! Each file holds a number that is its own, synced as soon as it is created, so a file is known by its content. What is
//! reckoned here is less than what the disk knows, on purpose: a file whose name was durable and which nobody removed
//! since must be there after any power loss, under exactly one name, with its number.

use super::{Actor, Volume};
use crate::{
    fault::{Kept, PowerLoss},
    rng::{Domain, Draws, stream},
    sabotage::Sabotage,
    world::{Life, NodeIndex, VirtualTime},
};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};

const ACTOR: Actor = Actor { node: NodeIndex(1), life: Life(1), at: VirtualTime(0) };

struct Wild {
    volume: Volume,
    rng: ChaCha8Rng,
    next: u64,
    /// By number, where the file is now.
    at: BTreeMap<u64, String>,
    /// The files that must survive.
    safe: BTreeSet<u64>,
    /// All directories that a change since its last sync touched, by file.
    unsynced: BTreeMap<u64, BTreeSet<String>>,
}

fn directory(path: &str) -> String {
    super::volume::directory_of(path).to_owned()
}

impl Wild {
    fn path(&mut self) -> String {
        format!("/{}/{}", self.rng.pick(&["a", "b", "c"]), self.rng.pick(&["x", "y", "z"]))
    }

    fn file(&mut self) -> Option<(u64, String)> {
        let files: Vec<(u64, String)> = self.at.iter().map(|(n, path)| (*n, path.clone())).collect();
        (!files.is_empty()).then(|| self.rng.pick(&files).clone())
    }

    fn step(&mut self) {
        match self.rng.below(10) {
            0..=2 => {
                let path = self.path();
                if let Ok(inode) = self.volume.create_new(&path, ACTOR) {
                    self.volume.append(inode, &self.next.to_le_bytes(), ACTOR);
                    self.volume.sync(inode);
                    self.unsynced.insert(self.next, BTreeSet::from([directory(&path)]));
                    self.at.insert(self.next, path);
                    self.next += 1;
                }
            }
            3..=5 => {
                let to = self.path();
                if let Some((n, from)) = self.file()
                    && self.volume.rename(&from, &to).is_ok()
                {
                    self.unsynced.insert(n, BTreeSet::from([directory(&from), directory(&to)]));
                    self.at.insert(n, to);
                }
            }
            6 => {
                if let Some((n, path)) = self.file() {
                    self.volume.remove(&path, ACTOR).unwrap();
                    self.at.remove(&n);
                    self.safe.remove(&n);
                }
            }
            7..=8 => {
                let synced = format!("/{}", self.rng.pick(&["a", "b", "c"]));
                self.volume.sync_dir(&synced).unwrap();
                for n in self.at.keys() {
                    if self.unsynced.get(n).is_none_or(|directories| directories.contains(&synced)) {
                        self.unsynced.remove(n);
                        self.safe.insert(*n);
                    }
                }
            }
            _ => self.lose_power(),
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
        self.at.clear();
        for (path, file) in self.volume.files() {
            let number = u64::from_le_bytes(file.content[..].try_into().expect("synced when it was created"));
            let twice = self.at.insert(number, path);
            assert_eq!(twice, None, "file {number} has two names");
        }
        let lost: Vec<&u64> = self.safe.iter().filter(|n| !self.at.contains_key(n)).collect();
        assert!(lost.is_empty(), "files {lost:?} are gone");
        self.safe = self.at.keys().copied().collect();
        self.unsynced.clear();
    }
}

fn run(seed: u64, sabotage: BTreeSet<Sabotage>) {
    let mut volume = Volume::new();
    volume.sabotage = sabotage;
    ["/a", "/b", "/c"].iter().for_each(|path| volume.create_dir(path).unwrap());
    let rng = stream(seed, Domain::Scenario);
    let (at, safe, unsynced) = Default::default();
    let mut wild = Wild { volume, rng, next: 0, at, safe, unsynced };
    (0..100).for_each(|_| wild.step());
    wild.lose_power();
}

#[test]
fn what_was_durable_and_not_removed_survives_any_use_and_any_image() {
    (0..1000).for_each(|seed| run(seed, BTreeSet::new()));
}

#[test]
#[should_panic(expected = "are gone")]
fn a_directory_sync_that_does_nothing_is_noticed_by_this_property() {
    (0..100).for_each(|seed| run(seed, BTreeSet::from([Sabotage::DirectorySyncDoesNothing])));
}
