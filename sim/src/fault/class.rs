//! What an engine owes under a fault: the three classes.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What an engine owes under a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// All invariants hold, and once the fault is over the driver goes on.
    #[default]
    Tolerated,
    /// All invariants hold, or the driver stops with an error that names file and offset: never a wrong result, never silence.
    Detectable,
    /// No engine can do anything about it. Not in the default sweep: it shows the judges at work.
    Beyond,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tolerated => "tolerated",
            Self::Detectable => "detectable",
            Self::Beyond => "beyond any engine",
        })
    }
}
