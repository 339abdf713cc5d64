//! A file open for appending, which is broken for good after its first error.
//!
//! After a failed append nobody knows how much of it is in the file; after a failed sync the system may have dropped
//! the pages that it could not write, and the next sync would succeed without them. So the file refuses everything from
//! the first error on, and what is on the disk is for recovery to find out. The same holds if the future of an operation
//! was dropped before its end: its outcome is unknown.

use super::disk::blocking;
use crate::env::{BoxFuture, File, length_differs};
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::Arc;
use tokio::runtime::Handle;

/// A file of the machine.
pub(super) struct Appending {
    file: Arc<std::fs::File>,
    runtime: Handle,
    state: State,
}

enum State {
    Sound,
    /// Of an operation that has begun only the beginning is known.
    UnderWay,
    Broken {
        kind: io::ErrorKind,
        reason: String,
    },
}

impl Appending {
    pub(super) fn new(file: std::fs::File, runtime: Handle) -> Self {
        Self { file: Arc::new(file), runtime, state: State::Sound }
    }

    /// Runs an operation on the file, unless it is broken, and breaks it if the operation fails.
    async fn run(
        &mut self,
        operation: impl FnOnce(&std::fs::File) -> io::Result<()> + Send + 'static,
    ) -> io::Result<()> {
        match &self.state {
            State::Sound => {}
            State::UnderWay => {
                return Err(io::Error::other("an earlier operation on this file was not awaited to its end"));
            }
            State::Broken { kind, reason } => {
                return Err(io::Error::new(*kind, format!("an earlier operation failed: {reason}")));
            }
        }
        self.state = State::UnderWay;
        let file = self.file.clone();
        let outcome = blocking(&self.runtime, move || operation(&file)).await;
        self.state = match &outcome {
            Ok(()) => State::Sound,
            Err(error) => State::Broken { kind: error.kind(), reason: error.to_string() },
        };
        outcome
    }
}

impl File for Appending {
    fn append<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, io::Result<()>> {
        // The thread that writes may outlive this borrow, hence the copy.
        let bytes = bytes.to_vec();
        Box::pin(self.run(move |mut file| {
            file.seek(SeekFrom::End(0))?;
            file.write_all(&bytes)
        }))
    }

    fn write_at<'a>(
        &'a mut self,
        offset: u64,
        length: u64,
        bytes: &'a [u8],
    ) -> BoxFuture<'a, io::Result<()>> {
        let bytes = bytes.to_vec();
        Box::pin(self.run(move |mut file| {
            // The file is not open in the system's append mode: what somebody else appends after this look is written over.
            match file.seek(SeekFrom::End(0))? {
                found if found != length => Err(length_differs(length, found)),
                _ if offset > length => Err(io::ErrorKind::InvalidInput.into()),
                _ => {
                    file.seek(SeekFrom::Start(offset))?;
                    file.write_all(&bytes)
                }
            }
        }))
    }

    fn sync(&mut self) -> BoxFuture<'_, io::Result<()>> {
        // fdatasync: the content, and of the metadata what reading it back needs, which includes the length, whether it
        // grew by appending or shrank by truncating. Only time stamps are left out.
        Box::pin(self.run(|file| {
            file.sync_data()?;
            still_has_a_name(file)
        }))
    }
}

/// A file that was removed while it was written to is gone with this process: what is in it was never durable.
#[cfg(unix)]
fn still_has_a_name(file: &std::fs::File) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    match file.metadata()?.nlink() {
        0 => Err(io::Error::new(io::ErrorKind::NotFound, "the file was removed while it was written to")),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn still_has_a_name(_file: &std::fs::File) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// A device on which every write fails with `ENOSPC`.
    fn full_disk() -> Appending {
        let file = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        Appending::new(file, Handle::current())
    }

    fn run<T>(body: impl AsyncFnOnce() -> T) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(body())
    }

    #[test]
    fn after_a_failed_append_nothing_succeeds() {
        run(async || {
            let mut file = full_disk();
            assert_eq!(file.append(b"x").await.unwrap_err().kind(), io::ErrorKind::StorageFull);
            // Appending nothing succeeds on a full disk; on a broken file it must not.
            let error = file.append(b"").await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
            assert!(error.to_string().starts_with("an earlier operation failed: "), "{error}");
            assert_eq!(file.sync().await.unwrap_err().kind(), io::ErrorKind::StorageFull);
        });
    }

    #[test]
    fn after_a_failed_sync_nothing_succeeds() {
        run(async || {
            let mut file = full_disk();
            file.append(b"").await.unwrap();
            // A device has nothing to sync, and says so.
            let kind = file.sync().await.unwrap_err().kind();
            assert_eq!(file.append(b"").await.unwrap_err().kind(), kind);
            assert_eq!(file.sync().await.unwrap_err().kind(), kind);
        });
    }

    #[test]
    fn a_file_that_was_removed_cannot_be_made_durable() {
        run(async || {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("output");
            let mut file = Appending::new(std::fs::File::create_new(&path).unwrap(), Handle::current());
            file.append(b"one").await.unwrap();
            file.sync().await.unwrap();
            std::fs::remove_file(&path).unwrap();
            file.append(b"two").await.unwrap();
            let error = file.sync().await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
            assert!(error.to_string().contains("was removed"), "{error}");
        });
    }

    #[test]
    fn an_append_that_was_not_awaited_breaks_the_file() {
        run(async || {
            let file = tempfile::tempfile().unwrap();
            let mut file = Appending::new(file, Handle::current());
            file.append(b"one").await.unwrap();
            // Large, so that it cannot be over at the first look.
            let large = vec![0; 16 << 20];
            let abandoned = tokio::select! {
                biased;
                outcome = file.append(&large) => Some(outcome),
                () = std::future::ready(()) => None,
            };
            assert!(abandoned.is_none());
            assert!(file.sync().await.is_err());
            assert!(file.append(b"three").await.is_err());
        });
    }

    #[test]
    fn a_write_at_a_length_lands_there_whoever_appends_meanwhile() {
        run(async || {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("output");
            std::fs::write(&path, "head ").unwrap();
            let open = || {
                let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
                Appending::new(file, Handle::current())
            };
            let (mut older, mut newer) = (open(), open());
            // Often enough for both to look before either writes.
            for batch in 0..200_u64 {
                let (at, bytes) = (5 + 8 * batch, batch.to_be_bytes());
                let both = tokio::join!(older.write_at(at, at, &bytes), newer.write_at(at, at, &bytes));
                for (file, outcome) in [(&mut older, both.0), (&mut newer, both.1)] {
                    if let Err(error) = outcome {
                        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
                        *file = open();
                    }
                }
            }
            let expected: Vec<u8> = (0..200_u64).flat_map(u64::to_be_bytes).collect();
            assert_eq!(std::fs::read(&path).unwrap(), [b"head ", &expected[..]].concat());
        });
    }
}
