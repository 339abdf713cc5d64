//! What the commands that simulate have in common: naming scenarios, which faults may happen, on how many cores, and how it is told.

use super::Failure;
use clap::{Args, ValueEnum};
use highwater_scenarios::{catalogue, scenario_file};
use highwater_sim::{
    fault::{FaultKind, PlanFile},
    run::RunOptions,
    sabotage::Sabotage,
    scenario::Scenario,
};
use std::{
    fmt, fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    thread::available_parallelism,
};

/// The scenario of a name, or of the file at a path, for clap.
pub(super) fn scenario(argument: &str) -> Result<Scenario, String> {
    if let Some(scenario) = catalogue::find(argument) {
        return Ok(scenario);
    }
    if argument.ends_with(".toml") || argument.contains('/') {
        return scenario_file::read(Path::new(argument)).map_err(|error| error.to_string());
    }
    let names: Vec<_> = catalogue::scenarios().into_iter().map(|scenario| scenario.name).collect();
    Err(format!(
        "there is no scenario `{argument}`; there are: {}; or the path of a scenario file, such as my-scenario.toml",
        names.join(", ")
    ))
}

/// Those that were named, or all.
pub(super) fn named_or_all(named: Vec<Scenario>) -> Vec<Scenario> {
    match named.is_empty() {
        true => catalogue::scenarios(),
        false => named,
    }
}

/// How many threads to use: as many as were asked for, or the number of cores.
pub(super) fn jobs(asked: Option<NonZeroUsize>) -> usize {
    asked.or(available_parallelism().ok()).map_or(1, usize::from)
}

/// How a result is printed.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

/// The one run that a command is about.
#[derive(Args)]
pub(super) struct Subject {
    /// The scenario [default: the one that the plan names]; `highwater scenarios` lists them
    #[arg(value_parser = scenario, required_unless_present = "plan")]
    scenario: Option<Scenario>,
    /// The seed: of the workload, and of the plan unless one is given [default: the one that the plan names, or 0]
    #[arg(long, value_name = "N", required_unless_present = "plan")]
    seed: Option<u64>,
    /// The faults, instead of those that the seed draws
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    #[command(flatten)]
    pub(super) faults: Faults,
}

impl Subject {
    /// What to run; the plan is read.
    pub(super) fn read(self) -> Result<(Scenario, RunOptions), Failure> {
        let Some(path) = &self.plan else {
            let scenario = self.scenario.expect("clap requires it without a plan");
            return Ok((scenario, self.faults.options(self.seed.unwrap_or(0))));
        };
        let unusable =
            |why: &dyn fmt::Display| Failure::unusable(format!("the plan {}: {why}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| unusable(&error))?;
        let file = PlanFile::read(&text).map_err(|error| unusable(&error))?;
        let scenario = match (self.scenario, file.scenario) {
            (Some(scenario), _) => scenario,
            (None, Some(name)) => scenario(&name).map_err(|why| unusable(&why))?,
            (None, None) => return Err(unusable(&"it names no scenario; name one on the command line")),
        };
        let mut options = self.faults.options(self.seed.or(file.seed).unwrap_or(0));
        options.plan = Some(file.plan);
        Ok((scenario, options))
    }
}

/// What may go wrong in a run.
#[derive(Args, Clone)]
pub(super) struct Faults {
    /// The kinds of faults that may be drawn; `highwater faults` lists them [default: all but lying-disk]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    faults: Vec<FaultKind>,
    /// Breaks a promise of the disk or the network, to see the judges at work, such as file-sync-does-nothing
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    sabotage: Vec<Sabotage>,
}

impl Faults {
    /// The options of the run of `seed`.
    pub(super) fn options(&self, seed: u64) -> RunOptions {
        let mut options = RunOptions::seeded(seed);
        if !self.faults.is_empty() {
            options.faults.clone_from(&self.faults);
        }
        options.sabotage = self.sabotage.iter().copied().collect();
        options
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = self.options(0);
        match self.faults.is_empty() {
            true => f.write_str("all")?,
            false => {
                let names: Vec<_> = options.faults.iter().map(|kind| kind.name()).collect();
                f.write_str(&names.join(","))?;
            }
        }
        for sabotage in options.sabotage {
            write!(f, ", sabotaged: {sabotage}")?;
        }
        Ok(())
    }
}
