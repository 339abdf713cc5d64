//! `highwater sweep`: the seeds of the scenarios, on all cores.

use super::{
    Failure,
    faces::{self, Face, Pages},
    simulated::{self, Faults},
};
use clap::Args;
use highwater_reports::sweep::SweepSummary;
use highwater_sim::{scenario::Scenario, sweep::sweep};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    ops::{ControlFlow, Range},
    path::PathBuf,
    str::FromStr,
    time::Instant,
};

const AFTER_HELP: &str = "\
Examples:
  highwater sweep
  highwater sweep word-count --seeds 0..10000 --jobs 1
  highwater sweep running-total --faults power-loss,reset --shard 1/4 --format json

Exit status: 0 all invariants held in all runs; 1 one was broken; 2 wrong usage.";

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
    #[arg(long, value_name = "N")]
    jobs: Option<std::num::NonZeroUsize>,
    #[command(flatten)]
    faults: Faults,
    /// Runs the I-th of N equal parts of the seeds, from 1
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    shard: Shard,
    /// How the summary is printed
    #[arg(long, value_enum, default_value_t = Face::Text)]
    format: Face,
    /// Where the reports go: of the sweep, of failed runs, and of each scenario's slowest and most eventful ones
    #[arg(long, value_name = "DIR", default_value = "highwater-reports")]
    out: PathBuf,
}

#[derive(Clone, Debug)]
struct Seeds(Range<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let range = || {
            let (from, to) = text.split_once("..")?;
            Some(from.parse().ok()?..to.parse().ok()?)
        };
        let range = range().filter(|range| !range.is_empty());
        range.map(Self).ok_or_else(|| "give FROM..TO with FROM < TO, such as 0..200".into())
    }
}

#[derive(Clone, Debug)]
struct Shard {
    index: u64,
    count: u64,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shard = || {
            let (index, count) = text.split_once('/')?;
            Some(Self { index: index.parse().ok()?, count: count.parse().ok()? })
        };
        let shard = shard().filter(|shard| (1..=shard.count).contains(&shard.index));
        shard.ok_or_else(|| "give I/N with I from 1 to N, such as 1/4".into())
    }
}

impl Shard {
    fn of(&self, seeds: &Range<u64>) -> Vec<u64> {
        seeds.clone().filter(|seed| seed % self.count == self.index - 1).collect()
    }
}

impl Sweep {
    pub(super) fn main(self) -> Result<(), Failure> {
        let scenarios = simulated::named_or_all(self.scenarios.clone());
        let seeds = self.shard.of(&self.seeds.0);
        let jobs = simulated::jobs(self.jobs);
        let options = self.faults.options(self.seeds.0.start);
        faces::make_directory(&self.out)?;
        eprintln!(
            "sweeping {} scenarios, seeds {}..{}, shard {}/{}, faults {}",
            scenarios.len(),
            self.seeds.0.start,
            self.seeds.0.end,
            self.shard.index,
            self.shard.count,
            self.faults
        );
        let mut summary = SweepSummary::default();
        let progress = progress(scenarios.len() * seeds.len());
        for scenario in &scenarios {
            progress.set_message(scenario.name.clone());
            let started = Instant::now();
            let mut failure = None;
            sweep(scenario, &seeds, jobs, &options, |run| {
                progress.inc(1);
                summary.add(&run.report);
                if !run.report.held()
                    && let Err(error) = faces::write_story(&self.out, &run.report)
                {
                    failure = Some(error);
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            });
            if let Some(error) = failure {
                return Err(error);
            }
            summary.add_wall_time(&scenario.name, started.elapsed());
        }
        progress.finish_and_clear();
        let pages = Pages::write(&scenarios, &summary, &options, jobs, &self.out)?;
        let index = faces::write_sweep(&self.out, &summary, &pages)?;
        let mut printed = self.format.of_sweep(&summary, &pages);
        if self.format == Face::Text {
            printed.push_str(&format!("\nreports: {}\n", index.display()));
        }
        self.format.print(&printed)?;
        match summary.held() {
            true => Ok(()),
            false => Err(Failure::failed("an invariant was broken")),
        }
    }
}

/// A bar where there is a terminal, nothing otherwise.
fn progress(runs: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:20} {wide_bar} {pos}/{len} {per_sec} eta {eta}");
    ProgressBar::new(runs as u64).with_style(style.expect("the template is right"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_share_the_seeds_without_overlap() {
        let mut all: Vec<u64> = (1..=3).flat_map(|index| Shard { index, count: 3 }.of(&(5..25))).collect();
        all.sort_unstable();
        assert_eq!(all, (5..25).collect::<Vec<_>>());
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(
            "5..5".parse::<Seeds>().is_err()
                && "x".parse::<Seeds>().is_err()
                && "9..1".parse::<Seeds>().is_err()
        );
        assert!(
            "0/2".parse::<Shard>().is_err()
                && "3/2".parse::<Shard>().is_err()
                && "1".parse::<Shard>().is_err()
        );
    }
}
