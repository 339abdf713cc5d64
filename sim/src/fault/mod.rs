//! What can go wrong, and when.
//!
//! Every kind of fault is one file: its parameters, what it does, its line in a report, its words and its end on the timeline, how a
//! seed draws it, its test. They stand in four families: [`process`], [`disk`], [`network`], [`clock`]; and every kind is in one
//! [`Class`], which says what an engine owes under it. A [`Plan`] is a list of faults with [`Trigger`]s; a seed draws one within
//! [`Bounds`], a [`PlanFile`] holds one, [`crate::shrink`] makes one smaller. What became of each planned fault is a
//! [`FaultOutcome`]: fired, at what, or missed.
//!
//! What the faults do to the disk, to connections, to the source, to the clocks and to the process is done where these are: in
//! [`crate::disk`], [`crate::network`], [`crate::source`], [`crate::clock`] and [`crate::world`]. It is tested there, too: in
//! `disk/faulty.rs`, `network/tests.rs`, `source/tests.rs`, and for clocks and process in `world/tests.rs`; what a start of
//! another program may do to a whole run is in `tests/tests/other_program.rs`, beside the crates.

mod aim;
mod aimed;
mod armed;
mod bounds;
mod class;
pub mod clock;
pub mod disk;
mod limits;
pub mod network;
mod outcome;
mod plan;
mod plan_file;
pub mod process;
mod situation;
mod step;
mod trigger;
mod words;

pub(crate) use aim::Aim;
pub(crate) use armed::{Armed, Due};
pub use bounds::Bounds;
pub use class::Class;
pub use clock::{Drift, LateTicks, WallStep};
pub use disk::{
    BitRot, DiskFull, FailedSync, FileSystem, IoError, LostWrite, LyingDisk, MisdirectedWrite, ShortWrite,
    SlowDisk, StaleRead,
};
pub(crate) use limits::{PLAN_MS_MAX, limits};
pub use network::{
    Close, Direction, FarAhead, HalfOpen, Hang, LateData, Latency, Partition, Refuse, Repeat, Reset,
    SmallBuffer, Stall, Trickle,
};
pub use outcome::{FaultOutcome, Firing, Hit};
pub use plan::Plan;
pub use plan_file::{FAULTS_MAX, PlanFile};
pub use process::{
    Crash, CrashLoop, FailingJob, Kept, KeptFile, OtherProgram, Pause, PowerLoss, SlowBatch, SlowStart, Stop,
    Takeover,
};
pub use step::{DiskOperation, NetworkOperation, NetworkOperationMade, Place, Step, StepMade, StepSet};
pub use trigger::{Moment, Trigger};
pub use words::{Until, Words};

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::{fmt, io, str::FromStr};

/// What every kind of fault tells of itself.
pub(crate) trait Kind: fmt::Display + Sized {
    /// Draws one.
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self;

    /// When it comes; `None` where a count of its own says.
    fn trigger(&self) -> Option<Trigger>;

    /// For how many milliseconds of virtual time it goes on once it has fired.
    fn lasts_ms(&self) -> u64 {
        0
    }

    /// What the timeline of a report says when it fires. Where lines are sent once, what becomes of half a line depends on how its
    /// connection ends.
    fn on_timeline(&self, lines_are_sent_once: bool) -> Words;

    /// Until when it goes on, on the timeline of a report.
    fn until(&self) -> Until {
        Until::Lasts(self.lasts_ms())
    }
}

/// A part of the world, with its kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// The driver's process.
    Process,
    /// The disk.
    Disk,
    /// The network, and the source behind it.
    Network,
    /// The clocks.
    Clock,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Process, Self::Disk, Self::Network, Self::Clock];
}

macro_rules! faults {
    ($($family:ident, $class:ident, $name:literal, $variant:ident: $doc:literal;)*) => {
        /// One planned fault.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        pub enum Fault {
            /// The driver's process dies, or its machine loses power.
            Crash(Crash),
            $(#[doc = $doc] $variant($variant),)*
        }

        impl Fault {
            /// Its kind.
            pub fn kind(&self) -> FaultKind {
                match self {
                    Self::Crash(Crash { power_loss: None, .. }) => FaultKind::Crash,
                    Self::Crash(Crash { power_loss: Some(_), .. }) => FaultKind::PowerLoss,
                    $(Self::$variant(_) => FaultKind::$variant,)*
                }
            }

            /// When it comes; `None` where a count of its own says.
            pub fn trigger(&self) -> Option<Trigger> {
                match self {
                    Self::Crash(fault) => fault.trigger(),
                    $(Self::$variant(fault) => fault.trigger(),)*
                }
            }

            /// For how many milliseconds of virtual time it goes on once it has fired.
            pub(crate) fn lasts_ms(&self) -> u64 {
                match self {
                    Self::Crash(fault) => fault.lasts_ms(),
                    $(Self::$variant(fault) => fault.lasts_ms(),)*
                }
            }

            /// What the timeline of a report says when it fires. Where lines are sent once, what becomes of half a line depends on
            /// how its connection ends.
            pub fn on_timeline(&self, lines_are_sent_once: bool) -> Words {
                match self {
                    Self::Crash(fault) => fault.on_timeline(lines_are_sent_once),
                    $(Self::$variant(fault) => fault.on_timeline(lines_are_sent_once),)*
                }
            }

            /// Until when it goes on, on the timeline of a report.
            pub fn until(&self) -> Until {
                match self {
                    Self::Crash(fault) => fault.until(),
                    $(Self::$variant(fault) => fault.until(),)*
                }
            }

            /// Draws one of a kind.
            pub(crate) fn draw(kind: FaultKind, rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
                match kind {
                    FaultKind::Crash | FaultKind::PowerLoss => Self::Crash(Crash::draw(rng, aim)),
                    $(FaultKind::$variant => Self::$variant($variant::draw(rng, aim)),)*
                }
            }
        }

        impl fmt::Display for Fault {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::Crash(fault) => fault.fmt(f),
                    $(Self::$variant(fault) => fault.fmt(f),)*
                }
            }
        }

        /// A kind of faults: what a swarm switches on and off, and what a user names in a list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum FaultKind {
            /// A crash of the process; the page cache survives.
            Crash,
            /// A crash of the machine; what was not synced is torn or lost.
            PowerLoss,
            $(#[doc = $doc] $variant,)*
        }

        impl FaultKind {
            /// All of them, also those that no engine can do anything about.
            pub const ALL: &[Self] = &[Self::Crash, Self::PowerLoss, $(Self::$variant),*];

            /// The name in plans, commands and reports.
            pub fn name(self) -> &'static str {
                match self {
                    Self::Crash => "crash",
                    Self::PowerLoss => "power-loss",
                    $(Self::$variant => $name,)*
                }
            }

            /// A line on what it is.
            pub fn about(self) -> &'static str {
                match self {
                    Self::Crash => "The driver's process dies; what it wrote survives in the page cache.",
                    Self::PowerLoss => "The driver's machine loses power; what was not synced is torn or lost.",
                    $(Self::$variant => $doc,)*
                }
            }

            /// What an engine owes under it.
            pub fn class(self) -> Class {
                match self {
                    Self::Crash | Self::PowerLoss => Class::Tolerated,
                    $(Self::$variant => Class::$class,)*
                }
            }

            /// Where it strikes.
            pub fn family(self) -> Family {
                match self {
                    Self::Crash | Self::PowerLoss => Family::Process,
                    $(Self::$variant => Family::$family,)*
                }
            }
        }
    };
}

impl Fault {
    /// The point of virtual time at which it comes, in milliseconds, if it comes at one.
    pub(crate) fn at_ms(&self) -> Option<u64> {
        match self.trigger()? {
            Trigger::Time { at_ms } => Some(at_ms),
            _ => None,
        }
    }

    /// For how many milliseconds of virtual time it goes on in all: a crash loop does so once for each of its lives.
    pub(crate) fn lasts_in_all_ms(&self) -> u64 {
        match self {
            Self::CrashLoop(crash) => crash.lives.saturating_mul(self.lasts_ms()),
            other => other.lasts_ms(),
        }
    }

    /// Whether it changes how one disk operation goes, and is missed without one.
    pub(crate) fn is_of_an_operation(&self) -> bool {
        matches!(
            self,
            Self::IoError(_)
                | Self::ShortWrite(_)
                | Self::FailedSync(_)
                | Self::LostWrite(_)
                | Self::MisdirectedWrite(_)
                | Self::StaleRead(_)
        )
    }

    /// Why it never fires at a trigger of this sort, if it does not.
    pub(crate) fn never_fires_at(&self, trigger: &Trigger) -> Option<&'static str> {
        match self {
            one if one.is_of_an_operation() => (!trigger.is_of_the_disk()).then_some(
                "it strikes one disk operation, so its trigger must be on `disk-operation`, `step` or `occurrence`, or it \
                 never fires",
            ),
            Self::DiskFull(_) | Self::SlowDisk(_) | Self::BitRot(_) | Self::LyingDisk(_) | Self::WallStep(_) => {
                matches!(trigger, Trigger::NetworkOperation { .. }).then_some(
                    "it is not of the network, so its trigger cannot be on `network-operation`, where it never fires",
                )
            }
            Self::Crash(_) => matches!(trigger, Trigger::Start { .. }).then_some(
                "a driver that is not up cannot crash, so its trigger cannot be on `start`: `disk-operation` with the number 1 \
                 is the first that a life does",
            ),
            _ => None,
        }
    }
}

faults! {
    Process, Tolerated, "crash-loop", CrashLoop: "One life after another crashes right after its start.";
    Process, Tolerated, "pause", Pause: "The driver's process stands still for a while.";
    Process, Tolerated, "takeover", Takeover: "Another driver is started while the first one still lives.";
    Process, Tolerated, "stop", Stop: "The driver is asked to stop in the middle of the stream.";
    Process, Tolerated, "slow-start", SlowStart: "A life starts slowly.";
    Process, Tolerated, "slow-batch", SlowBatch: "Batches take longer than the interval.";
    Process, Tolerated, "failing-job", FailingJob: "A computation fails once.";
    Process, Tolerated, "other-program", OtherProgram: "A life is of another program.";
    Disk, Tolerated, "io-error", IoError: "A disk operation fails with EIO.";
    Disk, Tolerated, "disk-full", DiskFull: "The disk is full for a while.";
    Disk, Tolerated, "short-write", ShortWrite: "An append is cut short.";
    Disk, Tolerated, "failed-sync", FailedSync: "A sync fails, as on ext4, XFS or btrfs.";
    Disk, Tolerated, "slow-disk", SlowDisk: "The disk is slow for a while, or stalls once.";
    Disk, Detectable, "bit-rot", BitRot: "A bit of a durable file flips.";
    Disk, Detectable, "misdirected-write", MisdirectedWrite: "A write lands in another place.";
    Disk, Detectable, "lost-write", LostWrite: "A write never reaches the medium, though its sync succeeded.";
    Disk, Detectable, "stale-read", StaleRead: "A read gives what was there before.";
    Disk, Beyond, "lying-disk", LyingDisk: "The disk lies about syncs.";
    Network, Tolerated, "refuse", Refuse: "Connects are refused.";
    Network, Tolerated, "hang", Hang: "A connect hangs.";
    Network, Tolerated, "reset", Reset: "A connection is reset.";
    Network, Tolerated, "close", Close: "A connection ends in order, wherever in a line that is.";
    Network, Tolerated, "half-open", HalfOpen: "The other end of a connection vanishes without a word.";
    Network, Tolerated, "partition", Partition: "Nothing arrives in one direction or both.";
    Network, Tolerated, "stall", Stall: "A connection delivers nothing for a while.";
    Network, Tolerated, "latency", Latency: "The network is slow for a while.";
    Network, Tolerated, "trickle", Trickle: "A connection gives and takes few bytes at a time.";
    Network, Tolerated, "small-buffer", SmallBuffer: "The send buffers of a connection are small.";
    Network, Tolerated, "late-data", LateData: "What was sent on a connection arrives after the next one was made.";
    Network, Tolerated, "repeat", Repeat: "The source repeats lines.";
    Network, Tolerated, "far-ahead", FarAhead: "The source has all its lines at once.";
    Clock, Tolerated, "wall-step", WallStep: "The wall clock steps forward or back.";
    Clock, Tolerated, "drift", Drift: "The wall clock runs fast or slow.";
    Clock, Tolerated, "late-ticks", LateTicks: "Sleepers wake up late.";
}

impl FaultKind {
    /// What the default sweep draws from: all but what is beyond any engine.
    pub fn swept() -> Vec<Self> {
        Self::ALL.iter().copied().filter(|kind| kind.class() != Class::Beyond).collect()
    }

    /// Whether it strikes such steps of the disk, and is aimed at them: the cells of the coverage matrix that must not be empty. A crash loop
    /// is aimed at the beginnings of lives instead, and bit rot at files.
    pub fn strikes(self, step: Step) -> bool {
        let Step { operation, place } = step;
        let is_checkpoint_dir = !matches!(place, Place::Output | Place::Elsewhere);
        match self {
            Self::Crash | Self::PowerLoss | Self::Pause | Self::Takeover | Self::SlowDisk => {
                operation.is_durable_step()
            }
            Self::IoError => operation.is_durable_step() || operation == DiskOperation::Read,
            Self::DiskFull => matches!(
                operation,
                DiskOperation::CreateDir | DiskOperation::CreateNew | DiskOperation::Append
            ),
            Self::ShortWrite => operation == DiskOperation::Append,
            Self::FailedSync => operation.is_sync(),
            Self::LostWrite | Self::MisdirectedWrite => {
                operation == DiskOperation::Append && is_checkpoint_dir
            }
            Self::StaleRead => {
                matches!(operation, DiskOperation::Read | DiskOperation::List) && is_checkpoint_dir
            }
            _ => false,
        }
    }

    /// Whether a life of the driver ends by it, as a rule.
    pub(crate) fn ends_a_life(self) -> bool {
        matches!(
            self,
            Self::Crash
                | Self::PowerLoss
                | Self::CrashLoop
                | Self::Takeover
                | Self::Stop
                | Self::FailingJob
                | Self::OtherProgram
                | Self::IoError
                | Self::DiskFull
                | Self::ShortWrite
                | Self::FailedSync
        )
    }

    /// Whether a connection ends by it, as a rule.
    pub(crate) fn ends_a_connection(self) -> bool {
        matches!(self, Self::Reset | Self::Close | Self::HalfOpen | Self::LateData)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The error of an operation that fails by a fault of the plan, which it names by its place there, from 1.
pub(crate) fn injected(fault: usize, kind: io::ErrorKind, what: &str) -> io::Error {
    io::Error::new(kind, format!("{what} (injected by fault {})", fault + 1))
}

/// The fault that an error says it was injected by, by its place in the plan, from 0.
pub fn injected_by(error: &str) -> Option<usize> {
    let (_, number) = error.split_once("(injected by fault ")?;
    number.split(')').next()?.parse::<usize>().ok()?.checked_sub(1)
}

/// A name that no kind of faults has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no fault `{0}`; there are: {names}", names = FaultKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", "))]
pub struct UnknownFault(pub String);

impl FromStr for FaultKind {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| UnknownFault(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_injected_error_names_its_fault() {
        let error = injected(2, io::ErrorKind::StorageFull, "no space left");
        assert_eq!(error.to_string(), "no space left (injected by fault 3)");
        assert_eq!(injected_by(&format!("cannot append to /x: {error}")), Some(2));
        assert_eq!(injected_by("cannot append to /x"), None);
    }

    #[test]
    fn every_kind_is_found_by_its_name_and_only_the_impossible_ones_are_not_swept() {
        assert!(FaultKind::ALL.iter().all(|kind| kind.name().parse() == Ok(*kind)));
        let left: Vec<_> = FaultKind::ALL.iter().filter(|kind| !FaultKind::swept().contains(kind)).collect();
        assert_eq!(left, [&FaultKind::LyingDisk]);
        assert!("nothing".parse::<FaultKind>().unwrap_err().to_string().contains("bit-rot"));
    }
}
