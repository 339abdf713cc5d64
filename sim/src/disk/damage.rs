//! Damage of a file: what is read is not what was written, though the disk said that it was there.
//!
//! The pristine bytes are kept beside it: the disk checks itself against them, judges compare with them, and the same plan
//! without the fault reads them. Where damage comes from a write that went wrong it is latent while the page cache shows the
//! right bytes, until the life is over that wrote them.

use crate::world::{Life, NodeIndex};
use std::ops::Range;

/// What is damaged of a file.
#[derive(Debug, Default)]
pub(crate) struct Damaged {
    /// The content without any damage, as long as the content that is read.
    pub pristine: Vec<u8>,
    /// The same of what was cut off.
    pub cut_off: Vec<u8>,
    /// What is not read yet.
    pub latent: Vec<Latent>,
    /// What is read, by the place of the fault in the plan.
    pub seen: Vec<(usize, Range<usize>)>,
    /// What a sabotage changed.
    pub altered: Vec<Range<usize>>,
}

/// Damage that is read once a life is over.
#[derive(Debug)]
pub(crate) struct Latent {
    /// The fault, by its place in the plan.
    pub fault: usize,
    /// Whose page cache hides it.
    pub by: (NodeIndex, Life),
    pub from: usize,
    /// What will be read.
    pub bytes: Vec<u8>,
}

/// Damage that a reader can meet: for judges, who hold an error against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file, by the name it has or had last; of a stale listing the directory.
    pub path: String,
    /// The fault, by its place in the plan.
    pub fault: usize,
    /// The damaged bytes.
    pub bytes: Range<u64>,
}

impl Damaged {
    pub(super) fn shorten(&mut self, length: usize) {
        self.pristine.truncate(length);
        self.latent.retain_mut(|latent| {
            latent.bytes.truncate(length.saturating_sub(latent.from));
            !latent.bytes.is_empty()
        });
        for (_, range) in &mut self.seen {
            *range = range.start.min(length)..range.end.min(length);
        }
        self.seen.retain(|(_, range)| !range.is_empty());
    }

    /// The first byte of `content` that is another one though no fault touched it.
    pub(super) fn stray(&self, content: &[u8]) -> Option<usize> {
        if content.len() != self.pristine.len() {
            return Some(content.len().min(self.pristine.len()));
        }
        let differs = |at: &usize| content[*at] != self.pristine[*at];
        let known = || self.seen.iter().map(|(_, range)| range).chain(&self.altered);
        let is_known = |at: &usize| known().any(|range| range.contains(at));
        (0..content.len()).find(|at| differs(at) && !is_known(at))
    }
}
