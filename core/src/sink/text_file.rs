//! A text file that every batch is appended to.
//!
//! The sink's position is how much of the file is of whole batches. What stands behind the position of the last durable completion
//! was written by batches that will be emitted again, perhaps torn: they are written over it, each in its place. A batch that is
//! emitted again has the same bytes, so writing it twice is writing it once: not even an older driver that wakes up in the middle
//! of this, and does not know yet that it was replaced, can do harm. A cut could: it would take what the newer one has completed.
//! What is left behind the last repeated batch, of a format that gives other bytes each time, is cut off before the next new one.
//! So the file holds every batch once, whole. A file that is shorter than the position was replaced by somebody; that is told, and
//! it is gone on with as it is.
//!
//! If the file has another length than it had when this driver last wrote to it, somebody else writes to it (a newer driver, a
//! rotation of logs): that is an error instead of damage, and the next start finds out where to go on.

use super::{Batch, BatchInfo, Sink, SinkError, SinkFinding, SinkPosition};
use crate::{
    dstream::Data,
    env::{BoxFuture, Disk, Env, File},
    error::Error,
};
use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

/// A text file as a sink. Made by [`DStream::write_text`](crate::DStream::write_text).
pub struct TextFile<F> {
    path: PathBuf,
    format: F,
    opened: Option<Opened>,
    finding: Option<SinkFinding>,
}

/// The file, from [`Sink::open`] on.
struct Opened {
    disk: Arc<dyn Disk>,
    file: Box<dyn File>,
    /// Where the next batch belongs.
    position: u64,
    /// How long the file is: longer than that while batches are emitted again.
    length: u64,
}

impl<F> TextFile<F> {
    /// A sink that appends what `format` makes of each batch to the file at `path`.
    pub fn new(path: PathBuf, format: F) -> Self {
        Self { path, format, opened: None, finding: None }
    }
}

/// What the file is called for a moment while its name is made durable.
const RENAMING: &str = ".renaming";
/// How often an opening begins anew because another driver has changed the file's names meanwhile. Each such change brings that one
/// nearer to its end.
const OPENINGS_MAX: usize = 8;

/// The names that the file has in turn.
struct Names<'a> {
    disk: &'a dyn Disk,
    path: &'a Path,
    /// It has this name until its own one is durable. Whoever creates it, creates it here, and whoever gives it its own name anew, moves
    /// it here: of two drivers only one can, so there is never a second file.
    renaming: &'a Path,
    directory: &'a Path,
}

/// Opens the file, or creates it, and returns it with its length. Both are durable, and so is its name.
async fn open(disk: &dyn Disk, path: &Path) -> Result<(Box<dyn File>, u64), Error> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut renaming = path.as_os_str().to_owned();
    renaming.push(RENAMING);
    let names = Names { disk, path, renaming: Path::new(&renaming), directory };
    for _ in 0..OPENINGS_MAX {
        if let Some(opened) = names.open().await? {
            return Ok(opened);
        }
    }
    let changed = io::Error::new(ErrorKind::InvalidData, "another driver is changing its name; start again");
    Err(Error::disk("open", path)(changed))
}

impl Names<'_> {
    /// The open file and its length; `None` if another driver has changed the names meanwhile.
    async fn open(&self) -> Result<Option<(Box<dyn File>, u64)>, Error> {
        let Self { disk, path, renaming, directory } = *self;
        match disk.rename(renaming, path).await {
            // An earlier start died in between.
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => self.clear().await?,
            Err(error) => return Err(Error::disk("rename to", path)(error)),
        }
        let found = if_there(disk.length(path).await).map_err(Error::disk("read the length of", path))?;
        let length = found.unwrap_or(0);
        if length == 0 {
            let hidden = match found {
                None => if_free(disk.create_new(renaming).await.map(drop)),
                // The start that created it may have died before the name was durable, or have been told that it is not: what a
                // sync gave up, no later sync makes durable, so the name is given anew. Removing the file instead could take it
                // from a newer driver.
                Some(_) => if_free(disk.rename(path, renaming).await).or_else(is_gone),
            };
            let operation = found.map_or("create", |_| "rename");
            if hidden.map_err(Error::disk(operation, path))?.is_none() {
                return Ok(None);
            }
            let named = if_free(disk.rename(renaming, path).await).or_else(is_gone);
            if named.map_err(Error::disk("rename to", path))?.is_none() {
                return Ok(None);
            }
            disk.sync_dir(directory).await.map_err(Error::disk("sync the directory", directory))?;
        }
        let file = if_there(disk.open_append(path).await).map_err(Error::disk("open", path))?;
        let Some(mut file) = file else { return Ok(None) };
        file.sync().await.map_err(Error::disk("sync", path))?;
        Ok(Some((file, length)))
    }

    /// Sees to a file that has the hidden name beside one that has its own. A driver that was about to create it leaves that when
    /// another one was faster; nobody has written to it, so it is removed. Only with two older drivers at once, one that stands
    /// still here and one that gives the name anew, something else could have taken its place.
    ///
    /// # Errors
    /// If it has content and the other one has none: then it is not known which one is the output.
    async fn clear(&self) -> Result<(), Error> {
        let Self { disk, path, renaming, .. } = *self;
        let length = |path| async move {
            let length =
                if_there(disk.length(path).await).map_err(Error::disk("read the length of", path))?;
            Ok::<_, Error>(length.unwrap_or(0))
        };
        let hidden = length(renaming).await?;
        if hidden == 0 {
            return if_there(disk.remove(renaming).await).map(drop).map_err(Error::disk("remove", renaming));
        }
        if length(path).await? > 0 {
            // As a rename in two steps leaves it, or a copy of somebody's: the output is what has its name.
            return Ok(());
        }
        let reason = format!(
            "it is empty, and {} has {hidden} bytes: if those are the output, remove the empty file and give the other its \
             name; if not, remove the other",
            renaming.display()
        );
        Err(Error::disk("open", path)(io::Error::new(ErrorKind::AlreadyExists, reason)))
    }
}

/// Nothing if the name is gone.
pub(super) fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    result.map(Some).or_else(is_gone)
}

/// Nothing if the new name is another file's.
fn if_free<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(None),
        result => result.map(Some),
    }
}

fn is_gone<T>(error: io::Error) -> io::Result<Option<T>> {
    match error.kind() {
        ErrorKind::NotFound => Ok(None),
        _ => Err(error),
    }
}

impl Opened {
    async fn emit(&mut self, path: &Path, info: BatchInfo, bytes: &[u8]) -> Result<SinkPosition, Error> {
        if !info.repetition && self.position < self.length {
            let cut = self.disk.truncate(path, self.length, self.position);
            cut.await.map_err(Error::disk("truncate", path))?;
            self.length = self.position;
        }
        let written = self.file.write_at(self.position, self.length, bytes);
        written.await.map_err(Error::disk("write to", path))?;
        self.position += bytes.len() as u64;
        self.length = self.length.max(self.position);
        Ok(SinkPosition(self.position))
    }
}

impl<T: Data, F: Fn(&Batch<T>) -> String + Send + Sync + 'static> Sink<T> for TextFile<F> {
    type Prepared = Vec<u8>;

    fn open<'a>(
        &'a mut self,
        env: &'a Env,
        at: Option<SinkPosition>,
    ) -> BoxFuture<'a, Result<SinkPosition, SinkError>> {
        Box::pin(async move {
            let (file, length) = open(&*env.disk, &self.path).await?;
            let position = at.map_or(length, |at| at.0.min(length));
            self.finding = match at {
                Some(SinkPosition(at)) if length < at => Some(SinkFinding::Missing(at - length)),
                _ => (position < length).then(|| SinkFinding::Incomplete(length - position)),
            };
            self.opened = Some(Opened { disk: env.disk.clone(), file, position, length });
            Ok(SinkPosition(position))
        })
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn finding(&self) -> Option<SinkFinding> {
        self.finding
    }

    fn prepare(&self, batch: Batch<T>) -> Vec<u8> {
        (self.format)(&batch).into_bytes()
    }

    fn emit(&mut self, info: BatchInfo, bytes: Vec<u8>) -> BoxFuture<'_, Result<SinkPosition, SinkError>> {
        Box::pin(async move {
            let opened = self.opened.as_mut().expect("a sink is opened before it emits");
            Ok(opened.emit(&self.path, info, &bytes).await?)
        })
    }

    fn sync(&mut self) -> BoxFuture<'_, Result<(), SinkError>> {
        Box::pin(async move {
            let opened = self.opened.as_mut().expect("a sink is opened before it emits");
            Ok(opened.file.sync().await.map_err(Error::disk("sync", &self.path))?)
        })
    }
}

#[cfg(test)]
mod tests;
