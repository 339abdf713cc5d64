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
    /// Whether the last line ends with a line feed.
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
        Self { lines, last_is_terminated: true, at_end: AtEnd::StayOpen }
    }

    /// Keeps the first so many lines.
    pub(crate) fn cut(&mut self, lines: u64) {
        self.lines.truncate(usize::try_from(lines).unwrap_or(usize::MAX));
    }

    /// The bytes of line `n` on a connection.
    pub(super) fn write(&self, n: usize, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.lines[n].text);
        if self.last_is_terminated || n + 1 < self.lines.len() {
            into.push(b'\n');
        }
    }

    /// How many bytes a run without faults sends.
    pub fn bytes(&self) -> u64 {
        self.lines.iter().map(|line| line.text.len() as u64 + 1).sum()
    }
}
