//! `highwater explore`: every crash point, and every crash image up to a bound, of one short run.

use super::{
    Failure,
    files::{self, Unwritten},
    interrupt::Interrupt,
    interval,
    simulated::{self, Format},
    tell,
};
use clap::Args;
use highwater_core::Interval;
use highwater_reports::explore::render;
use highwater_sim::{
    explore::{Counts, Exploration, ExploreOptions, explore},
    fault::PlanFile,
    sabotage::Sabotage,
    scenario::Scenario,
};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::Write,
    num::{NonZeroU64, NonZeroUsize},
    path::PathBuf,
    time::{Duration, Instant},
};

const AFTER_HELP: &str = "\
A point is before, inside or after an operation of the driver on the disk or the network. At each, the process crashes, and the \
machine loses power once for each image that it can leave, up to the bound. An image that an earlier point has left already is not \
lived through again; the others are, and all judges judge them. At depth 2 each of these crashes again at every point of its recovery.

The default workload is short, but has all that can be hit: batches, checkpoints, snapshots where there is state, a second \
journal segment, removals. Depth 1 of it is whole in less than two minutes on two cores; depth 2 wants a budget, which is spent on \
points spread over all there are.

Examples:
  highwater explore word-count
  highwater explore running-total --depth 2 --budget 5m
  highwater explore word-count --sabotage file-sync-does-nothing --budget 10s

Exit status: 0 all invariants held in all runs; 1 one was broken; 2 wrong usage.";

/// Crashes a short run at every point, leaves every image that it can leave, and judges every recovery
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Explore {
    /// The scenario; `highwater scenarios` lists them
    #[arg(value_parser = simulated::scenario)]
    scenario: Scenario,
    /// How many crashes in a row
    #[arg(long, value_name = "D", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=2))]
    depth: u32,
    /// Draws the workload, and all else that the plans leave open
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = simulated::seed_parser())]
    seed: u64,
    /// Only the first lines of the workload
    #[arg(long, value_name = "N", default_value = "170")]
    lines: NonZeroU64,
    /// At most so many images of power losses a point: all of them where they are no more
    #[arg(long, value_name = "N", default_value = "16")]
    images_max: NonZeroUsize,
    /// Stops after so long, and says how much was explored
    #[arg(long, value_name = "TIME", value_parser = interval::parse)]
    budget: Option<Interval>,
    /// Stops soon after so many judged runs, and says how much was explored [default: no bound]
    #[arg(long, value_name = "N")]
    runs_max: Option<NonZeroU64>,
    /// How many runs at once [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = simulated::jobs_parser())]
    jobs: Option<usize>,
    /// Breaks a promise of the disk or the network, to see the judges at work, such as file-sync-does-nothing
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    sabotage: Vec<Sabotage>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Where the plans of failed runs go
    #[arg(long, value_name = "DIR", default_value = "highwater-reports")]
    out: PathBuf,
}

impl Explore {
    pub(super) fn main(self) -> Result<(), Failure> {
        let jobs = simulated::jobs(self.jobs);
        let options = ExploreOptions {
            lines: Some(self.lines.get()),
            depth: self.depth,
            images_max: self.images_max.get(),
            runs_max: self.runs_max.map_or(u64::MAX, NonZeroU64::get),
            jobs,
            sabotage: self.sabotage.iter().copied().collect(),
            ..ExploreOptions::seeded(self.seed)
        };
        tell(self.asked(jobs));
        let started = Instant::now();
        let budget = self.budget.map(|budget| Duration::from_millis(budget.millis()));
        let interrupt = Interrupt::listen()?;
        let progress = progress();
        let keep_going = || !interrupt.asked() && budget.is_none_or(|budget| started.elapsed() < budget);
        let explored = explore(&self.scenario, &options, keep_going, |so_far| show(&progress, so_far));
        progress.finish_and_clear();
        let explored = explored.map_err(Failure::failed)?;
        tell(format_args!("explored in {:.1} s", started.elapsed().as_secs_f64()));
        self.tell(&explored)
    }

    /// The options, as they are printed first.
    fn asked(&self, jobs: usize) -> String {
        let mut asked = format!(
            "exploring {}, seed {}, lines {}, depth {}, images at most {} a point, jobs {jobs}",
            self.scenario.name, self.seed, self.lines, self.depth, self.images_max
        );
        if let Some(budget) = self.budget {
            asked.push_str(&format!(", budget {budget}"));
        }
        if let Some(most) = self.runs_max {
            asked.push_str(&format!(", runs at most about {most}"));
        }
        for sabotage in &self.sabotage {
            asked.push_str(&format!(", sabotaged: {sabotage}"));
        }
        asked
    }

    fn tell(&self, explored: &Exploration) -> Result<(), Failure> {
        let (mut files, mut unwritten) = (Vec::new(), Unwritten::default());
        for (n, failure) in explored.failures.iter().enumerate() {
            let name = format!("explore-{}-{}-{}.toml", self.scenario.name, explored.seed, n + 1);
            let path = self.out.join(name);
            let file = PlanFile {
                about: failure.broken.first().cloned(),
                scenario: Some(explored.scenario.clone()),
                seed: Some(explored.seed),
                plan: failure.plan.clone(),
            };
            let text = file.write().map_err(Failure::failed)?;
            // Those that are told are the first ones.
            if unwritten.note(files::write(&path, &text)).is_none() {
                break;
            }
            files.push(path.display().to_string());
        }
        let text = match self.format {
            Format::Text => render(explored, &files),
            Format::Json => serde_json::to_string_pretty(explored).map_err(Failure::failed)? + "\n",
        };
        std::io::stdout().write_all(text.as_bytes()).map_err(Failure::unprinted)?;
        let sum = |count: fn(&Counts) -> u64| -> u64 {
            explored.depths.iter().map(|depth| count(&depth.counts)).sum()
        };
        unwritten.end(match (explored.violations, sum(|counts| counts.missed), sum(|counts| counts.runs)) {
            (0, 0, 0) => Err(Failure::failed("no run was finished: nothing is known")),
            (0, 0, _) => Ok(()),
            (0, ..) => Err(Failure::failed("a planned crash never came: the testbed is broken")),
            _ => Err(Failure::failed("an invariant was broken")),
        })
    }
}

/// A bar where there is a terminal, nothing otherwise.
fn progress() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} points, eta {eta}");
    ProgressBar::new(0).with_style(style.expect("the template is right"))
}

fn show(progress: &ProgressBar, so_far: &Exploration) {
    let Some(depth) = so_far.depths.last() else { return };
    if progress.length() != Some(depth.points_total) {
        progress.reset();
        progress.set_length(depth.points_total);
    }
    progress.set_position(depth.counts.points);
    progress.set_message(format!(
        "depth {}, {} runs, {} broken",
        depth.depth, depth.counts.runs, so_far.violations
    ));
}
