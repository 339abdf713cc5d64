//! `highwater sweep`: the seeds of the scenarios, on all cores.

mod ends;

use super::{
    Failure,
    interrupt::Interrupt,
    interval,
    simulated::{self, Faults, Format},
};
use clap::Args;
use ends::Ends;
use highwater_core::Interval;
use highwater_reports::{sweep::SweepSummary, text};
use highwater_sim::{run::RunReport, scenario::Scenario, sweep::sweep};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    fs,
    io::Write,
    num::NonZeroU64,
    ops::{ControlFlow, Range},
    path::{Path, PathBuf},
    str::FromStr,
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
    shard: Shard,
    /// How the summary is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Where the reports go: of each failed run, and of each scenario's most eventful one
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

/// A run worth a report: the scenario's most eventful one.
struct Notable {
    events: u64,
    report: RunReport,
}

impl Sweep {
    pub(super) fn main(self) -> Result<(), Failure> {
        let scenarios = simulated::named_or_all(self.scenarios.clone());
        let seeds = self.shard.of(&self.seeds.0);
        let jobs = simulated::jobs(self.jobs);
        let options = self.faults.options(self.seeds.0.start);
        fs::create_dir_all(&self.out).map_err(|error| self.cannot_write(&self.out, &error))?;
        eprintln!("{}", self.asked(scenarios.len(), jobs));
        let asked = (scenarios.len() * seeds.len()) as u64;
        let mut ends = Ends::new(self.failures_max(), self.budget(), Interrupt::listen()?);
        let mut summary = SweepSummary::default();
        let progress = progress(scenarios.len() * seeds.len());
        for (index, scenario) in scenarios.iter().enumerate() {
            if ends.is_over() {
                break;
            }
            let share = ends.share(scenarios.len() - index);
            progress.set_prefix(scenario.name.clone());
            let started = Instant::now();
            let mut notable: Option<Notable> = None;
            let mut failure = None;
            sweep(scenario, &seeds, jobs, &options, |run| {
                let is_end = ends.after(run.report.held(), share);
                progress.set_message(format!("{} failed", ends.failures()));
                progress.inc(1);
                summary.add(&run.report);
                if !run.report.held()
                    && let Err(error) = self.write(&run.report)
                {
                    failure = Some(error);
                    return ControlFlow::Break(());
                }
                let totals = &run.report.totals;
                let events = 100 * totals.crashes + totals.drops + totals.replayed_batches;
                if notable.as_ref().is_none_or(|notable| events > notable.events) {
                    notable = Some(Notable { events, report: run.report });
                }
                if is_end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            if let Some(error) = failure {
                return Err(error);
            }
            summary.add_wall_time(&scenario.name, started.elapsed());
            if let Some(notable) = notable {
                self.write(&notable.report)?;
            }
        }
        progress.finish_and_clear();
        let cut_short = ends.cut_short(asked);
        summary.cut_short.extend(cut_short);
        self.tell(&summary)?;
        match cut_short {
            Some(cut) if cut.runs == 0 => Err(Failure::failed("no run was finished: nothing is known")),
            _ => Ok(()),
        }
    }

    /// The options, as they are printed first.
    fn asked(&self, scenarios: usize, jobs: usize) -> String {
        let Self { seeds: Seeds(seeds), shard: Shard { index, count }, faults, .. } = self;
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

    fn tell(&self, summary: &SweepSummary) -> Result<(), Failure> {
        let table = highwater_reports::sweep::render_table(summary);
        let cut_short: String = summary.cut_short.iter().map(|cut| format!("{cut}\n")).collect();
        let table = match cut_short.is_empty() {
            true => table,
            false => format!("{table}\n{cut_short}"),
        };
        eprint!("{cut_short}");
        let json = serde_json::to_string_pretty(summary).map_err(Failure::failed)?;
        self.write_file("summary.txt", &table)?;
        self.write_file("summary.json", &json)?;
        let mut stdout = std::io::stdout();
        let printed = match self.format {
            Format::Text => writeln!(stdout, "{table}\nreports: {}", self.out.display()),
            Format::Json => writeln!(stdout, "{json}"),
        };
        printed.map_err(Failure::failed)?;
        match summary.held() {
            true => Ok(()),
            false => Err(Failure::failed("an invariant was broken")),
        }
    }

    fn write(&self, report: &RunReport) -> Result<(), Failure> {
        self.write_file(&format!("{}-{}.txt", report.scenario, report.seed), &text::render(report))
    }

    fn write_file(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.out.join(name);
        fs::write(&path, text).map_err(|error| self.cannot_write(&path, &error))
    }

    fn cannot_write(&self, path: &Path, error: &std::io::Error) -> Failure {
        Failure::unusable(format!(
            "cannot write {}: {error}; choose another directory with --out",
            path.display()
        ))
    }
}

/// A bar where there is a terminal, nothing otherwise.
fn progress(runs: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:18} {wide_bar} {pos}/{len} {per_sec} eta {eta}, {msg}");
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
