//! What survives the process.

use super::BoxFuture;
use std::{io, path::Path};

/// The disk seam: directories of append-only files.
///
/// What is durable, that is, survives a power loss:
/// - A file's content, after that file's [`File::sync`]. Before it any subset of the 512-byte sectors of the content not
///   yet synced may survive, in any order, and the length may be ahead of the data.
/// - A file's name (its creation, renaming or removal), after [`Disk::sync_dir`] of its directory. Before it each such
///   change may or may not have happened; a rename may land before the content of what it renames.
/// - A failed sync may have dropped what it could not write, whoever wrote it: a later sync that succeeds proves nothing about it
///   (fsyncgate). The caller must treat the file as broken.
/// - A failed sync is told to all whom it concerns, also where another process asked for it: the next sync fails too of each
///   [`File`] that was open then, and of that directory by each `Disk` that had named something in it since its last sync of it.
///   (Linux since 4.13, `errseq_t`.) So a sync that succeeds has made durable what the caller wrote or named since the one before.
///
/// A crash of the process alone loses nothing that an operation completed before it, and leaves the operation under way
/// done, not done, or (an append) done in part.
///
/// All errors are `std::io::Error` with the kinds of the operating system; `Disk` adds no path to them, callers do.
pub trait Disk: Send + Sync {
    /// Makes a directory and its parents; one that exists is left as it is. The names are durable when it returns.
    fn create_dir<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>>;
    /// Creates an empty file for appending. Exactly one of several concurrent callers succeeds; the others (and a file
    /// that exists) get `ErrorKind::AlreadyExists`.
    fn create_new<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn File>>>;
    /// Opens a file that exists for appending at its end.
    fn open_append<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn File>>>;
    /// Up to `length` bytes from `offset`; fewer only at the end of the file.
    fn read<'a>(&'a self, path: &'a Path, offset: u64, length: usize) -> BoxFuture<'a, io::Result<Vec<u8>>>;
    /// The length of a file in bytes.
    fn length<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<u64>>;
    /// Cuts a file of exactly `from` bytes to `to`. One of another length is [`length_differs`], and is left as it is: somebody else
    /// writes to it; a `to` that is more than it has is `ErrorKind::InvalidInput`. Durable after the file's next sync.
    fn truncate<'a>(&'a self, path: &'a Path, from: u64, to: u64) -> BoxFuture<'a, io::Result<()>>;
    /// Renames a file in one step. A target that exists is `ErrorKind::AlreadyExists` and is left as it is.
    fn rename<'a>(&'a self, from: &'a Path, to: &'a Path) -> BoxFuture<'a, io::Result<()>>;
    /// Renames a file in one step, over the one that has the name: at no moment, and after no power loss, has none of them it.
    fn replace<'a>(&'a self, from: &'a Path, to: &'a Path) -> BoxFuture<'a, io::Result<()>>;
    /// Removes a file.
    fn remove<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>>;
    /// The names of the files in a directory, sorted by their bytes. Directories in it are left out.
    fn list<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Vec<String>>>;
    /// Makes the names in a directory durable.
    fn sync_dir<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>>;
    /// Takes an exclusive lock on a file (created if missing), held until the value is dropped or the process dies, however
    /// it dies. One that somebody holds is `ErrorKind::WouldBlock`.
    fn lock<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn Lock>>>;
}

/// A file open for writing at its end, or over its end.
pub trait File: Send {
    /// Appends all of `bytes`. After an error any prefix of them may have been appended.
    fn append<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, io::Result<()>>;
    /// Writes all of `bytes` at `offset` of a file that has exactly `length` bytes: over what stands there, and on behind its end.
    /// One of another length is [`length_differs`], and is left as it is: somebody else writes to it; an `offset` behind `length` is
    /// `ErrorKind::InvalidInput`. Of two that write to one length at the same moment both may succeed, so they must write the same.
    /// After any other error any prefix may have been written.
    ///
    /// Bytes that are written as they stand there already change nothing, also not what is durable. From the first that differs on
    /// everything behind it is at risk until the next sync, as if it were cut off and appended.
    fn write_at<'a>(&'a mut self, offset: u64, length: u64, bytes: &'a [u8])
    -> BoxFuture<'a, io::Result<()>>;
    /// Makes the content durable. After an error nothing is known about what was appended since the last success. A file whose
    /// name is gone may refuse: nobody would find what is in it.
    fn sync(&mut self) -> BoxFuture<'_, io::Result<()>>;
}

/// The error of a write to a file of another length: `ErrorKind::InvalidData`.
pub fn length_differs(expected: u64, found: u64) -> io::Error {
    let message = format!("it has {found} bytes instead of {expected}: somebody else has changed it");
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// A lock that is held; dropping it releases it.
pub trait Lock: Send + Sync {}
