//! `save_as_text_files`: a directory of text for every batch.
//!
//! A batch's directory is `PREFIX-TIME.SUFFIX`, TIME in milliseconds. It holds the records in `part-00000`, a line each, and then
//! `_SUCCESS` with their number: once that is there, the batch is whole and durable. A batch without records has no part. There is
//! one part, whatever partitions the batch has, so that what a batch leaves does not depend on them.
//!
//! Each file is made whole and durable under a hidden name of the driver's own, and put in its place in one step, a batch's first time where
//! nothing is and later over what is there. A batch that is emitted again gets files anew, for what is there may have a name that no
//! later sync would make durable, once one has failed. So at no moment is a file gone that was whole, also where an older driver wakes up in
//! the middle that does not know yet that it was replaced: what it puts there late has the same bytes, unless the program was changed
//! meanwhile.
//!
//! Nothing is removed but what has such a hidden name, of an older driver. Files of other names are left as they are; one that has a name
//! of ours and is there before the batch's first emission is an error.

use super::{Batch, BatchInfo, Sink, SinkError, SinkPosition, TextRecord, text_file::if_there};
use crate::{
    dstream::Data,
    env::{BoxFuture, Disk, Env},
    error::{Error, Result},
    ids::{BatchTime, Generation},
};
use std::{
    io::ErrorKind,
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
    generation: Generation,
    repetition: bool,
}

impl Writing<'_> {
    async fn write(&self, batch: &Prepared) -> Result<()> {
        let create = self.disk.create_dir(self.directory);
        create.await.map_err(Error::disk("create the directory", self.directory))?;
        if self.repetition {
            self.remove_hidden().await?;
        }
        let had_a_part = self.repetition && self.disk.length(&self.directory.join(PART)).await.is_ok();
        if had_a_part || !batch.part.is_empty() {
            self.put(PART, batch.part.as_bytes()).await?;
        }
        self.put(SUCCESS, batch.success.as_bytes()).await
    }

    /// Removes what older drivers that died were about to put in place.
    async fn remove_hidden(&self) -> Result<()> {
        let names = self.disk.list(self.directory).await.map_err(Error::disk("list", self.directory))?;
        let is_older = |name: &String| generation_of(name).is_some_and(|one| one < self.generation);
        for name in names.iter().filter(|name| is_older(name)) {
            let hidden = self.directory.join(name);
            // An older driver that is still alive may have put it in place.
            if_there(self.disk.remove(&hidden).await).map_err(Error::disk("remove", &hidden))?;
        }
        Ok(())
    }

    /// Makes the file `name` hold `bytes`, durably.
    async fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = &*self.directory.join(name);
        let hidden = &*self.directory.join(hidden(name, self.generation));
        let mut file = self.disk.create_new(hidden).await.map_err(Error::disk("create", hidden))?;
        file.write_at(0, 0, bytes).await.map_err(Error::disk("write to", hidden))?;
        file.sync().await.map_err(Error::disk("sync", hidden))?;
        if self.repetition {
            self.disk.replace(hidden, path).await.map_err(Error::changed("rename to", path))?;
        } else if let Err(error) = self.disk.rename(hidden, path).await {
            // It is somebody else's. If this cannot be removed, there is one more hidden file.
            let _ = self.disk.remove(hidden).await;
            return Err(match error.kind() {
                ErrorKind::AlreadyExists => Error::disk("create", path)(error),
                _ => Error::changed("rename to", path)(error),
            });
        }
        self.sync_names().await
    }

    async fn sync_names(&self) -> Result<()> {
        let sync = self.disk.sync_dir(self.directory);
        sync.await.map_err(Error::disk("sync the directory", self.directory))
    }
}

/// What a driver calls its file until that is whole.
fn hidden(name: &str, generation: Generation) -> String {
    format!(".{name}.{:010}", generation.0)
}

/// Whose file a hidden one is.
fn generation_of(file: &str) -> Option<Generation> {
    let (name, number) = file.strip_prefix('.')?.rsplit_once('.')?;
    let generation = Generation(number.parse().ok()?);
    ([PART, SUCCESS].contains(&name) && hidden(name, generation) == file).then_some(generation)
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
            let BatchInfo { generation, repetition, .. } = info;
            Writing { disk, directory, generation, repetition }.write(&batch).await?;
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
