//! Bytes to lines to blocks.
//!
//! A line ends in `\n`, or in `\r\n`. A line longer than the limit is cut to it and counted; bytes that are not UTF-8 are
//! replaced by U+FFFD and the line is counted. What follows the last `\n` waits for the rest of its line.

use crate::text::TextBlock;

/// Cuts a byte stream into lines. Holds at most one block and one line.
#[derive(Debug)]
pub(super) struct LineSplitter {
    line_bytes_max: usize,
    /// Complete lines, without their ends.
    done: Vec<u8>,
    ends: Vec<u32>,
    /// The beginning of a line whose end has not come.
    partial: Vec<u8>,
    /// Bytes of that line beyond the limit were thrown away.
    overlong: bool,
    /// Lines of the block that were cut.
    cut: u64,
}

/// A block of lines, and what had to be done to the bytes.
#[derive(Debug, PartialEq)]
pub(super) struct LineBlock {
    pub text: TextBlock,
    pub cut: u64,
    pub replaced: u64,
}

impl LineSplitter {
    pub fn new(line_bytes_max: usize) -> Self {
        Self {
            line_bytes_max,
            done: Vec::new(),
            ends: Vec::new(),
            partial: Vec::new(),
            overlong: false,
            cut: 0,
        }
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while let Some(at) = memchr::memchr(b'\n', bytes) {
            self.extend_line(&bytes[..at]);
            self.end_line();
            bytes = &bytes[at + 1..];
        }
        self.extend_line(bytes);
    }

    fn extend_line(&mut self, bytes: &[u8]) {
        // One byte more than the limit is kept: it may be the '\r' before the end.
        let room = (self.line_bytes_max + 1).saturating_sub(self.partial.len());
        self.overlong |= bytes.len() > room;
        self.partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn end_line(&mut self) {
        if self.partial.last() == Some(&b'\r') && !self.overlong {
            self.partial.pop();
        }
        if self.overlong || self.partial.len() > self.line_bytes_max {
            self.partial.truncate(self.line_bytes_max);
            // Not in the middle of a character.
            if let Err(error) = std::str::from_utf8(&self.partial)
                && error.error_len().is_none()
            {
                self.partial.truncate(error.valid_up_to());
            }
            self.cut += 1;
        }
        self.overlong = false;
        self.done.extend_from_slice(&self.partial);
        self.partial.clear();
        self.ends.push(u32::try_from(self.done.len()).expect("a block is bounded far below 4 GiB"));
    }

    /// Bytes of complete lines that wait to be taken.
    pub fn bytes(&self) -> usize {
        self.done.len() + 4 * self.ends.len()
    }

    /// Complete lines that wait to be taken.
    pub fn lines(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of the line whose end has not come.
    #[cfg(test)]
    pub fn partial(&self) -> &[u8] {
        &self.partial
    }

    /// Throws the unterminated line away and returns its length.
    pub fn drop_partial(&mut self) -> u64 {
        let bytes = self.partial.len() as u64;
        self.partial.clear();
        self.overlong = false;
        bytes
    }

    /// Takes the unterminated line for a whole one.
    pub fn end_partial(&mut self) {
        if !self.partial.is_empty() {
            self.end_line();
        }
    }

    /// The complete lines so far, if there are any.
    pub fn take(&mut self) -> Option<LineBlock> {
        if self.ends.is_empty() {
            return None;
        }
        let ends = std::mem::take(&mut self.ends);
        let cut = std::mem::take(&mut self.cut);
        match String::from_utf8(std::mem::take(&mut self.done)) {
            Ok(text) => Some(LineBlock { text: TextBlock::from_parts(text, ends), cut, replaced: 0 }),
            Err(error) => {
                let (text, replaced) = replace(&error.into_bytes(), &ends);
                Some(LineBlock { text, cut, replaced })
            }
        }
    }
}

/// Replaces what is not UTF-8, line by line, and counts the lines that had it.
fn replace(bytes: &[u8], ends: &[u32]) -> (TextBlock, u64) {
    let mut text = String::with_capacity(bytes.len());
    let mut new_ends = Vec::with_capacity(ends.len());
    let (mut replaced, mut start) = (0, 0);
    for end in ends {
        let line = String::from_utf8_lossy(&bytes[start..*end as usize]);
        replaced += u64::from(matches!(line, std::borrow::Cow::Owned(_)));
        text.push_str(&line);
        new_ends.push(u32::try_from(text.len()).expect("a block is bounded far below 4 GiB"));
        start = *end as usize;
    }
    (TextBlock::from_parts(text, new_ends), replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(splitter: &mut LineSplitter) -> (Vec<String>, u64, u64) {
        match splitter.take() {
            None => (vec![], 0, 0),
            Some(block) => {
                assert!(block.text.is_sound());
                (block.text.lines().map(String::from).collect(), block.cut, block.replaced)
            }
        }
    }

    #[test]
    fn any_chunking_gives_the_same_lines() {
        let input = "one\r\ntwo\n\nthree \u{e9}\u{2028}x\nrest".as_bytes();
        for size in 1..=input.len() {
            let mut splitter = LineSplitter::new(100);
            input.chunks(size).for_each(|chunk| splitter.push(chunk));
            assert_eq!(
                lines(&mut splitter).0,
                ["one", "two", "", "three \u{e9}\u{2028}x"],
                "chunks of {size}"
            );
            assert_eq!(splitter.partial(), b"rest");
            splitter.end_partial();
            assert_eq!(lines(&mut splitter).0, ["rest"]);
        }
    }

    #[test]
    fn a_line_over_the_limit_is_cut_and_counted() {
        for size in 1..=20 {
            let mut splitter = LineSplitter::new(4);
            b"12345678\nabcd\nabcd\r\nabcde\r\n".chunks(size).for_each(|chunk| splitter.push(chunk));
            let (found, cut, _) = lines(&mut splitter);
            assert_eq!((found, cut), (vec!["1234".into(), "abcd".into(), "abcd".into(), "abcd".into()], 2));
        }
    }

    #[test]
    fn a_cut_leaves_no_half_character() {
        let mut splitter = LineSplitter::new(4);
        splitter.push("abc\u{e9}def\n".as_bytes());
        assert_eq!(lines(&mut splitter), (vec!["abc".into()], 1, 0));
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_replaced_and_counted() {
        let mut splitter = LineSplitter::new(100);
        splitter.push(b"good\nb\xffd\n\xc3\n");
        assert_eq!(lines(&mut splitter), (vec!["good".into(), "b\u{fffd}d".into(), "\u{fffd}".into()], 0, 2));
    }

    #[test]
    fn memory_is_bounded_by_the_limit() {
        let mut splitter = LineSplitter::new(1000);
        for _ in 0..10_000 {
            splitter.push(&[b'x'; 1000]);
        }
        assert_eq!(splitter.partial().len(), 1001);
    }
}
