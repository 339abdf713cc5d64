//! The text files of a directory, each read once, in the order of their names among those that are new.
//!
//! A file must appear whole, by a rename from elsewhere, as in Spark; names that begin with `.` or `_` are not seen. A block
//! holds the names, lengths and checksums, not the data: a batch that is run again reads the same list, whatever came since, and
//! the same bytes, or fails with an error that names the file. So files must stay as they are until the batches that read them are
//! covered by a checkpoint. The position is the list of the files that were taken and are still there.
//!
//! A file is read twice: for its checksum when it is taken, and for its lines when its batch is computed. The second time it is in
//! the machine's memory, as a rule. A block is stored as soon as it is full, so that a first look over a large directory that is cut
//! off was not in vain.

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

/// A look over the files that are new.
struct Look<'a> {
    env: &'a Env,
    directory: &'a Path,
    /// Those that it has not come to.
    names: std::vec::IntoIter<String>,
    /// The most bytes of files in a block.
    bytes_max: u64,
    /// A file that the last block had no room for.
    taken: Option<FileRange>,
}

impl Look<'_> {
    /// The files of the next block, in their order; none if there are no more. When `is_stopping`, it leaves the rest of them for the
    /// next start.
    async fn next_block(&mut self, is_stopping: impl Fn() -> bool) -> Result<Option<Vec<FileRange>>> {
        let mut block: Vec<FileRange> = self.taken.take().into_iter().collect();
        let mut bytes: u64 = block.iter().map(|file| file.length).sum();
        while !is_stopping()
            && let Some(name) = self.names.next()
        {
            let file = take(self.env, &self.directory.join(name), self.bytes_max).await?;
            bytes += file.length;
            if bytes > self.bytes_max && !block.is_empty() {
                self.taken = Some(file);
                break;
            }
            block.push(file);
        }
        Ok((!block.is_empty()).then_some(block))
    }
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
            let names = present.difference(&taken).cloned().collect::<Vec<_>>().into_iter();
            let (directory, bytes_max) = (&*self.directory, BLOCK_BYTES_MAX);
            let mut look = Look { env: &env, directory, names, bytes_max, taken: None };
            while let Some(files) = look.next_block(|| supervisor.is_stopping()).await? {
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
async fn take(env: &Env, path: &Path, bytes_max: u64) -> Result<FileRange> {
    let length = env.disk.length(path).await.map_err(Error::disk("read the length of", path))?;
    if length > bytes_max {
        return Err(too_large(path, length, bytes_max));
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

fn too_large(path: &Path, length: u64, bytes_max: u64) -> Error {
    let reason = format!("it has {length} bytes, the most is {bytes_max}: split it");
    let source = std::io::Error::new(ErrorKind::FileTooLarge, reason);
    Error::Disk { operation: "take", path: path.to_owned(), source }
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

#[cfg(all(test, feature = "os"))]
#[allow(clippy::disallowed_methods, reason = "the test makes the machine's files")]
mod tests {
    use super::*;
    use std::{cell::Cell, fs};

    /// The blocks of files of so many bytes, of which a block takes 6, until it fails or is stopped after so many of them.
    fn blocks(lengths: &[usize], stop_after: usize) -> (Vec<Vec<u64>>, Option<Error>) {
        let directory = tempfile::tempdir().unwrap();
        let names: Vec<String> = (0..lengths.len()).map(|number| format!("file-{number}")).collect();
        for (name, length) in names.iter().zip(lengths) {
            fs::write(directory.path().join(name), vec![b'x'; *length]).unwrap();
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let env = crate::os::env_with_threads(1);
            let (directory, names) = (directory.path(), names.into_iter());
            let mut look = Look { env: &env, directory, names, bytes_max: 6, taken: None };
            let mut blocks: Vec<Vec<u64>> = Vec::new();
            let count = Cell::new(0);
            loop {
                count.set(blocks.len());
                match look.next_block(|| count.get() >= stop_after).await {
                    Ok(Some(files)) => blocks.push(files.iter().map(|file| file.length).collect()),
                    Ok(None) => return (blocks, None),
                    Err(error) => return (blocks, Some(error)),
                }
            }
        })
    }

    #[test]
    fn blocks_are_bounded_and_keep_the_order() {
        let (blocks, error) = blocks(&[1, 3, 3, 6, 2, 0, 4, 0, 1], usize::MAX);
        assert_eq!(blocks, [vec![1, 3], vec![3], vec![6], vec![2, 0, 4, 0], vec![1]]);
        assert!(error.is_none());
    }

    #[test]
    fn a_block_is_there_before_the_files_after_it_are_read() {
        let (blocks, error) = blocks(&[3, 3, 3, 7], usize::MAX);
        assert_eq!(blocks, [[3, 3]]);
        assert!(error.is_some_and(|error| error.to_string().ends_with("the most is 6: split it")));
    }

    #[test]
    fn a_stop_waits_for_no_more_files_and_drops_none_that_was_taken() {
        // The third file was read when the first block was full.
        assert_eq!(blocks(&[3, 3, 3, 3, 7], 1).0, [vec![3, 3], vec![3]]);
        assert_eq!(blocks(&[3, 3], 0).0, [[0; 0]; 0]);
    }
}
