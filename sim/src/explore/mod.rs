//! Every crash point, and every crash image up to a bound, of one short run: what a sweep draws, an exploration enumerates.
//!
//! - A *point* is before, inside or after an operation of the driver at the seams, disk and network: `points`.
//! - At each point the process crashes once, and the machine loses power once for each *image* that it can leave: `images`.
//! - Each image is looked at as the next life finds it (`run/found.rs` says what is compared, and what is ignored). One that an
//!   earlier point has left already is *deduplicated*: it is not lived through again. Each other one is a *run*, to its end, that
//!   all judges judge.
//! - At depth 2 each image of depth 1 that was lived through crashes again at every point of its recovery, until the first batch
//!   after it is complete, and so on for each depth.
//!
//! The order is fixed and spreads over the points (`spread`), so whatever part of them a budget allows is of every kind. The results do
//! not depend on the number of threads: images are looked at in parallel, told apart in order, and lived through in parallel, some at a
//! time. Whoever does not want it to go on is answered once the runs under way are done; a point counts if all its images were told apart
//! and lived through.
//!
//! Left out: a sector that is lost holds zeros, never garbage; an operation that is hit inside is hit at one place of it; the pause before a restart is always the same; the clock,
//! the schedule and the latencies are those of one seed.

mod explorer;
mod images;
mod points;
mod spread;

use crate::{fault::Plan, run::Evidence, sabotage::Sabotage, scenario::Scenario};
use explorer::Explorer;
use highwater_core::event::Event;
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

/// What to explore.
#[derive(Clone, Debug)]
pub struct ExploreOptions {
    /// Draws the workload, and all else that the plans leave open.
    pub seed: u64,
    /// Only the first lines of the workload.
    pub lines: Option<u64>,
    /// How many crashes in a row.
    pub depth: u32,
    /// At most so many images of power losses a point.
    pub images_max: usize,
    /// No more are looked at once so many runs were judged.
    pub runs_max: u64,
    /// Threads.
    pub jobs: usize,
    /// Promises that the world breaks.
    pub sabotage: BTreeSet<Sabotage>,
}

impl ExploreOptions {
    /// One crash, at every point.
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            lines: None,
            depth: 1,
            images_max: 16,
            runs_max: u64::MAX,
            jobs: 1,
            sabotage: BTreeSet::new(),
        }
    }
}

/// What was explored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exploration {
    /// The scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The promises that were broken on purpose.
    pub sabotage: Vec<String>,
    /// The bound of the images of a point.
    pub images_max: usize,
    /// The run without a crash.
    pub calm: Calm,
    /// For each number of crashes in a row, from one.
    pub depths: Vec<Depth>,
    /// Whether it was stopped before it had crashed the run at all points of all depths.
    pub cut_short: bool,
    /// How many runs broke an invariant.
    pub violations: u64,
    /// The first of them in the order of exploration.
    pub failures: Vec<Failure>,
}

/// What the run without a crash did, and so what there is to hit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Calm {
    /// Lines that the source sent.
    pub lines: u64,
    /// Disk operations.
    pub disk_operations: u64,
    /// Network operations.
    pub network_operations: u64,
    /// Batches completed.
    pub batches: u64,
    /// Checkpoints published.
    pub checkpoints: u64,
    /// Snapshots written.
    pub snapshots: u64,
    /// Journal segments begun.
    pub segments: u64,
    /// Checkpoints, snapshots and segments removed.
    pub removed: u64,
}

/// The crashes of one depth.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Depth {
    /// How many crashes in a row.
    pub depth: u32,
    /// All points that there are.
    pub points_total: u64,
    /// What was explored of them.
    pub counts: Counts,
    /// The same for each operation that the last crash hit, by place and name.
    pub operations: BTreeMap<String, Counts>,
}

/// Figures of an exploration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Points.
    pub points: u64,
    /// Points with more images than the bound allows: some of theirs were not tried.
    pub bounded: u64,
    /// Images, those that a crash of the process leaves among them.
    pub images: u64,
    /// Images that were left before.
    pub deduplicated: u64,
    /// Images that were lived through to the end and judged.
    pub runs: u64,
    /// Runs that never came to their last crash: a bug of the testbed.
    pub missed: u64,
    /// Runs that broke an invariant.
    pub violations: u64,
}

/// A run that broke an invariant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The plan: with the seed, all that it takes to see it again.
    pub plan: Plan,
    /// What the judges said: the invariant, and what broke it.
    pub broken: Vec<String>,
}

/// Explores a scenario. `each` is told how far it is, again and again. Once `keep_going` says no, no further run is begun, and what was
/// explored is told.
///
/// # Errors
/// If the run without a crash does not go well: then there is nothing to compare with. With its verdict.
///
/// # Panics
/// If a judge panics: that is a bug of the testbed.
pub fn explore(
    scenario: &Scenario,
    options: &ExploreOptions,
    keep_going: impl Fn() -> bool + Sync,
    mut each: impl FnMut(&Exploration),
) -> Result<Exploration, String> {
    let (mut explorer, root) = Explorer::new(scenario, options)?;
    let mut roots = vec![root];
    for depth in 1..=options.depth {
        let last = depth == options.depth;
        match explorer.explore(depth, &roots, last, &keep_going, &mut each) {
            ControlFlow::Continue(next) => roots = next,
            ControlFlow::Break(()) => break,
        }
    }
    let mut told = explorer.told;
    let is_whole = |depth: &Depth| depth.counts.points == depth.points_total;
    told.cut_short = told.depths.len() < options.depth as usize || !told.depths.iter().all(is_whole);
    Ok(told)
}

impl Calm {
    fn of(evidence: &Evidence) -> Self {
        let mut calm = Self { lines: evidence.source.sent as u64, ..Self::default() };
        for life in &evidence.lives {
            calm.disk_operations += life.disk_operations;
            calm.network_operations += life.network_operations;
        }
        for (_, _, event) in evidence.events() {
            match event {
                Event::BatchCompleted { .. } => calm.batches += 1,
                Event::CheckpointPublished { .. } => calm.checkpoints += 1,
                Event::SnapshotWritten { .. } => calm.snapshots += 1,
                Event::SegmentStarted { .. } => calm.segments += 1,
                Event::Trimmed { checkpoints, snapshots, segments } => {
                    calm.removed += checkpoints + snapshots + segments;
                }
                _ => {}
            }
        }
        calm
    }
}

impl Counts {
    fn add(&mut self, other: Self) {
        // Without the rest pattern, so that a new figure is thought of here.
        let Self { points, bounded, images, deduplicated, runs, missed, violations } = other;
        self.points += points;
        self.bounded += bounded;
        self.images += images;
        self.deduplicated += deduplicated;
        self.runs += runs;
        self.missed += missed;
        self.violations += violations;
    }
}
