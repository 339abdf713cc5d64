//! A file of frames, read one after the other in bounded memory: of the file no more is held than a window, or the one record that is
//! longer than that.

use crate::{codec::FrameError, env::Disk, error::Result, journal::cannot_read};
use std::path::Path;

/// What is read at once, in bytes.
const WINDOW_BYTES: usize = 1 << 20;

/// A place in a file, with some of what stands behind it.
pub(crate) struct Window<'a> {
    disk: &'a dyn Disk,
    path: &'a Path,
    /// The file's length when it was opened.
    file_bytes: u64,
    /// Where reading ends.
    end: u64,
    /// Where the bytes that are held begin.
    from: u64,
    bytes: Vec<u8>,
    /// How many of them are done with.
    used: usize,
    checksum: u32,
}

impl<'a> Window<'a> {
    /// Begins at the start of a file, and ends at byte `until` of it, or where it ends.
    ///
    /// # Errors
    /// [`Error::Damaged`](crate::Error::Damaged) if it is missing, [`Error::Disk`](crate::Error::Disk).
    pub async fn open(disk: &'a dyn Disk, path: &'a Path, until: u64) -> Result<Self> {
        let file_bytes = disk.length(path).await.map_err(|error| cannot_read(path, error))?;
        let end = file_bytes.min(until);
        Ok(Self { disk, path, file_bytes, end, from: 0, bytes: Vec::new(), used: 0, checksum: 0 })
    }

    /// The length of the whole file.
    pub fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// Where the next frame begins.
    pub fn offset(&self) -> u64 {
        self.from + self.used as u64
    }

    /// Whether all was decoded.
    pub fn is_at_end(&self) -> bool {
        self.offset() >= self.end
    }

    /// The CRC-32C of what was read so far: at the end, of all.
    pub fn checksum(&self) -> u32 {
        self.checksum
    }

    /// Decodes what stands next with a function that says how long it is, from as much of the file as it takes.
    ///
    /// # Errors
    /// [`Error::Damaged`](crate::Error::Damaged) if the file is gone, [`Error::Disk`](crate::Error::Disk). What the function says is in the
    /// inner result; the place stays where it is then.
    pub async fn decode<T>(
        &mut self,
        decode: impl Fn(&[u8]) -> std::result::Result<(T, usize), FrameError>,
    ) -> Result<std::result::Result<T, FrameError>> {
        loop {
            match decode(&self.bytes[self.used..]) {
                Ok((decoded, length)) => {
                    self.used += length;
                    return Ok(Ok(decoded));
                }
                Err(FrameError::Incomplete) if self.from + (self.bytes.len() as u64) < self.end => {
                    self.grow().await?;
                }
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    /// Holds more: twice as much as before where one record needs it.
    async fn grow(&mut self) -> Result<()> {
        self.bytes.drain(..self.used);
        self.from += self.used as u64;
        self.used = 0;
        let at = self.from + self.bytes.len() as u64;
        let rest = usize::try_from(self.end - at).unwrap_or(usize::MAX);
        let length = rest.min(self.bytes.len().max(WINDOW_BYTES));
        let read = self.disk.read(self.path, at, length).await;
        let read = read.map_err(|error| cannot_read(self.path, error))?;
        if read.is_empty() {
            // It was cut meanwhile.
            self.end = at;
        }
        self.checksum = crc32c::crc32c_append(self.checksum, &read);
        self.bytes.extend_from_slice(&read);
        Ok(())
    }
}
