//! When the lines of a source are due: at their times, or all at once from some time on.

use std::task::Waker;

/// What the world knows of a source's lines.
#[derive(Default)]
pub(crate) struct Schedule {
    all_due: bool,
    lines_to_come: bool,
    waker: Option<Waker>,
}

impl Schedule {
    /// Every line is due from now on.
    pub(crate) fn all_due(&mut self) {
        self.all_due = true;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Whether every line is.
    pub(crate) fn is_all_due(&self) -> bool {
        self.all_due
    }

    /// Whether a line was never sent.
    pub(crate) fn has_lines_to_come(&self) -> bool {
        self.lines_to_come
    }

    /// Says whether a line was never sent.
    pub(crate) fn set_lines_to_come(&mut self, lines_to_come: bool) {
        self.lines_to_come = lines_to_come;
    }

    /// Wakes a task when all lines are due.
    pub(crate) fn wait(&mut self, waker: &Waker) {
        self.waker = Some(waker.clone());
    }

    /// So that the run's memory can be freed.
    pub(crate) fn forget_waker(&mut self) {
        self.waker = None;
    }
}
