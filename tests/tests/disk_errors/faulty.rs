//! A disk in which one operation fails.

use highwater_core::env::{BoxFuture, Disk, Env, File, Lock};
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

/// When an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It has no effect; an append has half of it.
    Before,
    /// It has its whole effect.
    After,
}

#[derive(Debug)]
struct State {
    /// How many operations until the failing one.
    left: u64,
    moment: Moment,
    only_journal_syncs: bool,
    failed: Option<String>,
    /// Files that are not made durable by any sync.
    dropped: BTreeSet<PathBuf>,
}

/// Clones are of the same faults, over all lives.
#[derive(Clone)]
pub struct Faulty(Arc<Mutex<State>>);

impl Faulty {
    /// The operation of this number fails.
    pub fn failing(number: u64, moment: Moment) -> Self {
        let (failed, dropped) = (None, BTreeSet::new());
        let state = State { left: number, moment, only_journal_syncs: false, failed, dropped };
        Self(Arc::new(Mutex::new(state)))
    }

    /// The sync of this number of a journal segment fails, and no later one of that file has an effect.
    pub fn failing_journal_sync(number: u64) -> Self {
        let faulty = Self::failing(number, Moment::Before);
        faulty.0.lock().unwrap().only_journal_syncs = true;
        faulty
    }

    /// The operation that has failed.
    pub fn failed(&self) -> Option<String> {
        self.0.lock().unwrap().failed.clone()
    }

    /// The world with this disk.
    pub fn over(self, env: Env) -> Env {
        let disk = Arc::new(FaultyDisk { disk: env.disk.clone(), faulty: self });
        Env { disk, ..env }
    }

    fn due(&self, operation: &str, path: &Path) -> Option<Moment> {
        let mut state = self.0.lock().unwrap();
        let is_journal_sync =
            operation == "sync" && path.extension().is_some_and(|extension| extension == "wal");
        if state.left == 0 || (state.only_journal_syncs && !is_journal_sync) {
            return None;
        }
        state.left -= 1;
        if state.left > 0 {
            return None;
        }
        state.failed = Some(format!("{operation} {}", path.display()));
        if state.only_journal_syncs {
            state.dropped.insert(path.to_owned());
        }
        Some(state.moment)
    }

    /// Runs an operation that may fail.
    async fn run<T>(
        &self,
        operation: &str,
        path: &Path,
        work: impl Future<Output = io::Result<T>>,
    ) -> io::Result<T> {
        match self.due(operation, path) {
            None => work.await,
            Some(Moment::Before) => Err(injected()),
            Some(Moment::After) => {
                // Whatever came of it.
                let _ = work.await;
                Err(injected())
            }
        }
    }
}

fn injected() -> io::Error {
    io::Error::other("injected")
}

struct FaultyDisk {
    disk: Arc<dyn Disk>,
    faulty: Faulty,
}

struct FaultyFile {
    file: Box<dyn File>,
    path: PathBuf,
    faulty: Faulty,
}

impl FaultyDisk {
    async fn open(
        &self,
        operation: &str,
        path: &Path,
        opened: BoxFuture<'_, io::Result<Box<dyn File>>>,
    ) -> io::Result<Box<dyn File>> {
        let file = self.faulty.run(operation, path, opened).await?;
        Ok(Box::new(FaultyFile { file, path: path.to_owned(), faulty: self.faulty.clone() }))
    }
}

impl Disk for FaultyDisk {
    fn create_dir<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(self.faulty.run("create_dir", path, self.disk.create_dir(path)))
    }

    fn create_new<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn File>>> {
        Box::pin(self.open("create_new", path, self.disk.create_new(path)))
    }

    fn open_append<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn File>>> {
        Box::pin(self.open("open_append", path, self.disk.open_append(path)))
    }

    fn read<'a>(&'a self, path: &'a Path, offset: u64, length: usize) -> BoxFuture<'a, io::Result<Vec<u8>>> {
        Box::pin(self.faulty.run("read", path, self.disk.read(path, offset, length)))
    }

    fn length<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<u64>> {
        Box::pin(async move {
            // A file that is not there fails either way.
            let length = self.disk.length(path).await?;
            self.faulty.run("length", path, async { Ok(length) }).await
        })
    }

    fn truncate<'a>(&'a self, path: &'a Path, from: u64, to: u64) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(self.faulty.run("truncate", path, self.disk.truncate(path, from, to)))
    }

    fn rename<'a>(&'a self, from: &'a Path, to: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(self.faulty.run("rename", from, self.disk.rename(from, to)))
    }

    fn replace<'a>(&'a self, from: &'a Path, to: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(self.faulty.run("replace", from, self.disk.replace(from, to)))
    }

    fn remove<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(self.faulty.run("remove", path, self.disk.remove(path)))
    }

    fn list<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Vec<String>>> {
        Box::pin(self.faulty.run("list", path, self.disk.list(path)))
    }

    fn sync_dir<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(self.faulty.run("sync_dir", path, self.disk.sync_dir(path)))
    }

    fn lock<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn Lock>>> {
        Box::pin(self.faulty.run("lock", path, self.disk.lock(path)))
    }
}

impl FaultyFile {
    async fn write<'a>(&'a mut self, place: Option<(u64, u64)>, bytes: &'a [u8]) -> io::Result<()> {
        let due = self.faulty.due("append", &self.path);
        let written = match due {
            Some(Moment::Before) => &bytes[..bytes.len() / 2],
            _ => bytes,
        };
        match place {
            Some((offset, length)) => self.file.write_at(offset, length, written).await?,
            None => self.file.append(written).await?,
        }
        due.map_or(Ok(()), |_| Err(injected()))
    }
}

impl File for FaultyFile {
    fn append<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(self.write(None, bytes))
    }

    fn write_at<'a>(
        &'a mut self,
        offset: u64,
        length: u64,
        bytes: &'a [u8],
    ) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(self.write(Some((offset, length)), bytes))
    }

    fn sync(&mut self) -> BoxFuture<'_, io::Result<()>> {
        if self.faulty.0.lock().unwrap().dropped.contains(&self.path) {
            return Box::pin(async { Ok(()) });
        }
        let Self { file, path, faulty } = self;
        Box::pin(faulty.run("sync", path, file.sync()))
    }
}
