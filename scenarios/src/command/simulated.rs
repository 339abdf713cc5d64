//! What the commands that simulate have in common: naming scenarios, which faults may happen, on how many cores, and how it is told.

use super::Failure;
use clap::{Args, ValueEnum, builder::RangedU64ValueParser};
use highwater_scenarios::{bounded, catalogue, scenario_file};
use highwater_sim::{
    fault::{FaultKind, PlanFile},
    run::RunOptions,
    sabotage::Sabotage,
    scenario::Scenario,
};
use std::{
    collections::BTreeMap,
    fmt,
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

/// Those that were named, each once, or all.
///
/// # Errors
/// If two of them are not the same and have one name, which stands for one in all that is told.
pub(super) fn named_or_all(named: Vec<Scenario>) -> Result<Vec<Scenario>, Failure> {
    if named.is_empty() {
        return Ok(catalogue::scenarios());
    }
    let mut by_name: BTreeMap<String, String> = BTreeMap::new();
    let mut once = Vec::new();
    for scenario in named {
        match by_name.get(&scenario.name) {
            None => {
                by_name.insert(scenario.name.clone(), scenario.argument().to_owned());
                once.push(scenario);
            }
            Some(other) if other == scenario.argument() => {}
            Some(other) => {
                return Err(Failure::unusable(format!(
                    "{other} and {} are both named `{}`: give one of them another name with `name`",
                    scenario.argument(),
                    scenario.name
                )));
            }
        }
    }
    Ok(once)
}

/// More threads than this are a mistake: each costs memory, and no machine has so many cores.
const JOBS_MAX: u64 = 1024;

/// How many runs at once, for clap.
pub(super) fn jobs_parser() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=JOBS_MAX)
}

/// How many threads to use: as many as were asked for, or the number of cores.
pub(super) fn jobs(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| available_parallelism().map_or(1, NonZeroUsize::get))
}

/// The last seed: a plan file, which is TOML, can hold no greater number.
pub(super) const SEED_MAX: u64 = i64::MAX as u64;

/// A seed, for clap.
pub(super) fn seed_parser() -> RangedU64ValueParser<u64> {
    RangedU64ValueParser::new().range(..=SEED_MAX)
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
    #[arg(long, value_name = "N", required_unless_present = "plan", value_parser = seed_parser())]
    seed: Option<u64>,
    /// The faults, instead of those that the seed draws
    #[arg(long, value_name = "FILE", conflicts_with = "faults")]
    pub(super) plan: Option<PathBuf>,
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
        let text = bounded::read(path, bounded::WRITTEN_BY_HAND_MAX).map_err(|error| unusable(&error))?;
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
