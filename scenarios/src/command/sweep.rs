//! `highwater sweep`: the seeds of the scenarios, on all cores.

mod ends;
mod seeds;

use super::{
    Failure,
    faces::{self, Face, Pages},
    files::Unwritten,
    interrupt::Interrupt,
    interval,
    simulated::{self, Faults},
    tell,
};
use clap::Args;
use ends::Ends;
use highwater_core::Interval;
use highwater_reports::sweep::SweepSummary;
use highwater_sim::{scenario::Scenario, sweep::sweep};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use seeds::{Part, Seeds};
use std::{
    fmt,
    num::NonZeroU64,
    ops::ControlFlow,
    path::PathBuf,
    time::{Duration, Instant},
};

const AFTER_HELP: &str = "\
Examples:
  highwater sweep
  highwater sweep word-count --seeds 0..10000 --jobs 1
  highwater sweep running-total --faults power-loss,reset --shard 1/4 --format json
  highwater sweep --seeds 0..1000000 --time-budget 10m --max-fail 3
  highwater sweep scenarios/examples/crash-storm.toml --fail-fast

A sweep that is cut short, also by Ctrl-C, says how far it came and ends with what is known: of each scenario the first seeds were \
run.

Exit status: 0 all invariants held in all runs; 1 one was broken; 2 wrong usage.";

/// So many seeds are listed at once.
const SEEDS_AT_ONCE: usize = 4096;

/// Sweeps seeds: runs each scenario under the faults that each seed draws, and judges every run
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Sweep {
    /// The scenarios [default: all]; `highwater scenarios` lists them
    #[arg(value_name = "SCENARIO", value_parser = simulated::scenario)]
    scenarios: Vec<Scenario>,
    /// The seeds of each scenario
    #[arg(long, value_name = "FROM..TO", default_value = "0..200")]
    seeds: Seeds,
    /// How many runs at once [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = simulated::jobs_parser())]
    jobs: Option<usize>,
    #[command(flatten)]
    faults: Faults,
    /// Ends after the first failed run: as --max-fail 1
    #[arg(long, conflicts_with = "max_fail")]
    fail_fast: bool,
    /// Ends after so many failed runs
    #[arg(long, value_name = "N")]
    max_fail: Option<NonZeroU64>,
    /// Ends after so long, such as 10m; the scenarios share it
    #[arg(long, value_name = "TIME", value_parser = interval::parse)]
    time_budget: Option<Interval>,
    /// Runs the I-th of N equal parts of the seeds, from 1
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    shard: Part,
    /// How the summary is printed
    #[arg(long, value_enum, default_value_t = Face::Text)]
    format: Face,
    /// Where the reports go: of the sweep, of failed runs, and of each scenario's slowest and most eventful ones
    #[arg(long, value_name = "DIR", default_value = "highwater-reports")]
    out: PathBuf,
}

impl Sweep {
    pub(super) fn main(self) -> Result<(), Failure> {
        let scenarios = simulated::named_or_all(self.scenarios.clone())?;
        let Seeds(seeds) = &self.seeds;
        let seeds_each = self.shard.count_of(seeds);
        if seeds_each == 0 {
            let Part { index, count } = self.shard;
            return Err(Failure::unusable(format!(
                "no seed of {}..{} is in shard {index}/{count}: there is nothing to run",
                seeds.start, seeds.end
            )));
        }
        let jobs = simulated::jobs(self.jobs);
        let options = self.faults.options(self.seeds.0.start);
        faces::make_directory(&self.out)?;
        tell(self.asked(scenarios.len(), jobs));
        let asked = seeds_each.saturating_mul(scenarios.len() as u64);
        let mut ends = Ends::new(self.failures_max(), self.budget(), Interrupt::listen()?);
        let (mut summary, mut unwritten) = (SweepSummary::default(), Unwritten::default());
        summary.shards.add(self.shard.shard(seeds));
        let progress = progress(asked);
        for (index, scenario) in scenarios.iter().enumerate() {
            if ends.is_over() {
                break;
            }
            let share = ends.share(scenarios.len() - index);
            progress.set_prefix(scenario.name.clone());
            let started = Instant::now();
            let (mut left, mut is_end) = (self.shard.of(seeds), false);
            while !is_end {
                // All of them could be more than memory holds.
                let some: Vec<u64> = left.by_ref().take(SEEDS_AT_ONCE).collect();
                if some.is_empty() {
                    break;
                }
                sweep(scenario, &some, jobs, &options, |run| {
                    is_end = ends.after(run.report.held(), share);
                    progress.set_message(format!("{} failed", ends.failures()));
                    progress.inc(1);
                    summary.add(&run.report);
                    if !run.report.held() {
                        unwritten.note(faces::write_story(&self.out, &run.report));
                    }
                    if is_end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                });
            }
            summary.add_wall_time(&scenario.name, started.elapsed());
        }
        progress.finish_and_clear();
        let cut_short = ends.cut_short(asked);
        summary.cut_short.extend(cut_short);
        summary.cut_short.iter().for_each(|cut| tell(format_args!("{cut}")));
        let pages = Pages::write(&scenarios, &summary, &options, jobs, &self.out, &mut unwritten);
        self.tell(&summary, &pages, &mut unwritten)?;
        unwritten.end(match cut_short {
            _ if !summary.held() => Err(Failure::failed("an invariant was broken")),
            Some(cut) if cut.runs == 0 => Err(Failure::failed("no run was finished: nothing is known")),
            _ => Ok(()),
        })
    }

    /// The options, as they are printed first.
    fn asked(&self, scenarios: usize, jobs: usize) -> String {
        let Self { seeds: Seeds(seeds), shard: Part { index, count }, faults, .. } = self;
        let mut asked = format!(
            "sweeping {scenarios} scenarios, seeds {}..{}, shard {index}/{count}, faults {faults}, jobs {jobs}",
            seeds.start, seeds.end
        );
        if let Some(most) = self.failures_max() {
            asked.push_str(&format!(", at most {most} failures"));
        }
        if let Some(budget) = self.time_budget {
            asked.push_str(&format!(", at most {budget}"));
        }
        asked
    }

    fn failures_max(&self) -> Option<u64> {
        if self.fail_fast { Some(1) } else { self.max_fail.map(NonZeroU64::get) }
    }

    fn budget(&self) -> Option<Duration> {
        self.time_budget.map(Interval::duration)
    }

    fn tell(&self, summary: &SweepSummary, pages: &Pages, unwritten: &mut Unwritten) -> Result<(), Failure> {
        let index = faces::write_sweep(&self.out, summary, pages, unwritten);
        let mut printed = self.format.of_sweep(summary, pages);
        if let (Face::Text, Some(index)) = (self.format, index) {
            printed.push_str(&format!("\nreports: {}\n", index.display()));
        }
        self.format.print(&printed)
    }
}

/// A bar where there is a terminal, nothing otherwise.
fn progress(runs: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:18} {wide_bar} {pos}/{len} {rate} eta {eta}, {msg}");
    let rate = |state: &ProgressState, out: &mut dyn fmt::Write| {
        // A bar has nobody to tell of an error.
        let _ = write!(out, "{:.1}/s", state.per_sec());
    };
    ProgressBar::new(runs).with_style(style.expect("the template is right").with_key("rate", rate))
}
