//! Lines of text as records: slices of the block they were received in.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    ops::{Deref, Range},
    sync::Arc,
};

/// A word or another short text that owns its bytes: up to 24 of them in place, without an allocation.
pub type Word = CompactString;

/// The lines of one block: their bytes one after another, without line ends, and where each ends.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TextBlock {
    text: String,
    ends: Vec<u32>,
}

impl TextBlock {
    /// A block of the given lines.
    ///
    /// # Panics
    /// If they are 4 GiB or more together.
    pub fn from_lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut block = Self::default();
        for line in lines {
            block.text.push_str(line);
            block.ends.push(u32::try_from(block.text.len()).expect("a block is under 4 GiB"));
        }
        block
    }

    pub(crate) fn from_parts(text: String, ends: Vec<u32>) -> Self {
        debug_assert!(ends.last().map_or(0, |end| *end as usize) == text.len());
        Self { text, ends }
    }

    /// How many lines.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of all lines together.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The lines, borrowed.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|index| &self.text[self.start(index)..self.ends[index] as usize])
    }

    /// Whether the ends are in order and on the borders of characters: true for every block that was built here, to be
    /// asked of one that was read.
    pub fn is_sound(&self) -> bool {
        self.ends.last().map_or(0, |end| *end as usize) == self.text.len()
            && self.ends.is_sorted()
            && self.ends.iter().all(|end| self.text.is_char_boundary(*end as usize))
    }

    /// The ranges of lines into which it is cut for computing: each with so many bytes, but for the rest of its last line; the last
    /// with those that are left. A block without lines is one empty range.
    pub(crate) fn pieces(&self, bytes: usize) -> Vec<Range<usize>> {
        let (mut pieces, mut first) = (Vec::new(), 0);
        loop {
            let full = self.start(first) + bytes;
            // The line that makes it full belongs to it.
            let end = first + self.ends[first..].partition_point(|end| (*end as usize) < full) + 1;
            if end >= self.ends.len() {
                pieces.push(first..self.ends.len());
                return pieces;
            }
            pieces.push(first..end);
            first = end;
        }
    }

    fn start(&self, index: usize) -> usize {
        if index == 0 { 0 } else { self.ends[index - 1] as usize }
    }
}

/// A line of text: a slice of its block, cheap to clone. It keeps the whole block in memory, so state must not hold it:
/// it has no `Serialize`, and a key or a state takes [`Text::to_word`] or `to_string()` instead.
#[derive(Clone)]
pub struct Text {
    block: Arc<TextBlock>,
    start: u32,
    end: u32,
}

impl Text {
    /// Calls `emit` with each of these lines of a block.
    pub(crate) fn each(block: &Arc<TextBlock>, lines: Range<usize>, emit: &mut dyn FnMut(Text)) {
        let mut start = block.start(lines.start) as u32;
        for end in &block.ends[lines] {
            emit(Text { block: block.clone(), start, end: *end });
            start = *end;
        }
    }

    /// The words of this line: what stands between white space. They own their bytes, so the line is not kept.
    pub fn into_words(self) -> Words {
        Words { at: self.start as usize, line: self }
    }

    /// This line, borrowed.
    pub fn as_str(&self) -> &str {
        &self.block.text[self.start as usize..self.end as usize]
    }

    /// This line as a text of its own that keeps no block in memory.
    pub fn to_word(&self) -> Word {
        Word::from(self.as_str())
    }
}

/// A line in a block of its own: for what comes from elsewhere than from a source of lines.
impl From<&str> for Text {
    fn from(line: &str) -> Self {
        let block = TextBlock::from_lines([line]);
        Self { start: 0, end: block.ends[0], block: Arc::new(block) }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

/// The words of a line, each owning its bytes. Made by [`Text::into_words`].
#[derive(Debug)]
pub struct Words {
    line: Text,
    at: usize,
}

impl Iterator for Words {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        let rest = &self.line.block.text[self.at..self.line.end as usize];
        let word = rest.split_whitespace().next()?;
        let offset = word.as_ptr() as usize - rest.as_ptr() as usize;
        self.at += offset + word.len();
        Some(Word::from(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(block: TextBlock) -> Vec<Text> {
        let (mut lines, all) = (Vec::new(), 0..block.len());
        Text::each(&Arc::new(block), all, &mut |line| lines.push(line));
        lines
    }

    #[test]
    fn lines_come_back_as_they_were_put_in() {
        let block = TextBlock::from_lines(["über", "", "two words"]);
        assert!(block.is_sound());
        assert_eq!(block.lines().collect::<Vec<_>>(), ["über", "", "two words"]);
        assert_eq!(
            lines(block).iter().map(|line| line.to_string()).collect::<Vec<_>>(),
            ["über", "", "two words"]
        );
    }

    #[test]
    fn a_block_is_cut_at_line_ends_into_pieces_that_hold_all_of_it() {
        let block = TextBlock::from_lines(["1234", "", "12", "", "12345", "1"]);
        assert_eq!(block.pieces(6), [0..3, 3..6]);
        assert_eq!(block.pieces(4), [0..1, 1..5, 5..6]);
        assert_eq!(block.pieces(100), std::slice::from_ref(&(0..6)));
        assert_eq!(TextBlock::default().pieces(1), std::slice::from_ref(&(0..0)));
        let pieces = block.pieces(1);
        assert_eq!(pieces, [0..1, 1..3, 3..5, 5..6]);
        let block = Arc::new(block);
        let mut joined = Vec::new();
        pieces.into_iter().for_each(|piece| Text::each(&block, piece, &mut |line| joined.push(line)));
        assert!(joined.iter().map(|line| &**line).eq(block.lines()));
    }

    #[test]
    fn words_are_what_stands_between_white_space() {
        let block = TextBlock::from_lines(["x", "  the\tthe  quick  ", "y"]);
        let words: Vec<_> = lines(block)[1].clone().into_words().collect();
        assert_eq!(words, ["the", "the", "quick"]);
    }

    #[test]
    fn unsound_ends_are_found() {
        for ends in [vec![2, 1], vec![1], vec![9], vec![1, 3]] {
            assert!(!TextBlock { text: "aé".into(), ends: ends.clone() }.is_sound() || ends == [1, 3]);
        }
        assert!(!TextBlock { text: "éa".into(), ends: vec![1, 3] }.is_sound());
    }
}
