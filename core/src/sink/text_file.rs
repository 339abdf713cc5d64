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
    io::ErrorKind,
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

/// Opens the file, or creates it, and returns it with its length. Both are durable, and so is its name.
async fn open(disk: &Arc<dyn Disk>, path: &Path) -> Result<(Box<dyn File>, u64), Error> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut renaming = path.as_os_str().to_owned();
    renaming.push(RENAMING);
    let renaming = Path::new(&renaming);
    match disk.rename(renaming, path).await {
        // An earlier start died in between.
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(Error::disk("rename to", path)(error)),
    }
    match disk.create_new(path).await {
        Ok(file) => {
            disk.sync_dir(directory).await.map_err(Error::disk("sync the directory", directory))?;
            return Ok((file, 0));
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(Error::disk("create", path)(error)),
    }
    let length = disk.length(path).await.map_err(Error::disk("read the length of", path))?;
    if length == 0 {
        // The start that created it may have died before the name was durable, or have been told that it is not: what a sync gave
        // up, no later sync makes durable, so the name is given anew. Removing the file instead could take it from a newer driver.
        disk.rename(path, renaming).await.map_err(Error::disk("rename", path))?;
        disk.rename(renaming, path).await.map_err(Error::disk("rename to", path))?;
        disk.sync_dir(directory).await.map_err(Error::disk("sync the directory", directory))?;
    }
    let mut file = disk.open_append(path).await.map_err(Error::disk("open", path))?;
    file.sync().await.map_err(Error::disk("sync", path))?;
    Ok((file, length))
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
            let (file, length) = open(&env.disk, &self.path).await?;
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

#[cfg(all(test, feature = "os"))]
#[allow(clippy::disallowed_methods, reason = "the test changes the machine's files")]
mod tests {
    use super::*;
    use crate::ids::{BatchTime, Generation};
    use std::fs;

    #[test]
    fn a_file_that_somebody_else_changes_is_an_error_that_names_it_and_the_next_start_goes_on() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("output");
        let info = |time| BatchInfo { time: BatchTime(time), generation: Generation(1), repetition: false };
        let sink = || TextFile::new(path.clone(), |batch: &Batch<u64>| format!("{}\n", batch.records[0]));
        runtime.block_on(async {
            let env = crate::os::env_with_threads(1);
            let changes: [fn(&Path); 3] = [
                |path| fs::write(path, "1\nanother driver\n").unwrap(),
                |path| fs::write(path, "").unwrap(),
                |path| fs::write(path, "1").unwrap(),
            ];
            for change in changes {
                let _ = fs::remove_file(&path);
                let mut first = sink();
                first.open(&env, None).await.unwrap();
                let at = first.emit(info(1), b"1\n".to_vec()).await.unwrap();
                change(&path);
                let changed = fs::read(&path).unwrap();
                let error = first.emit(info(2), b"2\n".to_vec()).await.unwrap_err();
                assert!(error.to_string().starts_with(&format!("cannot write to {}: ", path.display())));
                assert!(!error.downcast_ref::<Error>().unwrap().is_unusable_input(), "{error}");
                assert_eq!(fs::read(&path).unwrap(), changed);

                let mut next = sink();
                next.open(&env, Some(at)).await.unwrap();
                next.emit(info(2), b"2\n".to_vec()).await.unwrap();
                let kept = &changed[..changed.len().min(2)];
                assert_eq!(fs::read(&path).unwrap(), [kept, b"2\n"].concat());
            }
        });
    }
}
