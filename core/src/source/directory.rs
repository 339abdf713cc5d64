//! The text files of a directory, each read once, in the order of their names among those that are new.
//!
//! A file must appear whole, by a rename from elsewhere, as in Spark; names that begin with `.` or `_` are not seen. A block
//! holds the names and lengths, not the data, so a batch that is run again reads the same bytes as long as the files stay.
//! The position is the list of the files that were taken and are still there.

use super::{BlockData, FileRange, NewBlock, Position, Receiver, Source, lines::LineSplitter};
use crate::{
    codec,
    env::{BoxFuture, Env},
    error::{Error, Result},
    text::TextBlock,
};
use std::{any::Any, collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

pub(crate) struct DirectorySource {
    directory: PathBuf,
    poll_interval: Duration,
    line_bytes_max: usize,
}

impl DirectorySource {
    pub fn new(directory: PathBuf, poll_interval: Duration, line_bytes_max: usize) -> Self {
        Self { directory, poll_interval, line_bytes_max }
    }

    async fn watch(&self, mut receiver: Receiver) -> Result<()> {
        let mut taken: BTreeSet<String> = match receiver.position() {
            None => BTreeSet::new(),
            Some(position) => receiver.decode_position(position)?,
        };
        while !receiver.is_stopping() {
            let env = receiver.env().clone();
            let names = env.disk.list(&self.directory).await.map_err(Error::disk("list", &self.directory))?;
            let present: BTreeSet<String> =
                names.into_iter().filter(|name| !name.starts_with(['.', '_'])).collect();
            let mut files = Vec::new();
            for name in present.difference(&taken) {
                let path = self.directory.join(name);
                let length =
                    env.disk.length(&path).await.map_err(Error::disk("read the length of", &path))?;
                files.push(FileRange { path: path.display().to_string(), length });
            }
            if !files.is_empty() {
                taken = present;
                let position = Some(Position(codec::encode(&taken)));
                let records = files.len() as u64;
                receiver.store(NewBlock { data: BlockData::Files(files), records, position }).await?;
            }
            let deadline = env.clock.sleep(self.poll_interval);
            receiver.sleep_or_stop(deadline).await;
        }
        Ok(())
    }

    async fn read(&self, env: &Env, file: &FileRange, splitter: &mut LineSplitter) -> Result<()> {
        const CHUNK_BYTES: u64 = 1 << 20;
        let path = PathBuf::from(&file.path);
        let mut offset = 0;
        while offset < file.length {
            let length = (file.length - offset).min(CHUNK_BYTES) as usize;
            let bytes = env.disk.read(&path, offset, length).await.map_err(Error::disk("read", &path))?;
            if bytes.is_empty() {
                let reason = format!("it had {} bytes when it was taken into a batch", file.length);
                return Err(Error::Damaged { path, offset, reason });
            }
            offset += bytes.len() as u64;
            splitter.push(&bytes);
        }
        splitter.end_partial();
        Ok(())
    }
}

impl Source for DirectorySource {
    fn receive(self: Arc<Self>, receiver: Receiver) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move { self.watch(receiver).await })
    }

    fn load<'a>(
        &'a self,
        env: &'a Env,
        data: Arc<BlockData>,
    ) -> BoxFuture<'a, Result<Arc<dyn Any + Send + Sync>>> {
        Box::pin(async move {
            let BlockData::Files(files) = &*data else { unreachable!("a directory stores file blocks") };
            let mut splitter = LineSplitter::new(self.line_bytes_max);
            for file in files {
                self.read(env, file, &mut splitter).await?;
            }
            let text = splitter.take().map_or_else(TextBlock::default, |block| block.text);
            Ok(Arc::new(text) as Arc<dyn Any + Send + Sync>)
        })
    }
}
