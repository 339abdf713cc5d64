//! The file system.
//!
//! Every call that may block runs on tokio's blocking threads. What the contract calls durable is synced for real, so
//! on a machine whose disk lies about its cache the contract is only as good as the disk.
//!
//! Dropping the future of an operation that has begun does not stop it: as with a crash of the process it is done, not done, or (an
//! append) done in part, only perhaps a moment later.

use super::appending::Appending;
use super::directories::Directories;
use crate::env::{BoxFuture, Disk, File, Lock, length_differs};
use std::fs::{self, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use tokio::runtime::Handle;

/// The disk of the machine.
pub(super) struct FileSystem {
    runtime: Handle,
    directories: Directories,
}

impl FileSystem {
    pub(super) fn new(runtime: Handle) -> Self {
        Self { runtime, directories: Directories::default() }
    }

    /// Runs an operation on a path where it may block.
    fn run<T: Send + 'static>(
        &self,
        path: &Path,
        operation: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> BoxFuture<'static, io::Result<T>> {
        let path = path.to_owned();
        blocking(&self.runtime, move || operation(&path))
    }

    fn open<'a>(
        &'a self,
        path: &'a Path,
        open: impl FnOnce(&Path) -> io::Result<fs::File> + Send + 'static,
    ) -> BoxFuture<'a, io::Result<Box<dyn File>>> {
        let opening = self.run(path, open);
        Box::pin(async move {
            Ok(Box::new(Appending::new(opening.await?, self.runtime.clone())) as Box<dyn File>)
        })
    }
}

/// Runs `operation` on a thread that may block.
pub(super) fn blocking<T: Send + 'static>(
    runtime: &Handle,
    operation: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> BoxFuture<'static, io::Result<T>> {
    let runtime = runtime.clone();
    Box::pin(async move {
        runtime.spawn_blocking(operation).await.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(payload) => std::panic::resume_unwind(payload),
            Err(_) => Err(io::Error::other("the runtime is shutting down")),
        })
    })
}

impl Disk for FileSystem {
    fn create_dir<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        self.run(path, super::names::create_dir)
    }

    fn create_new<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn File>>> {
        let directories = self.directories.clone();
        self.open(path, move |path| {
            directories.naming(path, || OpenOptions::new().write(true).create_new(true).open(path))
        })
    }

    fn open_append<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn File>>> {
        self.open(path, |path| OpenOptions::new().write(true).open(path))
    }

    fn read<'a>(&'a self, path: &'a Path, offset: u64, length: usize) -> BoxFuture<'a, io::Result<Vec<u8>>> {
        self.run(path, move |path| read(path, offset, length))
    }

    fn length<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<u64>> {
        self.run(path, |path| {
            let metadata = fs::metadata(path)?;
            if metadata.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(metadata.len()) }
        })
    }

    fn truncate<'a>(&'a self, path: &'a Path, from: u64, to: u64) -> BoxFuture<'a, io::Result<()>> {
        self.run(path, move |path| {
            let file = OpenOptions::new().write(true).open(path)?;
            let present = file.metadata()?.len();
            if present != from {
                return Err(length_differs(from, present));
            }
            // The system would fill the gap with zeros, which no reader of a journal must ever meet.
            if to > from {
                let message = format!("cannot cut a file of {from} bytes to {to}");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
            file.set_len(to)
        })
    }

    fn rename<'a>(&'a self, from: &'a Path, to: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        let (to, directories) = (to.to_owned(), self.directories.clone());
        self.run(from, move |from| directories.naming(&to, || super::names::rename(from, &to)))
    }

    fn replace<'a>(&'a self, from: &'a Path, to: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        let (to, directories) = (to.to_owned(), self.directories.clone());
        self.run(from, move |from| directories.naming(&to, || fs::rename(from, &to)))
    }

    fn remove<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        self.run(path, |path| fs::remove_file(path))
    }

    fn list<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Vec<String>>> {
        self.run(path, super::names::list)
    }

    fn sync_dir<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        let directories = self.directories.clone();
        self.run(path, move |path| directories.sync(path))
    }

    fn lock<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn Lock>>> {
        self.run(path, |path| {
            // The lock belongs to the open file: the system releases it when the process ends, and another lock taken in
            // this process is somebody else's. The file is never removed: whoever waits for the old one and whoever
            // makes the new one would both hold "the" lock.
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
            file.try_lock().map_err(|error| match error {
                TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
                TryLockError::Error(error) => error,
            })?;
            Ok(Box::new(Held { _file: file }) as Box<dyn Lock>)
        })
    }
}

/// A lock that is held by having its file open.
struct Held {
    _file: fs::File,
}

impl Lock for Held {}

fn read(path: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut file = fs::File::open(path)?;
    let present = file.metadata()?.len();
    if offset >= present {
        return Ok(Vec::new());
    }
    // As much space as there are bytes: a caller may ask for more than any file has.
    let bytes = usize::try_from(present - offset).map_or(length, |rest| rest.min(length));
    let mut content = Vec::with_capacity(bytes);
    file.seek(SeekFrom::Start(offset))?;
    file.take(bytes as u64).read_to_end(&mut content)?;
    Ok(content)
}
