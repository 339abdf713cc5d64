//! What can go wrong, and when.
//!
//! Every kind of fault is one file: its parameters, what it does, its line in a report, how it is drawn, its test. A
//! [`Plan`] is a list of them; a seed draws one within [`Bounds`], a file holds one, a shrinker makes one smaller. What
//! became of each planned fault is a [`FaultOutcome`]: fired, at what, or missed.
//!
//! Left out: what the faults do to the disk and to connections is told where these are, in [`crate::disk`] and
//! [`crate::network`].

mod armed;
mod bounds;
mod close;
mod crash;
mod outcome;
mod plan;
mod reset;
mod stall;
mod step;

pub(crate) use armed::Armed;
pub use bounds::Bounds;
pub use close::Close;
pub use crash::{Crash, Moment, PowerLoss, Trigger};
pub use outcome::{FaultOutcome, Firing, Hit};
pub use plan::Plan;
pub use reset::Reset;
pub use stall::Stall;
pub use step::{DiskOperation, NetworkOperation, Place, Step, StepMade};

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// One planned fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Fault {
    /// The driver's process dies, or its machine loses power.
    Crash(Crash),
    /// A connection is reset.
    Reset(Reset),
    /// A connection ends in order, wherever in a line that is.
    Close(Close),
    /// A connection delivers nothing for a while.
    Stall(Stall),
}

impl Fault {
    /// Its class.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Crash(Crash { power_loss: None, .. }) => FaultKind::Crash,
            Self::Crash(Crash { power_loss: Some(_), .. }) => FaultKind::PowerLoss,
            Self::Reset(_) => FaultKind::Reset,
            Self::Close(_) => FaultKind::Close,
            Self::Stall(_) => FaultKind::Stall,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crash(fault) => fault.fmt(f),
            Self::Reset(fault) => fault.fmt(f),
            Self::Close(fault) => fault.fmt(f),
            Self::Stall(fault) => fault.fmt(f),
        }
    }
}

/// A class of faults: what a swarm switches on and off, and what a user names in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// A crash of the process; the page cache survives.
    Crash,
    /// A crash of the machine; what was not synced is torn or lost.
    PowerLoss,
    /// A connection reset.
    Reset,
    /// A connection closed in order.
    Close,
    /// A connection stalled.
    Stall,
}

impl FaultKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Crash, Self::PowerLoss, Self::Reset, Self::Close, Self::Stall];

    /// The name in commands and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::PowerLoss => "power-loss",
            Self::Reset => "reset",
            Self::Close => "close",
            Self::Stall => "stall",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no class of faults has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no fault `{0}`; there are: {names}", names = FaultKind::ALL.map(FaultKind::name).join(", "))]
pub struct UnknownFault(pub String);

impl FromStr for FaultKind {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| UnknownFault(name.to_owned()))
    }
}
