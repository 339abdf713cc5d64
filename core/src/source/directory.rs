//! The text files of a directory, each read once, in the order of their names among those that are new.
//!
//! A file must appear whole, by a rename from elsewhere, as in Spark; names that begin with `.` or `_` are not seen. A block
//! holds the names, lengths and checksums, not the data: a batch that is run again reads the same list, whatever came since, and
//! the same bytes, or fails with an error that names the file. So files must stay as they are until the batches that read them are
//! covered by a checkpoint. The position is the list of the files that were taken and are still there.
//!
//! A file is read twice: for its checksum when it is taken, and for its lines when its batch is computed. The second time it is in
//! the machine's memory, as a rule.

use super::{
    BlockData, FileRange, LoadedBlock, NewBlock, Position, ReceiverSupervisor, Source, lines::LineSplitter,
};
use crate::{
    codec,
    env::{BoxFuture, Env},
    error::{Error, Result},
    text::TextBlock,
};
use std::{
    collections::BTreeSet,
    io::ErrorKind,
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

    async fn watch(&self, supervisor: ReceiverSupervisor) -> Result<()> {
        let mut taken: BTreeSet<String> = match supervisor.position() {
            None => BTreeSet::new(),
            Some(position) => supervisor.decode_position(position)?,
        };
        while !supervisor.is_stopping() {
            let env = supervisor.env().clone();
            let names = env.disk.list(&self.directory).await.map_err(Error::disk("list", &self.directory))?;
            let present: BTreeSet<String> =
                names.into_iter().filter(|name| !name.starts_with(['.', '_'])).collect();
            let mut files = Vec::new();
            for name in present.difference(&taken) {
                files.push(take(&env, &self.directory.join(name)).await?);
            }
            for files in blocks(files) {
                taken.extend(files.iter().filter_map(|file| name_of(&file.path)));
                let position = Some(Position(codec::encode(&taken)));
                let records = files.len() as u64;
                supervisor.store(NewBlock { data: BlockData::Files(files), records, position }).await?;
            }
            taken.retain(|name| present.contains(name));
            let deadline = env.clock.sleep(self.poll_interval);
            supervisor.sleep_or_stop(deadline).await;
        }
        Ok(())
    }

    async fn read(&self, env: &Env, file: &FileRange, splitter: &mut LineSplitter) -> Result<()> {
        let path = PathBuf::from(&file.path);
        let changed = |found: String| Error::InputChanged { path: path.clone(), found };
        let length = env.disk.length(&path).await.map_err(|error| match error.kind() {
            ErrorKind::NotFound => changed("it is gone".into()),
            _ => Error::disk("read the length of", &path)(error),
        })?;
        if length != file.length {
            return Err(changed(format!("it has {length} bytes instead of {}", file.length)));
        }
        let checksum = scan(env, &path, length, |bytes| splitter.push(bytes)).await?;
        if checksum != Some(file.checksum) {
            return Err(changed("it has other content".into()));
        }
        splitter.end_partial();
        Ok(())
    }
}

/// A file as it is now.
async fn take(env: &Env, path: &Path) -> Result<FileRange> {
    let length = env.disk.length(path).await.map_err(Error::disk("read the length of", path))?;
    if length > BLOCK_BYTES_MAX {
        return Err(too_large(path, length));
    }
    let checksum = scan(env, path, length, |_| {}).await?.ok_or_else(|| Error::InputChanged {
        path: path.to_owned(),
        found: format!("it became shorter than {length} bytes while it was read"),
    })?;
    Ok(FileRange { path: path.display().to_string(), length, checksum })
}

/// Reads so many bytes of a file and returns their checksum; `None` if it has not so many.
async fn scan(env: &Env, path: &Path, length: u64, mut each: impl FnMut(&[u8])) -> Result<Option<u32>> {
    const CHUNK_BYTES: u64 = 1 << 20;
    let (mut offset, mut checksum) = (0, 0);
    while offset < length {
        let chunk = (length - offset).min(CHUNK_BYTES) as usize;
        let bytes = env.disk.read(path, offset, chunk).await.map_err(Error::disk("read", path))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        offset += bytes.len() as u64;
        checksum = crc32c::crc32c_append(checksum, &bytes);
        each(&bytes);
    }
    Ok(Some(checksum))
}

/// The most bytes of files in a block: three times as long where nothing is UTF-8, a block's text stays below 4 GiB.
const BLOCK_BYTES_MAX: u64 = 1 << 30;

fn too_large(path: &Path, length: u64) -> Error {
    let reason = format!("it has {length} bytes, the most is {BLOCK_BYTES_MAX}: split it");
    let source = std::io::Error::new(ErrorKind::FileTooLarge, reason);
    Error::Disk { operation: "take", path: path.to_owned(), source }
}

/// Deals files out to blocks, in their order.
fn blocks(files: Vec<FileRange>) -> Vec<Vec<FileRange>> {
    let mut blocks: Vec<Vec<FileRange>> = Vec::new();
    let mut bytes = 0;
    for file in files {
        bytes += file.length;
        match blocks.last_mut().filter(|_| bytes <= BLOCK_BYTES_MAX) {
            Some(block) => block.push(file),
            None => {
                bytes = file.length;
                blocks.push(vec![file]);
            }
        }
    }
    blocks
}

fn name_of(path: &str) -> Option<String> {
    Some(Path::new(path).file_name()?.to_str()?.to_owned())
}

impl Source for DirectorySource {
    fn receive(self: Arc<Self>, supervisor: ReceiverSupervisor) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move { self.watch(supervisor).await })
    }

    fn load<'a>(&'a self, env: &'a Env, data: Arc<BlockData>) -> BoxFuture<'a, Result<LoadedBlock>> {
        Box::pin(async move {
            let BlockData::Files(files) = &*data else { unreachable!("a directory stores file blocks") };
            let mut splitter = LineSplitter::new(self.line_bytes_max);
            for file in files {
                self.read(env, file, &mut splitter).await?;
            }
            let text = splitter.take().map_or_else(TextBlock::default, |block| block.text);
            Ok(Arc::new(text) as LoadedBlock)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(length: u64) -> FileRange {
        FileRange { path: format!("d/{length}"), length, checksum: 0 }
    }

    #[test]
    fn blocks_are_bounded_and_keep_the_order() {
        let half = BLOCK_BYTES_MAX / 2;
        let dealt = blocks(vec![file(1), file(half), file(half), file(BLOCK_BYTES_MAX), file(2)]);
        let lengths: Vec<Vec<u64>> =
            dealt.iter().map(|block| block.iter().map(|file| file.length).collect()).collect();
        assert_eq!(lengths, [vec![1, half], vec![half], vec![BLOCK_BYTES_MAX], vec![2]]);
    }

    #[test]
    fn a_file_too_large_for_a_block_is_an_error_that_says_so() {
        let error = too_large(Path::new("d/large"), BLOCK_BYTES_MAX + 1);
        assert!(error.to_string().contains("split it"), "{error}");
    }
}
