//! What can go wrong, by layer, each with the file, offset, operator or option, and what to do next.

use crate::{
    codec::FrameError,
    dstream::{OperatorKind, SliceError},
    env::ComputeError,
    ids::{BatchTime, CheckpointId, Generation, Interval, SourceId},
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// The result of the engine's fallible operations.
pub type Result<T> = std::result::Result<T, Error>;

/// Any error of the engine. [`Error::is_unusable_input`] tells "mend the input first" from "may go away".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The program is wrong.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The disk refused an operation.
    #[error("cannot {operation} {}: {source}", path.display())]
    Disk {
        /// What was tried.
        operation: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// A file of the checkpoint directory does not hold what was written to it.
    #[error(
        "{} is damaged at byte {offset}: {reason}; nothing was changed: restore the file from a copy, or remove the \
         whole checkpoint directory to start afresh and lose what it holds",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// A file was written by another release.
    #[error(
        "{} has format version {found}, this release reads and writes version {}; nothing was changed: use the release \
         that wrote it, or another checkpoint directory",
        path.display(),
        crate::codec::FORMAT_VERSION
    )]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u16,
    },
    /// There are files of an earlier run, and no checkpoint that can be used.
    #[error(
        "{} holds data of an earlier run ({found}), but no checkpoint to recover it from{}; nothing was changed: \
         restore the directory's files from a copy, or remove the whole directory to start afresh and lose what it holds",
        directory.display(),
        rejected.iter().map(|(id, why)| format!("; checkpoint {id}: {why}")).collect::<String>()
    )]
    NoUsableCheckpoint {
        /// The checkpoint directory.
        directory: PathBuf,
        /// What was found.
        found: String,
        /// The checkpoints that were tried, newest first.
        rejected: Vec<(CheckpointId, String)>,
    },
    /// The checkpoint is of another pipeline.
    #[error(
        "the checkpoint in {} is of another pipeline: {difference}; use the program that wrote it, or another directory",
        directory.display()
    )]
    OtherPipeline {
        /// The checkpoint directory.
        directory: PathBuf,
        /// The first difference, naming the operator.
        difference: String,
    },
    /// There is no checkpoint directory at a path.
    #[error("{} is no checkpoint directory: {reason}; give the directory that a driver was started with", directory.display())]
    NotACheckpointDirectory {
        /// The path.
        directory: PathBuf,
        /// What is there instead.
        reason: String,
    },
    /// A live driver holds the directory.
    #[error(
        "{} is in use by a live driver; stop that one first, or use another checkpoint directory",
        directory.display()
    )]
    InUse {
        /// The checkpoint directory.
        directory: PathBuf,
    },
    /// A newer driver has started on the same checkpoint directory.
    #[error("generation {ours} was replaced by generation {newest}, which now owns the checkpoint directory")]
    Fenced {
        /// This driver's generation.
        ours: Generation,
        /// The newest one.
        newest: Generation,
    },
    /// `start` on a directory that holds data.
    #[error("{} already holds a checkpoint; use StreamingContext::get_or_create to recover it", directory.display())]
    DirectoryNotEmpty {
        /// The checkpoint directory.
        directory: PathBuf,
    },
    /// A function of the program panicked.
    #[error("batch {time} failed: {source}")]
    Batch {
        /// The batch.
        time: BatchTime,
        /// What happened.
        source: ComputeError,
    },
    /// A sink failed.
    #[error("the output of batch {time} failed: {source}")]
    Output {
        /// The batch.
        time: BatchTime,
        /// What the sink said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A receiver failed.
    #[error("the receiver of source {stream} failed: {source}")]
    Receiver {
        /// The source that it is.
        stream: SourceId,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file that a batch reads is not the one that was taken into it.
    #[error(
        "the input file {} is not as it was when its batch was fixed: {found}; restore it as it was, or remove the checkpoint \
         directory to start afresh and lose what it holds",
        path.display()
    )]
    InputChanged {
        /// The file.
        path: PathBuf,
        /// In what it differs.
        found: String,
    },
    /// Batches of a stream that are not to be had.
    #[error(transparent)]
    Slice(#[from] SliceError),
    /// The driver's task is gone without a word: the engine broke one of its own invariants.
    #[error("a task of the driver ended unexpectedly: {task}")]
    TaskLost {
        /// The task.
        task: &'static str,
    },
    /// The error that stopped the driver, told to somebody who was waiting for it.
    #[error(transparent)]
    Shared(#[from] std::sync::Arc<Error>),
}

/// Errors of the program itself: of its graph and its options. They carry Spark's meaning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// Nothing would be computed.
    #[error(
        "no output operation is registered, so nothing would be computed; add for_each_batch, print or save_as_text_files"
    )]
    NoOutput,
    /// The graph is fixed once the context has started.
    #[error("adding sources, operators and outputs after the context was started is not supported")]
    AddedAfterStart,
    /// The context was started or stopped before.
    #[error("the context was already {0}; make a new one")]
    AlreadyUsed(&'static str),
    /// A context without a checkpoint directory.
    #[error("no checkpoint directory is set; call checkpoint(directory) before start, or use get_or_create")]
    NoCheckpointDirectory,
    /// A window, a slide or a checkpoint interval that does not fit its parent.
    #[error(
        "the {what} of {operator:?} ({value}) must be a multiple of the slide of its parent stream ({parent}); \
        choose one, or change the batch interval"
    )]
    NoMultiple {
        /// The operator.
        operator: OperatorKind,
        /// Which of its parameters.
        what: &'static str,
        /// Its value.
        value: Interval,
        /// The parent's slide.
        parent: Interval,
    },
    /// An operator on several streams that have no common grid.
    #[error(
        "the streams of {operator:?} have different slides ({one} and {other}); bring them to one slide with a window"
    )]
    DifferentSlides {
        /// The operator.
        operator: OperatorKind,
        /// The slide of the first stream.
        one: Interval,
        /// The slide of one that differs.
        other: Interval,
    },
    /// An operator on streams of several contexts.
    #[error("the streams of {operator:?} belong to different contexts; make all of them from one")]
    DifferentContexts {
        /// The operator.
        operator: OperatorKind,
    },
    /// An operator on many streams that was given none.
    #[error("{operator:?} was given no streams; give it at least one")]
    NoStreams {
        /// The operator.
        operator: OperatorKind,
    },
    /// A source's address.
    #[error("'{0}' is not a source: give tcp://HOST:PORT or resume://HOST:PORT")]
    Source(String),
    /// An option's value.
    #[error("the option {option} cannot be {value}: {reason}")]
    Option {
        /// The option.
        option: &'static str,
        /// Its value.
        value: String,
        /// Why not.
        reason: String,
    },
}

impl Error {
    /// Whether the same start would fail again until somebody mends the input: a damaged or foreign directory, a path that
    /// cannot be one, a wrong program. The command ends with status 2 then, and its supervisor does not try again.
    pub fn is_unusable_input(&self) -> bool {
        match self {
            Error::Shared(inner) => inner.is_unusable_input(),
            Error::Disk { source, .. } => is_lasting(source.kind()),
            // The engine's own sinks fail with an `Error`.
            Error::Output { source, .. } => {
                source.downcast_ref::<Error>().is_some_and(Error::is_unusable_input)
            }
            Error::Graph(_)
            | Error::Damaged { .. }
            | Error::OtherVersion { .. }
            | Error::NoUsableCheckpoint { .. }
            | Error::OtherPipeline { .. }
            | Error::InUse { .. }
            | Error::DirectoryNotEmpty { .. }
            | Error::InputChanged { .. }
            | Error::NotACheckpointDirectory { .. } => true,
            _ => false,
        }
    }

    pub(crate) fn disk(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::Disk { operation, path: path.to_owned(), source }
    }

    /// An error of a file that was there a moment ago. That its name is gone is the work of another driver, or of a sync that failed for
    /// one, and no reason not to try again.
    pub(crate) fn changed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        use io::ErrorKind::{InvalidData, NotFound};
        move |error| {
            let error = match error.kind() {
                NotFound => io::Error::new(InvalidData, format!("another driver is changing it: {error}")),
                _ => error,
            };
            Error::disk(operation, path)(error)
        }
    }

    pub(crate) fn damaged(path: &Path, offset: u64, error: &FrameError) -> Error {
        if let FrameError::Version { found } = error {
            return Error::OtherVersion { path: path.to_owned(), found: *found };
        }
        Error::Damaged { path: path.to_owned(), offset, reason: error.to_string() }
    }
}

/// Whether an error is of the path, which somebody has to change, and not of the moment, like a full disk.
fn is_lasting(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{
        AlreadyExists, InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound,
        PermissionDenied, ReadOnlyFilesystem,
    };
    matches!(
        kind,
        AlreadyExists
            | InvalidFilename
            | InvalidInput
            | IsADirectory
            | NotADirectory
            | NotFound
            | PermissionDenied
            | ReadOnlyFilesystem
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(kind: io::ErrorKind) -> Error {
        Error::disk("create", Path::new("somewhere"))(kind.into())
    }

    #[test]
    fn a_path_that_cannot_be_used_is_unusable_input_and_a_full_disk_is_not() {
        for kind in [io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied, io::ErrorKind::NotADirectory] {
            assert!(disk(kind).is_unusable_input(), "{kind}");
        }
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::Other, io::ErrorKind::Interrupted] {
            assert!(!disk(kind).is_unusable_input(), "{kind}");
        }
    }

    #[test]
    fn an_output_fails_for_good_where_its_disk_does() {
        let output = |kind| Error::Output { time: BatchTime(0), source: disk(kind).into() };
        assert!(output(io::ErrorKind::NotFound).is_unusable_input());
        assert!(!output(io::ErrorKind::StorageFull).is_unusable_input());
        assert!(!Error::Output { time: BatchTime(0), source: "anything else".into() }.is_unusable_input());
    }
}
