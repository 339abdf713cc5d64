//! What a report's timeline shows of a fault: its words, and where its band ends. Each kind says both in its own file; what was hit, and
//! at which moment, is told beside them by who writes the report.

/// What the timeline says when a fault fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// In capitals.
    pub verb: &'static str,
    /// What the fault does from there on: a phrase, without a full stop.
    pub does: String,
}

impl Words {
    pub(crate) fn new(verb: &'static str, does: impl Into<String>) -> Self {
        Self { verb, does: does.into() }
    }
}

/// Until when a fault that has fired goes on, on the timeline. The end of the run comes first, if it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// It is but a moment: the down time that follows is told as that.
    Moment,
    /// For so many milliseconds of virtual time.
    Lasts(u64),
    /// Until an attempt to connect is answered after so many milliseconds of virtual time, or the driver gives it up before.
    Answer(u64),
    /// Until the end of a connection: the n-th that the driver makes in the whole run, from 1.
    EndOfConnection(u32),
    /// For ever.
    EndOfRun,
}
