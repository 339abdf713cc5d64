//! A sweep that ended before its last seed.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What ended a sweep before its last seed, and how far it came. Of each scenario the first seeds were run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutShort {
    /// What ended it.
    pub why: Why,
    /// How many runs there were.
    pub runs: u64,
    /// How many it was asked for.
    pub asked: u64,
}

/// What ends a sweep before its last seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// As many runs failed as it was to bear.
    Failures,
    /// Its time was over.
    TimeBudget,
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

impl fmt::Display for CutShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.why {
            Why::Failures => "by its failures",
            Why::TimeBudget => "by its time budget",
            Why::Interrupted => "by Ctrl-C",
        };
        write!(f, "cut short {why}: {} of {} runs, the first seeds of each scenario", self.runs, self.asked)
    }
}
