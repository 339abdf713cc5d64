//! What the judges are told about the disk beyond its present files: every emission into an output file, every removed
//! file that they asked for, and how much space was used.

use super::{inode::Inode, volume::Actor};
use crate::{
    fault::Step,
    world::{Life, VirtualTime},
};

/// A file that was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buried {
    /// Its path when it was removed. A removal that a power loss undoes leaves this entry and brings the file back; a
    /// name that is used again has several entries, in order.
    pub path: String,
    /// Its content when it was removed, without the damage that faults did to it.
    pub content: Vec<u8>,
    /// What of it was durable then.
    pub durable: Vec<u8>,
    /// Who removed it.
    pub life: Life,
    /// When.
    pub at: VirtualTime,
}

impl Buried {
    pub(super) fn new(path: &str, file: &Inode, actor: Actor) -> Self {
        let (content, durable) = (file.pristine().to_vec(), file.durable_pristine());
        Self { path: path.to_owned(), content, durable, life: actor.life, at: actor.at }
    }
}

/// A file that was given its name by a rename, in which it appears as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its path since.
    pub path: String,
    /// Who renamed it.
    pub life: Life,
    /// When it was last written.
    pub written_at: VirtualTime,
    /// When it was renamed.
    pub at: VirtualTime,
}

/// What of an operation was done that the driver was told had failed: to the driver its outcome is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Done {
    /// Nothing: it failed, and did not happen.
    Nothing,
    /// Some of the bytes or of the names.
    Part,
    /// All of it: it happened.
    Whole,
}

/// An operation of which the driver was told by a fault of the plan that it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedOperation {
    /// In which life of the driver.
    pub life: Life,
    /// When.
    pub at: VirtualTime,
    /// What, and where.
    pub step: Step,
    /// The file or the directory.
    pub path: String,
    /// What was done of it all the same.
    pub done: Done,
    /// So many bytes of the file were durable before it, where it was done to an open file. What is behind them is there or not: the
    /// driver cannot know, and must not say.
    pub durable: Option<u64>,
}

/// A change of a recorded output file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedChange {
    /// The path that the file had.
    pub path: String,
    /// Who did it; after a power loss, whose end it was.
    pub life: Life,
    /// When.
    pub at: VirtualTime,
    /// What.
    pub change: ContentChange,
}

/// What happened to the content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentChange {
    /// Bytes were written: at its end, or over it.
    Write {
        /// Where.
        offset: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// It was cut.
    Truncate {
        /// The length after.
        length: u64,
    },
    /// A power loss, or a failed sync, left this of it.
    PowerLoss {
        /// The whole content after; `None` if its name was lost, and the file with it.
        content: Option<Vec<u8>>,
    },
}

impl RecordedChange {
    pub(super) fn new(path: &str, actor: Actor, change: ContentChange) -> Self {
        Self { path: path.to_owned(), life: actor.life, at: actor.at, change }
    }
}

/// The space that named files take, as the page cache sees them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes now.
    pub bytes: u64,
    /// Files now.
    pub files: u64,
    /// The most bytes at any time.
    pub bytes_peak: u64,
    /// The most files at any time.
    pub files_peak: u64,
}

impl Usage {
    pub(super) fn bytes_grow(&mut self, by: u64) {
        self.bytes += by;
        self.bytes_peak = self.bytes_peak.max(self.bytes);
    }

    pub(super) fn files_grow(&mut self) {
        self.files += 1;
        self.files_peak = self.files_peak.max(self.files);
    }

    /// What there is now, counted anew.
    pub(super) fn recounted(&mut self, bytes: u64, files: u64) {
        let (bytes_peak, files_peak) = (self.bytes_peak.max(bytes), self.files_peak.max(files));
        *self = Self { bytes, files, bytes_peak, files_peak };
    }

    pub(super) fn shrink(&mut self, file_bytes: u64) {
        self.bytes -= file_bytes;
        self.files -= 1;
    }
}

/// What is kept for the judges.
#[derive(Default)]
pub(crate) struct Record {
    /// A removed file whose path contains one of these is buried.
    pub keep_removed: Vec<String>,
    /// A file whose path contains one of these is recorded.
    pub outputs: Vec<String>,
    pub graveyard: Vec<Buried>,
    pub changes: Vec<RecordedChange>,
    pub failures: Vec<FailedOperation>,
    pub published: Vec<Published>,
}

impl Record {
    pub(crate) fn watches_output(&self, path: &str) -> bool {
        self.outputs.iter().any(|part| path.contains(part.as_str()))
    }

    pub(super) fn keeps_removed(&self, path: &str) -> bool {
        self.keep_removed.iter().any(|part| path.contains(part.as_str()))
    }
}
