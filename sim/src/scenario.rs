//! What is swept: a pipeline, the source that it reads from, the text that the source sends, and a model of its results.
//!
//! The testbed adds one output of its own to every pipeline, the *tap*: it writes down which lines each batch had. The judges
//! hold the tap against the source's ledger, and the pipeline's output against what the model makes of the tap.

use crate::{
    rng::{Domain, Draws, stream},
    source::{Line, Mode, Script},
};
use highwater_core::{BatchTime, DStream, Options, Text};
use std::{collections::BTreeSet, ops::Deref, path::Path, sync::Arc, time::Duration};

/// Adds a pipeline's operators and outputs to a stream of lines. Its output goes to the file at the path.
pub type Build = Arc<dyn Fn(DStream<Text>, &Path) + Send + Sync>;

/// The batches of a run, in the order of their times: each with its lines. Where the driver passed some over, they are missing.
#[derive(Clone, Debug)]
pub struct Batches {
    /// Where the grid of batch times begins, and that of every slide.
    pub zero_time: BatchTime,
    batches: Vec<(BatchTime, Vec<String>)>,
}

impl Batches {
    /// These batches, on the grid that begins at `zero_time`.
    pub fn new(zero_time: BatchTime, batches: Vec<(BatchTime, Vec<String>)>) -> Self {
        Self { zero_time, batches }
    }
}

impl Deref for Batches {
    type Target = [(BatchTime, Vec<String>)];

    fn deref(&self) -> &Self::Target {
        &self.batches
    }
}

/// What the output file must hold for a sequence of batches: a text for each, an empty one for a batch without output. Obviously
/// right, and no engine in it.
pub type Model = Arc<dyn Fn(&Batches) -> Vec<String> + Send + Sync>;

/// What a run comes to in the end, from the text of the output file: equal for equal input however the batches fell.
pub type Outcome = Arc<dyn Fn(&str) -> Vec<(String, u64)> + Send + Sync>;

/// A result of a batch: its time, as it is printed, a key, and a number.
pub type Figure = (String, String, u64);

/// The figures of a sequence of batches.
pub type FiguresOf = Arc<dyn Fn(&Batches) -> Vec<Figure> + Send + Sync>;

/// The figures in the text of the output file.
pub type FiguresIn = Arc<dyn Fn(&str) -> Vec<Figure> + Send + Sync>;

/// Results that are judged one by one, beside the text as a whole.
#[derive(Clone)]
pub struct Figures {
    /// What they must be for a sequence of batches. Written from what they mean, and not from how they are computed.
    pub expected: FiguresOf,
    /// Reads them from the text of the output.
    pub read: FiguresIn,
}

/// A scenario.
#[derive(Clone)]
pub struct Scenario {
    /// Its name in commands and reports.
    pub name: String,
    /// A line for people.
    pub about: String,
    /// What the source can do.
    pub mode: Mode,
    /// The pipeline.
    pub build: Build,
    /// Its results, batch by batch.
    pub model: Model,
    /// Its result in the end, where that does not depend on how the batches fell.
    pub outcome: Option<Outcome>,
    /// What its windows hold, if it has any.
    pub windows: Option<Figures>,
    /// What its time-outs tell, if it has any.
    pub time_outs: Option<Figures>,
    /// The engine's options.
    pub options: Options,
    /// Lines to draw the workload from.
    pub corpus: Arc<Vec<String>>,
}

impl std::fmt::Debug for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scenario").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The engine's options in a simulation: small enough that everything that rolls, rolls.
pub fn simulated_options() -> Options {
    let mut options = Options::default();
    options.checkpoint_interval = highwater_core::Interval::from_millis(2_000);
    options.block_bytes_max = 2 << 10;
    options.backlog_bytes_max = 16 << 10;
    options.segment_bytes_max = 8 << 10;
    options.reconnect_min = Duration::from_millis(50);
    options.reconnect_max = Duration::from_millis(800);
    // A wall clock that steps by a year while the driver is down must not cost a year of empty batches.
    options.missed_batches_max = 100;
    options
}

impl Scenario {
    /// The lines that the source sends in the run of `seed`, and when: a passage of the corpus without repeated lines, so that
    /// a line's text tells which one it is, in bursts and trickles over up to 16 s.
    ///
    /// # Panics
    /// If the corpus is empty.
    pub fn workload(&self, seed: u64) -> Script {
        let mut rng = stream(seed, Domain::Workload);
        let lines = rng.magnitude(20..=300) as usize;
        let start = rng.below(self.corpus.len() as u64) as usize;
        let mut seen = BTreeSet::new();
        let passage = self.corpus.iter().cycle().skip(start).take(self.corpus.len());
        let mut at_ms = rng.between(0..=1500);
        let mut script = Vec::with_capacity(lines);
        for text in passage.filter(|text| !text.trim().is_empty() && seen.insert(text.as_str())).take(lines) {
            script.push(Line::new(at_ms, text.as_str()));
            if rng.one_in(4) {
                at_ms = (at_ms + rng.magnitude(1..=1500)).min(16_000);
            }
        }
        Script::new(script)
    }
}
