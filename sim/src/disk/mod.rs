//! The simulated disk, and the seam that the engine sees of it.
//!
//! - `volume` is the disk as a pure state: what is cached, what is durable. `inode` is a file's content, `names` the
//!   changes of directories that are not durable yet, `image` what a power loss leaves, `fingerprint` all of it as one number, `record` what the judges read.
//! - This file is the seam: it takes its time, counts the operation, lets a planned crash hit it, and is dead once the
//!   life that opened the handle is over.
//!
//! **Time.** An operation takes effect in one instant. Most wait for one turn of the scheduler, on either side of that
//! instant, so that other tasks run between; a sync takes a drawn latency of 0.05 to 4 ms, and one operation in 100
//! takes up to 20 ms. So an operation costs at most one timer. An operation that is dropped before its instant has not
//! happened.
//!
//! **Failures.** A process crash leaves the cached view whole and releases the locks of the dead; a power loss leaves an
//! image of the durable view. There is one disk in a world, whoever uses it, and it loses power with the driver.
//!
//! Left out: errors of the medium (EIO, a full disk), damage to durable bytes, and links.

mod fingerprint;
mod image;
mod inode;
mod names;
mod record;
mod volume;

pub use image::{AtRisk, FileAtRisk};
pub use record::{Buried, ContentChange, RecordedChange, Usage};
pub(crate) use volume::{Actor, InodeId, Volume};

use crate::{
    clock::{Alarm, Turn},
    fault::{DiskOperation, Hit, Moment},
    rng::{Domain, Draws, stream},
    world::{DueCrash, Entered, Event, Pause, Seat},
};
use highwater_core::env::{BoxFuture, Disk, File, Lock};
use std::{
    io::{self, ErrorKind},
    path::Path,
};
use xxhash_rust::xxh3::xxh3_64;

/// How much of an operation takes effect.
#[derive(Clone, Copy)]
enum Portion {
    Whole,
    /// For an append: so many of 1024 parts of its bytes.
    Part(u64),
}

/// What an operation is aimed at.
#[derive(Clone, Copy)]
enum Target<'a> {
    Path(&'a str),
    /// With a hash of what is appended.
    File(InodeId, u64),
}

/// How an operation went.
enum Performed<T> {
    Done(io::Result<T>),
    /// A planned crash hit it: kill the node.
    Crashed,
    /// The life that it belongs to is over.
    Dead,
}

/// The disk as one life of a node sees it.
#[derive(Clone)]
pub struct SimDisk {
    seat: Seat,
}

impl SimDisk {
    pub(crate) fn new(seat: Seat) -> Self {
        Self { seat }
    }
}

impl Seat {
    async fn operate<T>(
        &self,
        operation: DiskOperation,
        target: Target<'_>,
        act: impl FnOnce(&mut Volume, Actor, Portion) -> io::Result<T>,
    ) -> io::Result<T> {
        let (pause, after) = self.world.disk_pause(operation);
        if !after {
            self.pause(pause).await;
        }
        match self.perform(operation, target, act) {
            Performed::Done(result) => {
                if after {
                    self.pause(pause).await;
                }
                result
            }
            Performed::Crashed => self.die().await,
            Performed::Dead => std::future::pending().await,
        }
    }

    async fn pause(&self, pause: Pause) {
        match pause {
            Pause::Turn => Turn::default().await,
            Pause::Nanos(nanos) => Alarm::after(&self.world, nanos).await,
        }
    }

    /// The instant in which an operation takes effect.
    fn perform<T>(
        &self,
        operation: DiskOperation,
        target: Target<'_>,
        act: impl FnOnce(&mut Volume, Actor, Portion) -> io::Result<T>,
    ) -> Performed<T> {
        let at = self.world.now();
        let mut state = self.world.lock();
        let path = |disk: &Volume| match target {
            Target::Path(path) => path.to_owned(),
            Target::File(inode, _) => disk.inode(inode).name.to_string(),
        };
        let Some(Entered { number, crash, due: _ }) = state.enter_disk(self, operation, path) else {
            return Performed::Dead;
        };
        let actor = Actor { node: self.node, life: self.life, at };
        let volume = &mut state.disk;
        let result = match crash {
            None => Some(act(volume, actor, Portion::Whole)),
            Some(DueCrash { moment: Moment::Before, .. }) => None,
            Some(DueCrash { moment: Moment::After, .. }) => Some(act(volume, actor, Portion::Whole)),
            Some(DueCrash { moment: Moment::Inside, seed, .. }) => {
                let mut rng = stream(seed, Domain::Image);
                let (part, coin) = (rng.between(0..=1024), rng.one_in(2));
                match operation {
                    DiskOperation::Append => Some(act(volume, actor, Portion::Part(part))),
                    // Some of the pages may have been written: that is what the image of a power loss draws.
                    DiskOperation::Sync | DiskOperation::SyncDir => None,
                    _ => coin.then(|| act(volume, actor, Portion::Whole)),
                }
            }
        };
        let aim = match target {
            Target::Path(path) => xxh3_64(path.as_bytes()),
            Target::File(inode, content) => content.rotate_left(7) ^ inode.0 as u64,
        };
        let outcome = result.as_ref().map_or(2, |result| u64::from(result.is_err()));
        state.note(Event::Disk, self, at, [operation as u64, aim, outcome]);
        if state.is_observed() || crash.is_some() {
            let path = path(&state.disk);
            let error = result.as_ref().and_then(|result| result.as_ref().err().map(io::Error::kind));
            state.trace_disk(self, at, number, operation, &path, error);
            if let Some(DueCrash { fault, .. }) = crash {
                let step = state.step(operation, &path);
                state.crash(fault, self.node, self.life, at, Hit::Disk { number, step, path });
                return Performed::Crashed;
            }
        }
        Performed::Done(result.expect("an operation that nothing hit has a result"))
    }

    async fn on_path<T>(
        &self,
        operation: DiskOperation,
        path: &Path,
        act: impl FnOnce(&mut Volume, Actor, &str) -> io::Result<T>,
    ) -> io::Result<T> {
        let path = text(path)?;
        self.operate(operation, Target::Path(path), |volume, actor, _| act(volume, actor, path)).await
    }
}

/// The path as text, without a slash at its end.
fn text(path: &Path) -> io::Result<&str> {
    let text = path.to_str().ok_or(ErrorKind::InvalidInput)?;
    Ok(text.trim_end_matches('/'))
}

impl Disk for SimDisk {
    fn create_dir<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(self.seat.on_path(DiskOperation::CreateDir, path, |disk, _, path| disk.create_dir(path)))
    }

    fn create_new<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn File>>> {
        Box::pin(async move {
            let create = |disk: &mut Volume, actor, path: &str| disk.create_new(path, actor);
            let inode = self.seat.on_path(DiskOperation::CreateNew, path, create).await?;
            Ok(Box::new(SimFile { seat: self.seat.clone(), inode }) as Box<dyn File>)
        })
    }

    fn open_append<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn File>>> {
        Box::pin(async move {
            let open = |disk: &mut Volume, _, path: &str| disk.find(path);
            let inode = self.seat.on_path(DiskOperation::OpenAppend, path, open).await?;
            Ok(Box::new(SimFile { seat: self.seat.clone(), inode }) as Box<dyn File>)
        })
    }

    fn read<'a>(&'a self, path: &'a Path, offset: u64, length: usize) -> BoxFuture<'a, io::Result<Vec<u8>>> {
        Box::pin(
            self.seat
                .on_path(DiskOperation::Read, path, move |disk, _, path| disk.read(path, offset, length)),
        )
    }

    fn length<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<u64>> {
        Box::pin(self.seat.on_path(DiskOperation::Length, path, |disk, _, path| disk.length(path)))
    }

    fn truncate<'a>(&'a self, path: &'a Path, length: u64) -> BoxFuture<'a, io::Result<()>> {
        let truncate = move |disk: &mut Volume, actor, path: &str| {
            let inode = disk.find(path)?;
            disk.truncate(inode, length, actor)
        };
        Box::pin(self.seat.on_path(DiskOperation::Truncate, path, truncate))
    }

    fn rename<'a>(&'a self, from: &'a Path, to: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            let to = text(to)?;
            self.seat.on_path(DiskOperation::Rename, from, |disk, _, from| disk.rename(from, to)).await
        })
    }

    fn remove<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(self.seat.on_path(DiskOperation::Remove, path, |disk, actor, path| disk.remove(path, actor)))
    }

    fn list<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Vec<String>>> {
        Box::pin(self.seat.on_path(DiskOperation::List, path, |disk, _, path| disk.list(path)))
    }

    fn sync_dir<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(self.seat.on_path(DiskOperation::SyncDir, path, |disk, _, path| disk.sync_dir(path)))
    }

    fn lock<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn Lock>>> {
        Box::pin(async move {
            let lock = |disk: &mut Volume, actor, path: &str| disk.lock(path, actor);
            let inode = self.seat.on_path(DiskOperation::Lock, path, lock).await?;
            Ok(Box::new(SimLock { seat: self.seat.clone(), inode }) as Box<dyn Lock>)
        })
    }
}

/// An open file.
struct SimFile {
    seat: Seat,
    inode: InodeId,
}

impl File for SimFile {
    fn append<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, io::Result<()>> {
        let inode = self.inode;
        let append = move |disk: &mut Volume, actor, portion| {
            let length = match portion {
                Portion::Whole => bytes.len(),
                Portion::Part(of_1024) => (bytes.len() as u64 * of_1024 / 1024) as usize,
            };
            disk.append(inode, &bytes[..length], actor);
            Ok(())
        };
        Box::pin(self.seat.operate(DiskOperation::Append, Target::File(inode, xxh3_64(bytes)), append))
    }

    fn sync(&mut self) -> BoxFuture<'_, io::Result<()>> {
        let inode = self.inode;
        let sync = move |disk: &mut Volume, _, _| {
            disk.sync(inode);
            Ok(())
        };
        Box::pin(self.seat.operate(DiskOperation::Sync, Target::File(inode, 0), sync))
    }
}

/// A lock that is held by a life of a node.
struct SimLock {
    seat: Seat,
    inode: InodeId,
}

impl Lock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        // Also after the end of the life, when the world has released the lock already: then somebody else may hold it,
        // which `unlock` heeds.
        self.seat.world.lock().disk.unlock(self.inode, self.seat.node, self.seat.life);
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wild;
