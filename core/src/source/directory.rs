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
use std::{
    any::Any,
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

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
            for files in blocks(files)? {
                taken.extend(files.iter().filter_map(|file| name_of(&file.path)));
                let position = Some(Position(codec::encode(&taken)));
                let records = files.len() as u64;
                receiver.store(NewBlock { data: BlockData::Files(files), records, position }).await?;
            }
            taken.retain(|name| present.contains(name));
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

/// The most bytes of files in a block: three times as long where nothing is UTF-8, a block's text stays below 4 GiB.
const BLOCK_BYTES_MAX: u64 = 1 << 30;

/// Deals files out to blocks, in their order.
fn blocks(files: Vec<FileRange>) -> Result<Vec<Vec<FileRange>>> {
    let mut blocks: Vec<Vec<FileRange>> = Vec::new();
    let mut bytes = 0;
    for file in files {
        if file.length > BLOCK_BYTES_MAX {
            let source = std::io::Error::new(
                std::io::ErrorKind::FileTooLarge,
                format!("it has {} bytes, the most is {BLOCK_BYTES_MAX}: split it", file.length),
            );
            return Err(Error::Disk { operation: "take", path: file.path.into(), source });
        }
        bytes += file.length;
        match blocks.last_mut().filter(|_| bytes <= BLOCK_BYTES_MAX) {
            Some(block) => block.push(file),
            None => {
                bytes = file.length;
                blocks.push(vec![file]);
            }
        }
    }
    Ok(blocks)
}

fn name_of(path: &str) -> Option<String> {
    Some(Path::new(path).file_name()?.to_str()?.to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn file(length: u64) -> FileRange {
        FileRange { path: format!("d/{length}"), length }
    }

    #[test]
    fn blocks_are_bounded_and_keep_the_order() {
        let half = BLOCK_BYTES_MAX / 2;
        let dealt = blocks(vec![file(1), file(half), file(half), file(BLOCK_BYTES_MAX), file(2)]).unwrap();
        let lengths: Vec<Vec<u64>> =
            dealt.iter().map(|block| block.iter().map(|file| file.length).collect()).collect();
        assert_eq!(lengths, [vec![1, half], vec![half], vec![BLOCK_BYTES_MAX], vec![2]]);
    }

    #[test]
    fn a_file_too_large_for_a_block_is_an_error_that_says_so() {
        let error = blocks(vec![file(BLOCK_BYTES_MAX + 1)]).unwrap_err();
        assert!(error.to_string().contains("split it"), "{error}");
    }
}
