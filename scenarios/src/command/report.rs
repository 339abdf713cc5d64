//! `highwater report`: what can be done with reports that are files already.

use super::{
    Failure, colour,
    faces::{self, Face, Pages},
    files::Unwritten,
    simulated::{self, Format},
    tell,
};
use clap::{Args, Subcommand};
use highwater_reports::{
    json::{Document, read_json},
    recheck::Recheck,
    sweep::SweepSummary,
};
use highwater_scenarios::bounded;
use highwater_sim::{
    fault::{Plan, PlanFile},
    run::{RunOptions, RunReport, run},
};
use std::{
    io::Write,
    path::{Path, PathBuf},
};

const AFTER_HELP: &str = "\
Examples:
  highwater report merge shards/*/summary.json --out merged
  highwater report check highwater-reports/word-count-7.json
  highwater report show highwater-reports/word-count-7.json --format html > run.html

Exit status: 0 all invariants held; 1 one was broken; 2 a file is no such report, or the reports are not of one sweep.";

/// Joins, shows and judges again what was reported
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Report {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Joins the summaries of the shards of one sweep; the files of their runs are looked for beside them
    Merge {
        /// The `summary.json` of each shard
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// How the whole is printed
        #[arg(long, value_enum, default_value_t = Face::Text)]
        format: Face,
        /// Also writes the whole there, as a sweep does
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Judges a saved run again: lives through its plan once more, and tells which verdicts are others now
    Check {
        /// The JSON of a run
        file: PathBuf,
        /// How it is printed
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Prints a saved run with another face
    Show {
        /// The JSON of a run
        file: PathBuf,
        /// The face
        #[arg(long, value_enum, default_value_t = Face::Text)]
        format: Face,
    },
}

impl Report {
    pub(super) fn main(self) -> Result<(), Failure> {
        match self.what {
            What::Merge { files, format, out } => merge(&files, format, out.as_deref()),
            What::Check { file, format } => check(&file, format),
            What::Show { file, format } => {
                let report: RunReport = read(&file)?;
                format.print(&format.of_run(&report))?;
                held(report.held())
            }
        }
    }
}

/// A report of a hundred thousand events has 40 MiB.
const BYTES_MAX: u64 = 256 << 20;

fn read<D: Document>(path: &Path) -> Result<D, Failure> {
    let unusable = |why: &dyn std::fmt::Display| Failure::unusable(format!("{}: {why}", path.display()));
    let text = bounded::read(path, BYTES_MAX).map_err(|error| unusable(&error))?;
    read_json(&text).map_err(|error| unusable(&error))
}

fn held(held: bool) -> Result<(), Failure> {
    if held { Ok(()) } else { Err(Failure::failed("an invariant was broken")) }
}

fn merge(files: &[PathBuf], format: Face, out: Option<&Path>) -> Result<(), Failure> {
    let mut whole = SweepSummary::default();
    let mut shards = Vec::new();
    for file in files {
        let shard: SweepSummary = read(file)?;
        whole
            .merge(shard.clone())
            .map_err(|error| Failure::unusable(format!("{}: {error}", file.display())))?;
        whole = whole
            .checked()
            .map_err(|why| Failure::unusable(format!("{}: the whole {why}", file.display())))?;
        shards.push((file.parent().unwrap_or(Path::new("")), shard));
    }
    if whole.total().seeds == 0 {
        return Err(Failure::unusable("no run is in these reports: nothing is known"));
    }
    whole.shards.incomplete().for_each(|part| tell(format_args!("a part: {part}")));
    let (mut pages, mut unwritten) = (Pages::default(), Unwritten::default());
    if let Some(out) = out {
        faces::make_directory(out)?;
        for (directory, shard) in &shards {
            pages.copy(&whole, shard, directory, out, &mut unwritten);
        }
        faces::write_sweep(out, &whole, &pages, &mut unwritten);
    }
    format.print(&format.of_sweep(&whole, &pages))?;
    unwritten.end(held(whole.held()))
}

fn check(file: &Path, format: Format) -> Result<(), Failure> {
    let saved: RunReport = read(file)?;
    let unusable = |why: String| Failure::unusable(format!("{}: {why}", file.display()));
    let scenario = simulated::scenario(saved.scenario_argument())
        .map_err(|why| unusable(format!("its scenario `{}`: {why}", saved.scenario_argument())))?;
    let options = options(&saved).map_err(unusable)?;
    let mut again = run(&scenario, &options).report;
    // The plan of the saved run is given here, wherever it came from there.
    (again.plan_given, again.plan_file) = (saved.plan_given, saved.plan_file.clone());
    let recheck = Recheck::of(&saved, &again);
    let printed = match format {
        Format::Text => colour::print(&recheck.render()),
        Format::Json => {
            writeln!(std::io::stdout(), "{}", serde_json::to_string(&recheck).map_err(Failure::failed)?)
        }
    };
    printed.map_err(Failure::unprinted)?;
    held(again.held())
}

/// What makes the saved run again.
fn options(saved: &RunReport) -> Result<RunOptions, String> {
    let faults = saved.plan.iter().map(|outcome| outcome.fault.clone()).collect();
    let mut options = RunOptions::seeded(saved.seed);
    options.plan = Some(possible(Plan { lines: saved.lines, faults })?);
    options.faults = names(&saved.faults)?;
    options.sabotage = names::<highwater_sim::sabotage::Sabotage>(&saved.sabotage)?.into_iter().collect();
    Ok(options)
}

/// The plan, if a plan file could say it: with numbers that make sense.
fn possible(plan: Plan) -> Result<Plan, String> {
    let file = PlanFile { about: None, scenario: None, seed: None, plan };
    let written = file.write().map_err(|error| format!("its plan: {error}"))?;
    PlanFile::read(&written).map(|file| file.plan).map_err(|error| format!("its plan, as a file: {error}"))
}

fn names<T: std::str::FromStr<Err: ToString>>(names: &[String]) -> Result<Vec<T>, String> {
    names.iter().map(|name| name.parse::<T>().map_err(|error| error.to_string())).collect()
}
