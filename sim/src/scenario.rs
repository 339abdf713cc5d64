//! What is swept: a pipeline, the source that it reads from, the text that the source sends, and a model of its results.
//!
//! The testbed adds one output of its own to every pipeline, the *tap*: it writes down which lines each batch had. The judges
//! hold the tap against the source's ledger, and the pipeline's output against what the model makes of the tap. A scenario may have a
//! second source, a queue: then the pipeline gets both, and the tap tells them apart.

use crate::{
    fault::{Bounds, FaultKind},
    rng::{Domain, Draws, stream},
    source::{Line, LineEnd, Mode, Script},
};
use highwater_core::{BatchTime, DStream, Error, Interval, Options, StreamingContext, Text};
use std::{
    collections::BTreeSet,
    ops::{Deref, RangeInclusive},
    path::Path,
    sync::Arc,
    time::Duration,
};

/// Adds a pipeline's operators and outputs to a stream of lines. Its output goes to the file at the path, or into directories whose
/// paths begin with it.
pub type Build = Arc<dyn Fn(DStream<Text>, &Path) + Send + Sync>;

/// How the lines of a source come to the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// Over the network, from its socket: the URL is `tcp://HOST:PORT` or `resume://HOST:PORT`.
    Socket,
    /// In files, which appear whole and durable in a directory of the driver's disk: the URL is its path. What is in a file counts
    /// as acknowledged.
    Directory,
}

/// Makes the stream of lines out of a context and the source's URL.
pub type Receive = Arc<dyn Fn(&StreamingContext, &str) -> Result<DStream<Text>, Error> + Send + Sync>;

/// The batches of a run, in the order of their times: each with its lines. Where the driver passed some over, they are missing.
#[derive(Clone, Debug)]
pub struct Batches {
    /// Where the grid of batch times begins, and that of every slide.
    pub zero_time: BatchTime,
    /// From one batch time to the next.
    pub batch_interval: Interval,
    batches: Vec<(BatchTime, Vec<String>)>,
}

impl Batches {
    /// These batches, on the grid that begins at `zero_time`.
    pub fn new(
        zero_time: BatchTime,
        batch_interval: Interval,
        batches: Vec<(BatchTime, Vec<String>)>,
    ) -> Self {
        Self { zero_time, batch_interval, batches }
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
///
/// Of an output in directories it is the content of each file, in the order of their paths, after a line that names the file:
/// `out-1519961356000/_SUCCESS:`, where the path of the output ends in `out`.
pub type Model = Arc<dyn Fn(&Batches) -> Vec<String> + Send + Sync>;

/// Brings the text of the output into the form that the model has.
pub type Normalize = Arc<dyn Fn(&str) -> String + Send + Sync>;

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
    /// How the lines come to the driver.
    pub feed: Feed,
    /// How its lines are received, from the URL of the feed; with `socket_text_stream` unless it says otherwise. The judges expect of any
    /// other what that one does with a line: it takes the line's end away, and of a line that is longer than the options allow what is
    /// too much.
    pub receive: Receive,
    /// Lines of a second source, a [`queue_stream`](StreamingContext::queue_stream): each batch takes an element of it. None may be
    /// empty, and no line may have a line feed in it. They come to the pipeline, and to the model, in their batch after the first source's. Without elements there is no
    /// such source.
    pub queue: Arc<Vec<Vec<String>>>,
    /// The pipeline.
    pub build: Build,
    /// Its results, batch by batch.
    pub model: Model,
    /// Where the model leaves open in which order the records of a batch come: brings them into the model's order, line by line.
    /// Whether a batch that is emitted again has the same order is seen without it.
    pub normalize: Option<Normalize>,
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
    /// What the source ends its lines with.
    pub line_end: LineEnd,
    /// How much of it a seed draws.
    pub load: Load,
    /// Which faults a seed draws, where that is not left to the options of the run.
    pub limits: Limits,
    /// The file that describes it: what the command line takes instead of a name.
    pub file: Option<String>,
}

/// How much input a seed draws, and how it is spread over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// How many lines.
    pub lines: RangeInclusive<u64>,
    /// The longest pause between two lines, in milliseconds of virtual time.
    pub pause_ms_max: u64,
    /// No line is due later than this, in milliseconds of virtual time.
    pub last_line_ms_max: u64,
}

impl Default for Load {
    fn default() -> Self {
        Self { lines: 20..=300, pause_ms_max: 1500, last_line_ms_max: 16_000 }
    }
}

/// Which faults a scenario lets a seed draw. Nothing is limited by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Of these kinds alone.
    pub kinds: Option<Vec<FaultKind>>,
    /// At most so many crashes, power losses included.
    pub crashes_max: Option<u64>,
    /// At most so many other faults.
    pub others_max: Option<u64>,
}

impl Limits {
    /// Narrows the bounds of a run.
    pub(crate) fn narrow(&self, bounds: &mut Bounds) {
        if let Some(kinds) = &self.kinds {
            bounds.kinds.retain(|kind| kinds.contains(kind));
        }
        bounds.crashes_max = self.crashes_max.unwrap_or(bounds.crashes_max);
        bounds.others_max = self.others_max.unwrap_or(bounds.others_max);
        if self.crashes_max.is_some() || self.others_max.is_some() {
            // What is aimed in turn comes on top of what is drawn, and would not count.
            bounds.turn = None;
        }
    }
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

/// How many lines there are to draw from where a scenario brings none.
const PLAIN_LINES: usize = 1_000;
/// Few enough that each comes again and again.
const WORDS: [&str; 12] =
    ["tide", "harbour", "gull", "rope", "mast", "salt", "reef", "lantern", "anchor", "fog", "keel", "oar"];

/// Lines that are all different, of words that come again.
fn plain_lines() -> Vec<String> {
    let line = |n: usize| {
        let word = |k: usize| WORDS[(n * (k + 2) + n / 7 * k) % WORDS.len()];
        format!("line {n} {}", (0..n % 5 + 1).map(word).collect::<Vec<_>>().join(" "))
    };
    (0..PLAIN_LINES).map(line).collect()
}

/// Lines from the source's socket.
pub fn socket() -> Receive {
    Arc::new(|context, url| context.socket_text_stream(url))
}

impl Scenario {
    /// A scenario of a pipeline and its model: fed by a source that can resume, with plain numbered lines, and options that are small
    /// enough for everything to happen. All of that can be set in its fields.
    ///
    /// `build` adds the operators and the output to a stream of lines; the output is a text file at the path that it gets. `model` says what
    /// that file must hold for a sequence of batches: a text for each. It should share no code with the pipeline.
    pub fn new(
        name: impl Into<String>,
        build: impl Fn(DStream<Text>, &Path) + Send + Sync + 'static,
        model: impl Fn(&Batches) -> Vec<String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            about: String::new(),
            mode: Mode::Resume,
            feed: Feed::Socket,
            receive: socket(),
            queue: Arc::default(),
            build: Arc::new(build),
            model: Arc::new(model),
            normalize: None,
            outcome: None,
            windows: None,
            time_outs: None,
            options: simulated_options(),
            corpus: Arc::new(plain_lines()),
            line_end: LineEnd::Lf,
            load: Load::default(),
            limits: Limits::default(),
            file: None,
        }
    }

    /// What the command line calls it.
    pub fn argument(&self) -> &str {
        self.file.as_deref().unwrap_or(&self.name)
    }

    /// The lines that the source sends in the run of `seed`, and when: a passage of the corpus without repeated lines, so that
    /// a line's text tells which one it is, in bursts and trickles.
    ///
    /// # Panics
    /// If the corpus is empty, or the queue has an empty element, or a line in it has a line feed.
    pub fn workload(&self, seed: u64) -> Script {
        assert!(self.queue.iter().all(|element| !element.is_empty()), "an element of the queue has lines");
        assert!(!self.queue.iter().flatten().any(|line| line.contains('\n')), "a line feed ends a line");
        let mut rng = stream(seed, Domain::Workload);
        let lines = rng.magnitude(self.load.lines.clone()) as usize;
        let start = rng.below(self.corpus.len() as u64) as usize;
        let mut seen = BTreeSet::new();
        let passage = self.corpus.iter().cycle().skip(start).take(self.corpus.len());
        let mut at_ms = rng.between(0..=self.load.pause_ms_max);
        let mut script = Vec::with_capacity(lines);
        for text in passage.filter(|text| !text.trim().is_empty() && seen.insert(text.as_str())).take(lines) {
            script.push(Line::new(at_ms, text.as_str()));
            if rng.one_in(4) {
                at_ms = (at_ms + rng.magnitude(1..=self.load.pause_ms_max)).min(self.load.last_line_ms_max);
            }
        }
        Script { line_end: self.line_end, ..Script::new(script) }
    }
}
