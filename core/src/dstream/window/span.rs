//! Which batches of its parent a window covers, and which of them it must keep.

use crate::{
    dstream::BatchScope,
    ids::{BatchTime, Interval},
};
use std::fmt;

/// A window's length, its slide, and the slide of its parent.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub window: Interval,
    pub slide: Interval,
    pub parent: Interval,
}

impl Span {
    /// Whether the parent has a batch now that some window will cover: between windows that lie apart it has none.
    pub fn takes(&self, scope: &BatchScope<'_>) -> bool {
        let slide_ms = self.slide.millis();
        let since_slide_ms = (scope.time.0 - scope.zero_time.0) % slide_ms;
        let until_slide_ms = if since_slide_ms == 0 { 0 } else { slide_ms - since_slide_ms };
        scope.is_due(self.parent) && until_slide_ms < self.window.millis()
    }

    /// Whether a batch is behind every window that ends at `now` or later.
    pub fn is_behind(&self, batch: BatchTime, now: BatchTime) -> bool {
        batch.next(self.window) <= now
    }

    /// Whether no batch is in two windows, and some are in none.
    pub fn lies_apart(&self) -> bool {
        self.slide > self.window
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} every {}", self.window, self.slide)
    }
}
