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
//! **Faults.** `fate` says how an operation goes that a fault of the plan strikes, `struck` is what faults do to the disk, `damage`
//! what of a file is not what was written. An operation that nothing strikes pays one look for it.
//!
//! Left out: links, and errors that no plan asked for.

mod damage;
mod fate;
mod fingerprint;
mod image;
mod inode;
mod names;
mod record;
mod sabotaged;
mod struck;
mod untold;
mod volume;

pub use damage::Damage;
pub use image::{AtRisk, FileAtRisk};
pub use record::{Buried, ContentChange, Done, FailedOperation, Published, RecordedChange, Usage};
pub(crate) use volume::{Actor, InodeId, Volume};

use fate::{Entry, Fate};

use crate::{
    clock::{Alarm, Turn},
    fault::{DiskOperation, Hit, Moment},
    rng::{Domain, Draws, stream},
    sabotage::Sabotage,
    world::{DueCrash, Entered, Event, Pause, Seat, State},
};
use highwater_core::env::{BoxFuture, Disk, File, Lock, length_differs};
use std::{
    io::{self, ErrorKind},
    path::Path,
};
use xxhash_rust::xxh3::xxh3_64;

/// In which way an operation takes effect.
#[derive(Clone, Copy)]
enum Way {
    Whole,
    /// For an append: so many of 1024 parts of its bytes.
    Part(u64),
    /// Not at all, though it reports success.
    Nothing,
    /// For a read: without the last change.
    Stale,
    /// For a creation or a rename: over what is there.
    Overwrite,
    /// For a listing: without the claims of others that are newer.
    OwnClaims,
}

/// What an operation is aimed at.
#[derive(Clone, Copy)]
enum Target<'a> {
    Path(&'a str),
    /// With what is appended.
    File(InodeId, &'a [u8]),
}

impl Target<'_> {
    fn path(&self, disk: &Volume) -> String {
        match self {
            Target::Path(path) => (*path).to_owned(),
            Target::File(inode, _) => disk.inode(*inode).name.to_string(),
        }
    }
}

/// How an operation went.
enum Performed<T> {
    /// It has a result, and waits for so many nanoseconds before it tells.
    Done(io::Result<T>, u64),
    /// A planned crash hit it: kill the node.
    Crashed,
    /// The life that it belongs to is over.
    Dead,
}

/// An operation that waits before its effect.
enum Waits<A> {
    /// It was let in, and a fault makes it slow.
    Stalled { entered: Entered, nanos: u64, act: A },
    /// The process stands still before it: it is made anew after that.
    Halted(A),
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
        act: impl FnOnce(&mut Volume, Actor, Way) -> io::Result<T>,
    ) -> io::Result<T> {
        let (pause, after) = self.world.disk_pause(operation);
        if !after {
            self.pause(pause).await;
        }
        let mut act = act;
        let performed = loop {
            match self.perform(operation, target, after, act) {
                Ok(performed) => break performed,
                Err(Waits::Stalled { entered, nanos, act }) => {
                    Alarm::after(&self.world, nanos).await;
                    break self.resume(operation, target, entered, act);
                }
                Err(Waits::Halted(not_done)) => {
                    self.go_on().await;
                    act = not_done;
                }
            }
        };
        match performed {
            Performed::Done(result, late_nanos) => {
                self.go_on().await;
                if after {
                    self.pause(pause).await;
                }
                if late_nanos > 0 {
                    Alarm::after(&self.world, late_nanos).await;
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

    /// Lets an operation in. It takes effect in the same instant, unless a fault has it wait.
    fn perform<T, A: FnOnce(&mut Volume, Actor, Way) -> io::Result<T>>(
        &self,
        operation: DiskOperation,
        target: Target<'_>,
        after: bool,
        act: A,
    ) -> Result<Performed<T>, Waits<A>> {
        let at = self.world.now();
        let mut state = self.world.lock();
        let Some(mut entered) = state.enter_disk(self, operation, at, |disk| target.path(disk)) else {
            return Ok(Performed::Dead);
        };
        if entered.halted == Some(Moment::Before) && entered.crash.is_none() {
            return Err(Waits::Halted(act));
        }
        let mut late_nanos = 0;
        let is_struck = !entered.due.is_empty() || state.is_disk_struck(at);
        if is_struck {
            let entry = Entry { operation, target, number: entered.number, at };
            let (nanos, after) = state.stall(self, entry, &mut entered.due, after);
            match after {
                true => late_nanos = nanos,
                false if nanos > 0 => return Err(Waits::Stalled { entered, nanos, act }),
                false => {}
            }
        }
        let entry = Entry { operation, target, number: entered.number, at };
        Ok(match self.take_effect(&mut state, entry, entered, is_struck, act) {
            Some(result) => Performed::Done(result, late_nanos),
            None => Performed::Crashed,
        })
    }

    /// The end of the wait of an operation that a fault has stalled.
    fn resume<T>(
        &self,
        operation: DiskOperation,
        target: Target<'_>,
        mut entered: Entered,
        act: impl FnOnce(&mut Volume, Actor, Way) -> io::Result<T>,
    ) -> Performed<T> {
        let at = self.world.now();
        let mut state = self.world.lock();
        if !state.is_alive(self) {
            return Performed::Dead;
        }
        entered.crash = entered.crash.filter(|crash| state.can_crash(*crash, self.node));
        let entry = Entry { operation, target, number: entered.number, at };
        match self.take_effect(&mut state, entry, entered, true, act) {
            Some(result) => Performed::Done(result, 0),
            None => Performed::Crashed,
        }
    }

    /// The instant in which an operation takes effect; `None` if a planned crash hits it.
    fn take_effect<T>(
        &self,
        state: &mut State,
        entry: Entry<'_>,
        entered: Entered,
        is_struck: bool,
        act: impl FnOnce(&mut Volume, Actor, Way) -> io::Result<T>,
    ) -> Option<io::Result<T>> {
        let Entry { operation, target, number, at } = entry;
        let Entered { crash, due, .. } = entered;
        let fate = match is_struck {
            true => state.fate(self, entry, due),
            false => Fate::Goes(Way::Whole),
        };
        let result = match crash {
            None => Some(state.fulfil(self, entry, fate, act)),
            Some(DueCrash { moment: Moment::Before, .. }) => None,
            Some(DueCrash { moment: Moment::After, .. }) => Some(state.fulfil(self, entry, fate, act)),
            Some(DueCrash { moment: Moment::Inside, seed, .. }) => {
                let mut rng = stream(seed, Domain::Image);
                let (part, coin) = (rng.between(0..=1024), rng.one_in(2));
                let fate = match (operation, fate) {
                    (DiskOperation::Append, Fate::Goes(Way::Whole)) => Some(Fate::Goes(Way::Part(part))),
                    // Some of the pages may have been written: that is what the image of a power loss draws.
                    (DiskOperation::Sync | DiskOperation::SyncDir, _) => None,
                    (_, fate) => coin.then_some(fate),
                };
                fate.map(|fate| state.fulfil(self, entry, fate, act))
            }
        };
        if let Some(Err(error)) = &result
            && error.kind() == ErrorKind::AlreadyExists
        {
            let step = state.step(operation, &target.path(&state.disk));
            state.refused.insert(step);
        }
        let aim = match target {
            Target::Path(path) => xxh3_64(path.as_bytes()),
            Target::File(inode, []) => inode.0 as u64,
            Target::File(inode, bytes) => xxh3_64(bytes).rotate_left(7) ^ inode.0 as u64,
        };
        let outcome = result.as_ref().map_or(2, |result| u64::from(result.is_err()));
        state.note(Event::Disk, self, at, [operation as u64, aim, outcome]);
        if state.is_observed() || crash.is_some() {
            let path = target.path(&state.disk);
            let error = result.as_ref().and_then(|result| result.as_ref().err().map(io::Error::kind));
            state.trace_disk(self, at, number, operation, &path, error);
            if let Some(DueCrash { fault, .. }) = crash {
                let step = state.step(operation, &path);
                state.crash(fault, self.node, self.life, at, Hit::Disk { number, step, path });
                return None;
            }
        }
        result
    }

    async fn on_path<T>(
        &self,
        operation: DiskOperation,
        path: &Path,
        act: impl FnOnce(&mut Volume, Actor, &str, Way) -> io::Result<T>,
    ) -> io::Result<T> {
        let path = text(path)?;
        self.operate(operation, Target::Path(path), |volume, actor, way| act(volume, actor, path, way)).await
    }
}

impl Volume {
    fn renamed(&mut self, to: &str, actor: Actor) {
        self.struck.untold.named(to, actor);
        self.note_published(to, actor);
    }
}

/// An effect that may be left out.
fn unless_nothing(way: Way, act: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    match way {
        Way::Nothing => Ok(()),
        _ => act(),
    }
}

/// The path as text, without a slash at its end.
fn text(path: &Path) -> io::Result<&str> {
    let text = path.to_str().ok_or(ErrorKind::InvalidInput)?;
    Ok(text.trim_end_matches('/'))
}

impl Disk for SimDisk {
    fn create_dir<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(self.seat.on_path(DiskOperation::CreateDir, path, |disk, _, path, _| disk.create_dir(path)))
    }

    fn create_new<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn File>>> {
        Box::pin(async move {
            let create = |disk: &mut Volume, actor, path: &str, way| {
                let inode = match way {
                    Way::Overwrite => disk.create_over(path, actor),
                    _ => disk.create_new(path, actor),
                }?;
                disk.struck.untold.named(path, actor);
                disk.struck.untold.opened(inode, actor);
                Ok(inode)
            };
            let inode = self.seat.on_path(DiskOperation::CreateNew, path, create).await?;
            Ok(Box::new(SimFile { seat: self.seat.clone(), inode }) as Box<dyn File>)
        })
    }

    fn open_append<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn File>>> {
        Box::pin(async move {
            let open = |disk: &mut Volume, actor, path: &str, _| {
                disk.find(path).inspect(|inode| disk.struck.untold.opened(*inode, actor))
            };
            let inode = self.seat.on_path(DiskOperation::OpenAppend, path, open).await?;
            Ok(Box::new(SimFile { seat: self.seat.clone(), inode }) as Box<dyn File>)
        })
    }

    fn read<'a>(&'a self, path: &'a Path, offset: u64, length: usize) -> BoxFuture<'a, io::Result<Vec<u8>>> {
        let read = move |disk: &mut Volume, _, path: &str, way| match way {
            Way::Stale => disk.read_stale(path, offset, length),
            _ => disk.read(path, offset, length),
        };
        Box::pin(self.seat.on_path(DiskOperation::Read, path, read))
    }

    fn length<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<u64>> {
        let length = |disk: &mut Volume, _, path: &str, way| match way {
            Way::Stale => disk.length_stale(path),
            _ => disk.length(path),
        };
        Box::pin(self.seat.on_path(DiskOperation::Length, path, length))
    }

    fn truncate<'a>(&'a self, path: &'a Path, from: u64, to: u64) -> BoxFuture<'a, io::Result<()>> {
        let truncate = move |disk: &mut Volume, actor, path: &str, way| {
            let inode = disk.find(path)?;
            let found = disk.inode(inode).content.len() as u64;
            if found != from {
                return Err(length_differs(from, found));
            }
            unless_nothing(way, || disk.truncate(inode, to, actor))
        };
        Box::pin(self.seat.on_path(DiskOperation::Truncate, path, truncate))
    }

    fn rename<'a>(&'a self, from: &'a Path, to: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            let to = text(to)?;
            let rename = |disk: &mut Volume, actor, from: &str, way| {
                match way {
                    Way::Overwrite => disk.rename_over(from, to, actor),
                    _ => disk.rename(from, to),
                }
                .inspect(|()| disk.renamed(to, actor))
            };
            self.seat.on_path(DiskOperation::Rename, from, rename).await
        })
    }

    fn replace<'a>(&'a self, from: &'a Path, to: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            let to = text(to)?;
            let replace = |disk: &mut Volume, actor, from: &str, _| {
                disk.replace_name(from, to, actor).inspect(|()| disk.renamed(to, actor))
            };
            self.seat.on_path(DiskOperation::Rename, from, replace).await
        })
    }

    fn remove<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        let remove = |disk: &mut Volume, actor, path: &str, way| {
            disk.find(path)?;
            unless_nothing(way, || disk.remove(path, actor))
        };
        Box::pin(self.seat.on_path(DiskOperation::Remove, path, remove))
    }

    fn list<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Vec<String>>> {
        let list = |disk: &mut Volume, actor, path: &str, way| match way {
            Way::Stale => disk.list_stale(path),
            Way::OwnClaims => disk.list_own_claims(path, actor),
            _ => disk.list(path),
        };
        Box::pin(self.seat.on_path(DiskOperation::List, path, list))
    }

    fn sync_dir<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        let sync = |disk: &mut Volume, _, path: &str, way| unless_nothing(way, || disk.sync_dir(path));
        Box::pin(self.seat.on_path(DiskOperation::SyncDir, path, sync))
    }

    fn lock<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn Lock>>> {
        Box::pin(async move {
            let lock = |disk: &mut Volume, actor, path: &str, _| disk.lock(path, actor);
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

impl SimFile {
    /// Writes at an offset of a file of a length, or at the end.
    async fn write(&self, place: Option<(u64, u64)>, bytes: &[u8]) -> io::Result<()> {
        let inode = self.inode;
        let write = move |disk: &mut Volume, actor, way| {
            let found = disk.inode(inode).content.len() as u64;
            let place = place.filter(|_| !disk.is_sabotaged(Sabotage::WritesLandAtTheEnd));
            let offset = match place {
                None => found,
                Some((_, length)) if length != found => return Err(length_differs(length, found)),
                Some((offset, length)) if offset > length => return Err(ErrorKind::InvalidInput.into()),
                Some((offset, _)) => offset,
            };
            let length = match way {
                Way::Part(of_1024) => (bytes.len() as u64 * of_1024 / 1024) as usize,
                Way::Nothing => 0,
                _ => bytes.len(),
            };
            disk.write(inode, offset, &bytes[..length], actor);
            Ok(())
        };
        self.seat.operate(DiskOperation::Append, Target::File(inode, bytes), write).await
    }
}

impl File for SimFile {
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
        let inode = self.inode;
        let sync = move |disk: &mut Volume, _, way| {
            unless_nothing(way, || {
                disk.sync(inode);
                Ok(())
            })
        };
        Box::pin(self.seat.operate(DiskOperation::Sync, Target::File(inode, &[]), sync))
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
mod faulty;
#[cfg(test)]
mod proven;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wild;
