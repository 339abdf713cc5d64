//! What a page shows beside the story: every disk operation, every connection, every line that was sent, and the same run without
//! faults.
//!
//! It is gathered only where [`RunOptions::detail`](super::RunOptions) asks for it: a sweep of thousands of runs looks at none of it.
//! Gathering it changes nothing in the run.

use super::{Evidence, TimelineEntry, report::timeline};
use crate::{
    fault::StepMade,
    network::SeenEnd,
    source::{Script, SourceConnection},
    world::{Life, VirtualTime},
};
use serde::{Deserialize, Serialize};

/// What a page shows beside the story.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// The driver's disk operations, in order.
    pub steps: Vec<StepMade>,
    /// The driver's connections, in order.
    pub connections: Vec<Connection>,
    /// What the source sent, in order; lines that it sent at one moment are together.
    pub sent: Vec<Sent>,
    /// The timeline of the same workload without faults; empty if that run panicked.
    pub without_faults: Vec<TimelineEntry>,
}

/// A connection of the driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The n-th that the driver made in the run, from 1.
    pub number: u32,
    /// In which life.
    pub life: Life,
    /// When it was made.
    pub opened_at: VirtualTime,
    /// The line that the driver asked for; `None` where it cannot ask, and before it did.
    pub resumed_from: Option<u64>,
    /// The highest acknowledgement that came on it.
    pub acknowledged: u64,
    /// Bytes that were written towards the driver.
    pub written_bytes: u64,
    /// Bytes of them that the driver read.
    pub delivered_bytes: u64,
    /// How the driver learned of its end; `None` if it never did.
    pub seen_end: Option<SeenEnd>,
}

/// Lines that the source sent at one moment, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// When.
    pub at: VirtualTime,
    /// On which connection of the driver; `None` if it was no driver's.
    pub connection: Option<u32>,
    /// The place of the first line in the workload, from 0.
    pub first: u64,
    /// The lines; bytes that are not UTF-8 are replaced.
    pub lines: Vec<String>,
}

impl Detail {
    pub(super) fn of(script: &Script, evidence: &Evidence, reference: Option<&Evidence>) -> Self {
        let connections = &evidence.source.connections;
        let mut sent: Vec<Sent> = connections.iter().flat_map(|served| sent_on(served, script)).collect();
        sent.sort_by_key(|sent| sent.at);
        Self {
            steps: evidence.steps.clone(),
            connections: evidence.connections.iter().map(|made| connection(made.number, evidence)).collect(),
            sent,
            without_faults: reference.map(timeline).unwrap_or_default(),
        }
    }
}

fn connection(number: u32, evidence: &Evidence) -> Connection {
    let record =
        evidence.connections.iter().find(|record| record.number == number).expect("it is one of them");
    let served = evidence.source.connections.iter().find(|served| number_of(served) == Some(number));
    Connection {
        number,
        life: record.life,
        opened_at: record.opened_at,
        resumed_from: served.and_then(|served| served.resumed_from),
        acknowledged: served.map_or(0, |served| served.acknowledged),
        written_bytes: record.written.len() as u64,
        delivered_bytes: record.delivered,
        seen_end: record.seen_end,
    }
}

fn number_of(served: &SourceConnection) -> Option<u32> {
    served.record.as_ref().map(|record| record.number)
}

fn sent_on(served: &SourceConnection, script: &Script) -> Vec<Sent> {
    let text = |line: usize| {
        let bytes = script.lines.get(line).map_or(&[][..], |line| &line.text);
        String::from_utf8_lossy(bytes).into_owned()
    };
    let together = served.lines.chunk_by(|one, next| one.at == next.at && one.line + 1 == next.line);
    let group = |lines: &[crate::source::SentLine]| Sent {
        at: lines[0].at,
        connection: number_of(served),
        first: lines[0].line as u64,
        lines: lines.iter().map(|sent| text(sent.line)).collect(),
    };
    together.map(group).collect()
}
