//! `save_as_text_files`: a directory of text for every batch.
//!
//! A batch's directory is `PREFIX-TIME.SUFFIX`, TIME in milliseconds. It holds the records in `part-00000`, a line each, and then
//! `_SUCCESS` with their number: once that is there, the batch is whole and durable. A batch without records has no part. There is
//! one part, whatever partitions the batch has, so that what a batch leaves does not depend on them.
//!
//! Each file is made in two steps: first its name, made durable while it is empty, then its content. So a file with content
//! has a durable name, and a batch that is emitted again writes the same bytes over those that are there: writing it twice
//! is writing it once, also where an older driver wakes up in the middle that does not know yet that it was replaced. Where the
//! bytes differ (the program was changed), the new ones replace the old and what is left behind them is cut off.
//!
//! An empty file's name may not be durable, and no later sync would make it so once one has failed. It is given anew, by way of a
//! hidden name. A driver that is replaced and dies right between these two renames, after the newer one has filled the file, leaves
//! it under the hidden name. This is the one case in which two drivers leave something to mend by hand. No later start could:
//! the batch is complete, so nothing leads back to its directory, and of all directories that there are, however many, none says that
//! it was given up. Nor can the newer driver look once more, since the older one may wake up after any look. What to look for, and to
//! do, is in docs/operating.md.
//!
//! Nothing is removed but what has that hidden name. Files of other names are left as they are; one that has a name of ours and is
//! there before the batch's first emission is an error.

use super::{Batch, BatchInfo, Sink, SinkError, SinkPosition, TextRecord};
use crate::{
    dstream::Data,
    env::{BoxFuture, Disk, Env, File},
    error::{Error, Result},
    ids::BatchTime,
};
use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

const PART: &str = "part-00000";
const SUCCESS: &str = "_SUCCESS";

/// A directory a batch as a sink.
pub(crate) struct TextDirectories {
    prefix: String,
    suffix: String,
    disk: Option<Arc<dyn Disk>>,
}

impl TextDirectories {
    pub fn new(prefix: String, suffix: String) -> Self {
        Self { prefix, suffix, disk: None }
    }

    /// The directory of the batch of `time`. What is empty is left out, with its `-` or `.`.
    fn directory(&self, time: &str) -> PathBuf {
        let mut name = match &*self.prefix {
            "" => time.to_owned(),
            prefix => format!("{prefix}-{time}"),
        };
        if !self.suffix.is_empty() {
            name = format!("{name}.{}", self.suffix);
        }
        name.into()
    }
}

/// A batch as it will stand in its directory.
pub(crate) struct Prepared {
    part: String,
    success: String,
}

/// A batch's directory while it is written to.
struct Writing<'a> {
    disk: &'a dyn Disk,
    directory: &'a Path,
    repetition: bool,
}

impl Writing<'_> {
    async fn write(&self, batch: &Prepared) -> Result<()> {
        let create = self.disk.create_dir(self.directory);
        create.await.map_err(Error::disk("create the directory", self.directory))?;
        let had_a_part = self.repetition && self.disk.length(&self.directory.join(PART)).await.is_ok();
        if had_a_part || !batch.part.is_empty() {
            self.put(PART, batch.part.as_bytes()).await?;
        }
        self.put(SUCCESS, batch.success.as_bytes()).await
    }

    /// Makes the file `name` hold `bytes`, durably.
    async fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = &*self.directory.join(name);
        let (mut file, length) = self.open(name, path).await?;
        // Of exactly this length: whoever has written to it since is another driver.
        file.write_at(0, length, bytes).await.map_err(Error::disk("write to", path))?;
        let written = bytes.len() as u64;
        if written < length {
            let cut = self.disk.truncate(path, length, written);
            cut.await.map_err(changed("truncate", path))?;
        }
        file.sync().await.map_err(Error::disk("sync", path))
    }

    /// The file, with a durable name, and its length.
    async fn open(&self, name: &str, path: &Path) -> Result<(Box<dyn File>, u64)> {
        let hidden = &*self.directory.join(format!(".{name}.renaming"));
        if self.repetition {
            match self.disk.remove(hidden).await {
                // An earlier driver died in between: the file is made anew.
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(Error::disk("remove", hidden)(error)),
            }
        }
        match self.disk.create_new(path).await {
            Ok(file) => {
                self.sync_names().await?;
                return Ok((file, 0));
            }
            Err(error) if self.repetition && error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::disk("create", path)(error)),
        }
        let length = self.disk.length(path).await.map_err(changed("read the length of", path))?;
        if length == 0 {
            self.disk.rename(path, hidden).await.map_err(changed("rename", path))?;
            self.disk.rename(hidden, path).await.map_err(changed("rename to", path))?;
            self.sync_names().await?;
        }
        let file = self.disk.open_append(path).await.map_err(changed("open", path))?;
        Ok((file, length))
    }

    async fn sync_names(&self) -> Result<()> {
        let sync = self.disk.sync_dir(self.directory);
        sync.await.map_err(Error::disk("sync the directory", self.directory))
    }
}

/// An error of a file that was there a moment ago. That a name has come or gone meanwhile is the work of another driver, and no
/// reason not to try again.
fn changed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |error| {
        let error = match error.kind() {
            ErrorKind::NotFound | ErrorKind::AlreadyExists => {
                let message = format!("another driver is changing it: {error}");
                io::Error::new(ErrorKind::InvalidData, message)
            }
            _ => error,
        };
        Error::disk(operation, path)(error)
    }
}

impl<T: Data + TextRecord> Sink<T> for TextDirectories {
    type Prepared = Prepared;

    fn open<'a>(
        &'a mut self,
        env: &'a Env,
        _at: Option<SinkPosition>,
    ) -> BoxFuture<'a, std::result::Result<SinkPosition, SinkError>> {
        self.disk = Some(env.disk.clone());
        Box::pin(async { Ok(SinkPosition::default()) })
    }

    fn name(&self) -> String {
        self.directory("*").display().to_string()
    }

    fn prepare(&self, batch: Batch<T>) -> Prepared {
        let mut part = String::new();
        for record in &batch.records {
            record.write_text(&mut part);
            part.push('\n');
        }
        Prepared { part, success: format!("records: {}\n", batch.records.len()) }
    }

    fn emit(
        &mut self,
        info: BatchInfo,
        batch: Prepared,
    ) -> BoxFuture<'_, std::result::Result<SinkPosition, SinkError>> {
        Box::pin(async move {
            let BatchTime(time) = info.time;
            let directory = &*self.directory(&time.to_string());
            let disk = &**self.disk.as_ref().expect("a sink is opened before it emits");
            Writing { disk, directory, repetition: info.repetition }.write(&batch).await?;
            Ok(SinkPosition::default())
        })
    }

    fn sync(&mut self) -> BoxFuture<'_, std::result::Result<(), SinkError>> {
        // Each batch is durable when it is emitted.
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests;
