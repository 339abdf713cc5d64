//! What a source says, and when.

/// A line, without its line feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Not sent before this, in milliseconds of virtual time.
    pub at_ms: u64,
    /// Its bytes, none of them a line feed.
    pub text: Vec<u8>,
}

impl Line {
    /// A line of text.
    pub fn new(at_ms: u64, text: impl Into<Vec<u8>>) -> Self {
        Self { at_ms, text: text.into() }
    }
}

/// What ends a source's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// A line feed.
    Lf,
    /// A carriage return and a line feed.
    CrLf,
}

impl LineEnd {
    fn bytes(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::CrLf => b"\r\n",
        }
    }
}

/// What a source does on a connection that has got the last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtEnd {
    /// Keeps it open.
    StayOpen,
    /// Ends it in order.
    Finish,
}

/// All that a source says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The lines in the order of their times.
    pub lines: Vec<Line>,
    /// What ends a line.
    pub line_end: LineEnd,
    /// Whether the last line has its end.
    pub last_is_terminated: bool,
    /// What comes after it.
    pub at_end: AtEnd,
}

impl Script {
    /// Terminated lines, and a connection that stays open.
    ///
    /// # Panics
    /// If a line has a line feed in it, or comes before the one before it.
    pub fn new(lines: Vec<Line>) -> Self {
        assert!(lines.is_sorted_by_key(|line| line.at_ms), "lines are sent in the order of their times");
        assert!(lines.iter().all(|line| !line.text.contains(&b'\n')), "a line feed ends a line");
        Self { lines, line_end: LineEnd::Lf, last_is_terminated: true, at_end: AtEnd::StayOpen }
    }

    /// Keeps the first so many lines.
    pub(crate) fn cut(&mut self, lines: u64) {
        self.lines.truncate(usize::try_from(lines).unwrap_or(usize::MAX));
    }

    /// The bytes of line `n` on a connection.
    pub(super) fn write(&self, n: usize, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.lines[n].text);
        if self.last_is_terminated || n + 1 < self.lines.len() {
            into.extend_from_slice(self.line_end.bytes());
        }
    }

    /// How many bytes a run without faults sends.
    pub fn bytes(&self) -> u64 {
        self.lines.iter().map(|line| (line.text.len() + self.line_end.bytes().len()) as u64).sum()
    }

    /// The record that a driver makes of the bytes before a line feed, where it takes a line to be no longer than so many bytes.
    pub(crate) fn received(&self, bytes: &[u8], line_bytes_max: usize) -> String {
        let line = match self.line_end {
            LineEnd::Lf => bytes,
            LineEnd::CrLf => bytes.strip_suffix(b"\r").unwrap_or(bytes),
        };
        let mut end = line.len().min(line_bytes_max);
        // A character that does not fit is left out whole.
        while end < line.len() && end > 0 && line[end] & 0xc0 == 0x80 {
            end -= 1;
        }
        String::from_utf8_lossy(&line[..end]).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_a_line_without_its_end_and_of_a_long_one_the_characters_that_fit() {
        let plain = Script::new(Vec::new());
        let ended = Script { line_end: LineEnd::CrLf, ..plain.clone() };
        let cases = [
            (&plain, "a\r", 9, "a\r"),
            (&ended, "a\r", 9, "a"),
            (&ended, "a\r\r", 9, "a\r"),
            (&ended, "abcd\r", 4, "abcd"),
            (&ended, "abcde\r", 4, "abcd"),
            (&plain, "ab\u{e9}", 4, "ab\u{e9}"),
            (&plain, "ab\u{e9}", 3, "ab"),
            (&plain, "ab\u{2003}c", 4, "ab"),
        ];
        for (script, bytes, line_bytes_max, expected) in cases {
            assert_eq!(script.received(bytes.as_bytes(), line_bytes_max), expected, "{bytes:?}");
        }
    }
}
