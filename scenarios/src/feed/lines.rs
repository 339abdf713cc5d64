//! A file's lines, so that any run of them is one slice of bytes.

use highwater_core::env::Env;
use std::fmt;
use std::io;
use std::path::Path;

/// Lines, each with its line feed.
pub struct Lines {
    bytes: Vec<u8>,
    /// Where each line ends in `bytes`, behind its line feed.
    ends: Vec<usize>,
}

impl Lines {
    /// Reads a file.
    ///
    /// # Errors
    /// Those of the disk.
    pub async fn read(env: &Env, path: &Path) -> io::Result<Self> {
        let length = usize::try_from(env.disk.length(path).await?)
            .map_err(|_| io::Error::new(io::ErrorKind::FileTooLarge, "the file does not fit into memory"))?;
        Ok(Self::from_bytes(env.disk.read(path, 0, length).await?))
    }

    /// Takes a text apart. What is between two line feeds is a line, also if it is empty; a last line without a line feed
    /// gets one.
    pub fn from_bytes(mut bytes: Vec<u8>) -> Self {
        if bytes.last().is_some_and(|last| *last != b'\n') {
            bytes.push(b'\n');
        }
        let ends =
            bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
        Self { bytes, ends }
    }

    /// How many lines there are.
    pub fn count(&self) -> u64 {
        self.ends.len() as u64
    }

    /// The lines from `from` on that fit into `bytes_max`, at most `lines_max` of them but at least one: the number of the
    /// line after them, and their bytes. `from` must be a line, `lines_max` at least 1.
    pub(super) fn chunk(&self, from: u64, lines_max: u64, bytes_max: usize) -> (u64, &[u8]) {
        let first = usize::try_from(from).expect("a line's number is an index");
        let start = first.checked_sub(1).map_or(0, |before| self.ends[before]);
        let rest = &self.ends[first..];
        let fitting = rest.partition_point(|end| end - start <= bytes_max).max(1);
        let count = usize::try_from(lines_max).map_or(fitting, |lines| fitting.min(lines));
        (from + count as u64, &self.bytes[start..rest[count - 1]])
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("bytes", &self.bytes.len()).field("count", &self.count()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_what_line_feeds_end() {
        for (text, count) in [("", 0), ("\n", 1), ("a", 1), ("a\n", 1), ("a\nb", 2), ("a\n\nb\n", 3)] {
            let lines = Lines::from_bytes(text.into());
            assert_eq!(lines.count(), count, "{text:?}");
            assert!(lines.bytes.is_empty() || lines.bytes.ends_with(b"\n"), "{text:?}");
        }
    }

    #[test]
    fn a_chunk_is_bounded_by_lines_and_by_bytes_but_not_empty() {
        let lines = Lines::from_bytes(b"one\ntwo\n\nthree".to_vec());
        assert_eq!(lines.chunk(0, 1, 100), (1, &b"one\n"[..]));
        assert_eq!(lines.chunk(0, u64::MAX, 100), (4, &b"one\ntwo\n\nthree\n"[..]));
        assert_eq!(lines.chunk(1, 9, 5), (3, &b"two\n\n"[..]));
        assert_eq!(lines.chunk(1, 9, 4), (2, &b"two\n"[..]));
        assert_eq!(lines.chunk(3, 9, 1), (4, &b"three\n"[..]));
    }
}
