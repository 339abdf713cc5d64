//! The names and lengths of all files, at a moment.

use super::Claimed;
use crate::{
    checkpoint::{Claim, TEMPORARY},
    codec::{self, FrameError},
    env::Env,
    error::{Error, Result},
    ids::{CheckpointId, CheckpointSequence, Generation},
    journal::{SegmentName, WAL},
};
use std::{collections::BTreeMap, io::ErrorKind, path::Path};

const FOLDERS: [&str; 4] = ["generation", "checkpoint", "state", "journal"];
const MARKS: &str = ".durable";
/// More than any claim has.
const CLAIM_BYTES_MAX: usize = 1 << 16;

/// The files of a directory.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listing {
    /// By folder and name, with their lengths.
    files: BTreeMap<(&'static str, String), u64>,
}

impl Listing {
    /// # Errors
    /// [`Error::NotACheckpointDirectory`], [`Error::Disk`].
    pub async fn read(env: &Env, directory: &Path) -> Result<Self> {
        let not_one = |reason: &str| {
            let (directory, reason) = (directory.to_owned(), reason.to_owned());
            Err(Error::NotACheckpointDirectory { directory, reason })
        };
        match env.disk.list(directory).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return not_one("there is nothing"),
            Err(error) if error.kind() == ErrorKind::NotADirectory => return not_one("it is a file"),
            names => drop(names.map_err(Error::disk("list", directory))?),
        }
        let mut listing = Self { files: BTreeMap::new() };
        let mut missing = 0;
        for folder in FOLDERS {
            let path = directory.join(folder);
            let names = match env.disk.list(&path).await {
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                    missing += 1;
                    continue;
                }
                names => names.map_err(Error::disk("list", &path))?,
            };
            for name in names {
                let path = path.join(&name);
                match env.disk.length(&path).await {
                    // Removed meanwhile.
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    length => {
                        let length = length.map_err(Error::disk("read the length of", &path))?;
                        listing.files.insert((folder, name), length);
                    }
                }
            }
        }
        let known = listing.files.keys().any(|(folder, name)| is_known(folder, name));
        match missing > 0 && !known {
            true => not_one("no driver has written to it"),
            false => Ok(listing),
        }
    }

    fn of<'a>(&'a self, folder: &'a str) -> impl DoubleEndedIterator<Item = (&'a str, u64)> {
        let is_in = move |((in_folder, _), _): &(&(&str, String), &u64)| *in_folder == folder;
        self.files.iter().filter(is_in).map(|((_, name), length)| (name.as_str(), *length))
    }

    pub fn length(&self, folder: &str, name: &str) -> Option<u64> {
        self.of(folder).find(|(other, _)| *other == name).map(|(_, length)| length)
    }

    /// All published checkpoints, newest first: also those that do not count, since a newer driver had published before.
    pub fn checkpoints(&self) -> Vec<(CheckpointId, u64)> {
        let id = |(name, length)| Some((checkpoint_of(name)?, length));
        self.of("checkpoint").rev().filter_map(id).collect()
    }

    /// The names in the folder of the checkpoints.
    pub fn checkpoint_names(&self) -> Vec<String> {
        self.of("checkpoint").map(|(name, _)| name.to_owned()).collect()
    }

    /// The names of checkpoints that were never published.
    pub fn temporaries(&self) -> Vec<&str> {
        self.of("checkpoint").map(|(name, _)| name).filter(|name| name.ends_with(TEMPORARY)).collect()
    }

    /// The snapshots, newest first.
    pub fn snapshots(&self) -> Vec<(&str, u64)> {
        self.of("state").rev().filter(|(name, _)| checkpoint_of(name).is_some()).collect()
    }

    /// The segments of which there is a file, or marks, oldest first; with the lengths of both.
    pub fn segments(&self) -> BTreeMap<SegmentName, (Option<u64>, Option<u64>)> {
        let mut segments: BTreeMap<SegmentName, (Option<u64>, Option<u64>)> = BTreeMap::new();
        for (name, length) in self.of("journal") {
            if let Some(name) = name.strip_suffix(WAL).and_then(SegmentName::parse) {
                segments.entry(name).or_default().0 = Some(length);
            } else if let Some(name) = name.strip_suffix(MARKS).and_then(SegmentName::parse) {
                segments.entry(name).or_default().1 = Some(length);
            }
        }
        segments
    }

    /// The claims, newest first.
    pub async fn claims(&self, env: &Env, directory: &Path) -> Result<Vec<Claimed>> {
        let mut claims = Vec::new();
        for (name, _) in self.of("generation").rev() {
            let Some(generation) = generation_of(name) else { continue };
            let path = directory.join("generation").join(name);
            let read = match env.disk.read(&path, 0, CLAIM_BYTES_MAX).await {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                read => read.map_err(Error::disk("read", &path))?,
            };
            let decode = |bytes: &[u8]| -> std::result::Result<Claim, FrameError> {
                codec::read_frame(bytes)?.0.decode()
            };
            claims.push(Claimed { generation, release: decode(&read).ok().map(|claim| claim.release) });
        }
        Ok(claims)
    }

    /// The files that only an earlier run can have written, counted by what they are.
    pub fn data(&self) -> Vec<String> {
        let segments = self.segments();
        let counts = [
            (segments.values().filter(|(wal, _)| wal.is_some()).count(), "journal segments"),
            (segments.values().filter(|(_, marks)| marks.is_some()).count(), "durable marks"),
            (self.of("state").count(), "state files"),
        ];
        counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect()
    }

    /// What no driver has written.
    pub fn unknown(&self) -> Vec<String> {
        let unknown = self.files.keys().filter(|(folder, name)| !is_known(folder, name));
        unknown.map(|(folder, name)| format!("{folder}/{name}")).collect()
    }
}

fn is_known(folder: &str, name: &str) -> bool {
    match folder {
        "generation" => generation_of(name).is_some(),
        "checkpoint" => checkpoint_of(name.strip_suffix(TEMPORARY).unwrap_or(name)).is_some(),
        "state" => checkpoint_of(name).is_some(),
        _ => name.strip_suffix(WAL).or(name.strip_suffix(MARKS)).and_then(SegmentName::parse).is_some(),
    }
}

fn generation_of(name: &str) -> Option<Generation> {
    let generation: u64 = name.parse().ok()?;
    (format!("{generation:010}") == name).then_some(Generation(generation))
}

/// The form is the segments' form: two numbers of ten digits.
fn checkpoint_of(name: &str) -> Option<CheckpointId> {
    let name = SegmentName::parse(name)?;
    Some(CheckpointId { sequence: CheckpointSequence(name.segment.0), generation: name.generation })
}
