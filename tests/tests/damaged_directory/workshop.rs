//! A place with a feed, a checkpoint directory and two outputs, in which drivers start, work and are cut off.
//!
//! Both pipelines read one source: `word-count`, whose batches' sum shows what is lost or doubled in the output, and
//! `running-total`, whose last line shows it in the state. Each life has a runtime of its own; dropping it ends the driver
//! with all its tasks at whatever they were doing, which on the disk is what a SIGKILL does, and waits for it.

use super::image::Image;
use highwater_core::{Error, Interval, Options, StreamingContext, event::Event, os};
use highwater_scenarios::{
    feed::{Feed, Lines, Progress, Rate},
    pipelines::Pipeline,
};
use highwater_tests::output::{self, assert_same, assert_times, count_words, parse};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{runtime::Runtime, sync::watch};

const PATIENCE: Duration = Duration::from_secs(60);
pub const INTERVAL_MS: u64 = 10;

/// See the file's header.
pub struct Workshop {
    directory: TempDir,
    pub text: String,
    pub lines: u64,
}

/// Which pipelines a driver runs.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    pub pipelines: &'static [&'static str],
    pub interval_ms: u64,
}

pub const PROGRAM: Program =
    Program { pipelines: &["word-count", "running-total"], interval_ms: INTERVAL_MS };

/// A driver at work, and the feed that it reads.
pub struct Life {
    pub context: StreamingContext,
    pub progress: watch::Receiver<Progress>,
    pub events: Arc<Mutex<Vec<Event>>>,
    // The last to be dropped.
    pub runtime: Runtime,
}

fn options(interval_ms: u64) -> Options {
    let interval = |ms| Interval::from_millis(ms).unwrap();
    let mut options = Options::with_batch_interval(interval(interval_ms));
    options.checkpoint_interval = Some(interval(4 * interval_ms));
    options.block_interval = Duration::from_millis(3);
    options.segment_bytes_max = 2048;
    // What was missed between two lives is not what these tests are about.
    options.missed_batches_max = 2;
    options.reconnect_min = Duration::from_millis(1);
    options
}

/// Whether the newest checkpoint is the first to name its snapshot, those retained before it name another one, and what it made needless
/// is removed: every retained one has a state, not all have the same, and until the next batch nothing is under way.
fn has_just_named_a_newer_snapshot(events: &[Event]) -> bool {
    let mut done = events.iter().rev();
    let last = done.find(|event| matches!(event, Event::CheckpointPublished { .. } | Event::Trimmed { .. }));
    if !matches!(last, Some(Event::Trimmed { .. })) {
        return false;
    }
    let named = events.iter().rev().filter_map(|event| match event {
        Event::CheckpointPublished { snapshot, .. } => Some(*snapshot),
        _ => None,
    });
    match &named.take(3).collect::<Vec<_>>()[..] {
        [Some(newest), Some(second), Some(third)] => newest != second && second == third,
        _ => false,
    }
}

impl Workshop {
    /// A workshop whose feed has this text.
    pub fn new(text: &str) -> Self {
        let (text, lines) = (text.to_owned(), text.lines().count() as u64);
        Self { directory: tempfile::tempdir().unwrap(), text, lines }
    }

    /// A workshop and the image of a directory in the middle of its work: written by two drivers, both cut off.
    pub fn at_work() -> (Self, Image) {
        let text: String = (0..1200).map(|n| format!("line {n} of w{} x{}\n", n % 7, n % 31)).collect();
        let workshop = Self::new(&text);
        for until in [120, 280] {
            let mut life = workshop.start(PROGRAM, Some(2_000.0)).unwrap();
            life.wait(|progress| progress.acknowledged >= until);
            life.wait_for_two_snapshots();
        }
        let image = Image::read(workshop.root());
        for (folder, at_least) in [("checkpoint", 3), ("state", 2), ("journal", 4), ("generation", 1)] {
            assert!(image.folder(folder).len() >= at_least, "{folder}: {:?}", image.folder(folder));
        }
        (workshop, image)
    }

    /// A workshop and the image of a directory right after a third driver has recovered, before it published anything of
    /// its own batches.
    pub fn recovered() -> (Self, Image) {
        let (workshop, _) = Self::at_work();
        let root = workshop.root().to_owned();
        let (send, images) = std::sync::mpsc::channel();
        let hook = move |event: &Event| {
            // Batches of before come first, and are done before anything else is published.
            if matches!(event, Event::BatchEmitted { .. }) {
                // Nobody receives the second one.
                let _ = send.send(Image::read(&root));
            }
        };
        let text = workshop.text.clone().into_bytes();
        let life = workshop.start_hooked(PROGRAM, Some(2_000.0), text, hook).unwrap();
        let image = images.recv_timeout(PATIENCE).unwrap();
        drop(life);
        (workshop, image)
    }

    /// Where everything is.
    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    /// The checkpoint directory.
    pub fn checkpoint(&self) -> PathBuf {
        self.root().join("checkpoint")
    }

    /// Starts a driver with a feed of its own.
    pub fn start(&self, program: Program, lines_per_second: Option<f64>) -> Result<Life, Error> {
        self.start_bytes(program, lines_per_second, self.text.clone().into_bytes())
    }

    /// As [`start`](Self::start), with other bytes in the feed.
    pub fn start_bytes(&self, program: Program, rate: Option<f64>, bytes: Vec<u8>) -> Result<Life, Error> {
        self.start_hooked(program, rate, bytes, |_| {})
    }

    /// As [`start_bytes`](Self::start_bytes), with a listener.
    fn start_hooked(
        &self,
        program: Program,
        rate: Option<f64>,
        bytes: Vec<u8>,
        hook: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Result<Life, Error> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        let (sender, progress) = watch::channel(Progress::default());
        let feed = Feed {
            lines: Arc::new(Lines::from_bytes(bytes)),
            rate: rate.map(|rate| Rate::per_second(rate).unwrap()),
            resume: true,
        };
        let context = runtime.block_on(async {
            let env = os::env_with_threads(1);
            let listener = env.network.listen("127.0.0.1:0").await.unwrap();
            let url = format!("resume://{}", listener.local_address());
            let world = env.clone();
            tokio::spawn(async move { feed.serve(&world, listener, &sender, &|_| {}).await });
            let log = events.clone();
            let mut context = StreamingContext::get_or_create(env, self.checkpoint(), |env| {
                let context = StreamingContext::new(env, options(program.interval_ms))?;
                context.add_listener(hook);
                context.add_listener(move |event: &Event| log.lock().unwrap().push(event.clone()));
                let lines = context.socket_text_stream(&url)?;
                for name in program.pipelines {
                    let pipeline = Pipeline::find(name).unwrap();
                    pipeline.build(lines.clone(), &self.root().join(format!("{name}.txt")));
                }
                Ok(context)
            })
            .await?;
            context.start().await?;
            Ok::<_, Error>(context)
        })?;
        Ok(Life { context, progress, events, runtime })
    }

    /// Starts a driver, lets it finish its work, and stops it in order.
    pub fn finish(&self) -> Result<Vec<Event>, Error> {
        let mut life = self.start(PROGRAM, None)?;
        life.finish(self.lines)
    }

    /// The output of a pipeline.
    pub fn output(&self, pipeline: &str) -> Vec<output::OutputLine> {
        parse(&std::fs::read(self.root().join(format!("{pipeline}.txt"))).unwrap())
    }

    /// Checks that all was processed once, by the output alone.
    pub fn assert_all_processed_once(&self, what: &str) {
        let expected = count_words(&self.text);
        let (counts, totals) = (self.output("word-count"), self.output("running-total"));
        assert_same(&output::sum(&counts), &expected, &format!("{what}: the sum over all batches"));
        assert_same(&totals.last().unwrap().counts, &expected, &format!("{what}: the last total"));
        for lines in [&counts, &totals] {
            assert_times(lines, INTERVAL_MS as i64);
        }
    }
}

impl Life {
    /// Waits until the feed is so far.
    ///
    /// # Panics
    /// If the driver ends before.
    pub fn wait(&mut self, state: impl FnMut(&Progress) -> bool) {
        self.wait_or_end(state).unwrap_or_else(|ended| panic!("the driver has ended: {ended:?}"));
    }

    /// Waits until the retained checkpoints name two snapshots. That comes again and again, with and without input.
    fn wait_for_two_snapshots(&self) {
        let deadline = Instant::now() + PATIENCE;
        while !has_just_named_a_newer_snapshot(&self.events.lock().unwrap()) {
            assert!(Instant::now() < deadline, "no checkpoint names another snapshot");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits until the feed is so far, or the driver has ended.
    fn wait_or_end(&mut self, state: impl FnMut(&Progress) -> bool) -> Result<(), Result<(), Error>> {
        let Life { context, progress, runtime, .. } = self;
        let mut watched = progress.clone();
        runtime.block_on(async {
            tokio::select! {
                reached = watched.wait_for(state) => { reached.unwrap(); Ok(()) }
                ended = context.await_termination() => Err(ended),
                () = tokio::time::sleep(PATIENCE) => panic!("the feed stays at {:?}", progress.borrow()),
            }
        })
    }

    /// Lets it process what the feed has, and stops it in order.
    pub fn finish(&mut self, lines: u64) -> Result<Vec<Event>, Error> {
        if let Err(ended) = self.wait_or_end(|progress| progress.acknowledged >= lines) {
            ended?;
        }
        self.runtime.block_on(self.context.stop(true))?;
        Ok(self.events.lock().unwrap().clone())
    }
}
