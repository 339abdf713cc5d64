//! How wild a drawn plan may be.

use super::{FaultKind, Step, StepMade};

/// The limits that a drawn plan keeps. A scenario takes them from a run without faults, so that most of the drawn
/// triggers are reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The kinds of faults that may be drawn at all.
    pub kinds: Vec<FaultKind>,
    /// At most so many crashes, power losses included.
    pub crashes_max: u64,
    /// At most so many other faults.
    pub others_max: u64,
    /// How many disk operations a life that nothing disturbs makes.
    pub disk_operations: u64,
    /// The steps that it makes, with the numbers of the operations: so that a step that is made once is hit as often as one that
    /// is made with every batch.
    pub steps: Vec<(Step, Vec<u64>)>,
    /// Where it goes on from one segment of the journal to the next: each time the operations that come after the last record of the
    /// old one, up to the creation of the new one.
    pub rolls: Vec<Vec<StepMade>>,
    /// Its appends to the journal.
    pub journal_appends: Vec<StepMade>,
    /// How many network operations it makes.
    pub network_operations: u64,
    /// Nothing at a time is planned later than this, in milliseconds of virtual time, and no silence lasts longer than
    /// half of it. What is triggered by counts can come later: a runner heals the world after this.
    pub horizon_ms: u64,
    /// When the source's last line is due, in milliseconds of virtual time.
    pub last_line_ms: u64,
    /// Which of the seeds of a sweep it is: what is aimed in turn takes its turn by it. Nothing is aimed in turn without it.
    pub turn: Option<u64>,
    /// How many bytes the source sends in a run.
    pub source_bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            kinds: FaultKind::swept(),
            crashes_max: 6,
            others_max: 8,
            disk_operations: 1500,
            steps: Vec::new(),
            rolls: Vec::new(),
            journal_appends: Vec::new(),
            network_operations: 300,
            horizon_ms: 25_000,
            last_line_ms: 16_000,
            turn: None,
            source_bytes: 20_000,
        }
    }
}
