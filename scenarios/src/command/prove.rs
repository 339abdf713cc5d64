//! `highwater prove`: each durable step of the engine, sabotaged in turn.

use super::{
    Failure,
    interrupt::Interrupt,
    simulated::{self, Format},
    tell,
};
use clap::Args;
use highwater_reports::prove::{Proved, render};
use highwater_sim::{
    prove::{Steps, find_steps, never_made, prove},
    sabotage::Sabotage,
    scenario::Scenario,
};
use indicatif::{ProgressBar, ProgressStyle};
use std::{collections::BTreeSet, io::Write, num::NonZeroU64, time::Instant};

const AFTER_HELP: &str = "\
The steps are those that the driver makes in runs of the scenarios: each sync, append, truncate and removal at each place; each creation \
that must find no file; each ordering of a sync and a step that waits for it; each check of a checksum, a length, a claim, a completion. \
Each is taken away alone, at the seam, seed by seed in all scenarios, until a judge objects to a run that is right without the sabotage.

A step to which nobody objects is not needed, and costs time; or it is not tested, and a fault or a judge is missing.

Examples:
  highwater prove
  highwater prove running-total sessions --seeds 100
  highwater prove --step skip:sync:journal,late:sync:checkpoint:rename:checkpoint
  highwater prove --format json

Exit status: 0 each sabotage was caught; 1 one was not; 2 wrong usage.";

/// Takes away each durable step of the engine in turn, and demands that a judge objects
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Prove {
    /// The scenarios [default: all]; `highwater scenarios` lists them
    #[arg(value_name = "SCENARIO", value_parser = simulated::scenario)]
    scenarios: Vec<Scenario>,
    /// At most so many seeds of each scenario for a step
    #[arg(long, value_name = "N", default_value = "1000")]
    seeds: NonZeroU64,
    /// How many steps at once [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = simulated::jobs_parser())]
    jobs: Option<usize>,
    /// Only these steps, by the names of their sabotages [default: all that runs make]
    #[arg(long = "step", value_name = "LIST", value_delimiter = ',', value_parser = step)]
    steps: Vec<Sabotage>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// A sabotage of one step, for clap.
fn step(name: &str) -> Result<Sabotage, String> {
    let sabotage: Sabotage = name.parse().map_err(|error| format!("{error}"))?;
    match Sabotage::ALL.contains(&sabotage) {
        true => Err(format!(
            "`{sabotage}` breaks a promise everywhere, and is no step: `sweep --sabotage` takes it"
        )),
        false => Ok(sabotage),
    }
}

impl Prove {
    pub(super) fn main(self) -> Result<(), Failure> {
        let scenarios = simulated::named_or_all(self.scenarios)?;
        let jobs = simulated::jobs(self.jobs);
        let interrupt = Interrupt::listen()?;
        let started = Instant::now();
        let keep_going = || !interrupt.asked();
        let found = match self.steps.is_empty() {
            true => {
                tell(format_args!("looking for the steps that {} scenarios make", scenarios.len()));
                find_steps(&scenarios, jobs, keep_going)
            }
            false => {
                let mut named = BTreeSet::new();
                let steps = self.steps.into_iter().filter(|step| named.insert(*step)).collect();
                made(&scenarios, steps, jobs, keep_going)?
            }
        };
        let is_unknown = found.is_none();
        let Steps { steps, unordered, unconditional } = found.unwrap_or_default();
        tell(format_args!(
            "proving {} steps, {} scenarios, seeds 0..{}, jobs {jobs}",
            steps.len(),
            scenarios.len(),
            self.seeds
        ));
        let progress = progress(steps.len());
        let names = scenarios.iter().map(|scenario| scenario.name.clone()).collect();
        let mut proved = Proved {
            seeds_max: self.seeds.get(),
            scenarios: names,
            steps: steps.len(),
            unordered,
            unconditional,
            ..Proved::default()
        };
        let mut missed = 0;
        prove(&scenarios, &steps, self.seeds.get(), jobs, keep_going, |proof| {
            missed += u64::from(proof.caught.is_none());
            progress.inc(1);
            progress.set_message(format!("{missed} that nobody caught; {}", proof.step));
            proved.proofs.push(proof);
        });
        progress.finish_and_clear();
        proved.cut_short = is_unknown || proved.proofs.len() < steps.len();
        if proved.cut_short {
            tell(format_args!("cut short by Ctrl-C: {} of {} steps", proved.proofs.len(), steps.len()));
        }
        tell(format_args!("proved in {:.1} s", started.elapsed().as_secs_f64()));
        let text = match self.format {
            Format::Text => render(&proved),
            Format::Json => serde_json::to_string_pretty(&proved).map_err(Failure::failed)? + "\n",
        };
        std::io::stdout().write_all(text.as_bytes()).map_err(Failure::unprinted)?;
        match () {
            () if !proved.all_caught() => Err(Failure::failed("nobody objected to the sabotage of a step")),
            () if proved.cut_short && proved.proofs.is_empty() => {
                Err(Failure::failed("no step was proved: nothing is known"))
            }
            () => Ok(()),
        }
    }
}

/// The steps that were named, if runs make them: nobody could object to the sabotage of one that none makes. `None` if that was not to be
/// found out to the end.
fn made(
    scenarios: &[Scenario],
    steps: Vec<Sabotage>,
    jobs: usize,
    keep_going: impl Fn() -> bool + Sync,
) -> Result<Option<Steps>, Failure> {
    let Some(never) = never_made(scenarios, &steps, jobs, keep_going) else { return Ok(None) };
    if never.is_empty() {
        return Ok(Some(Steps { steps, ..Steps::default() }));
    }
    let list = |names: Vec<String>| names.join(", ");
    Err(Failure::unusable(format!(
        "no run of {} makes {}: name other scenarios, or none for all of them",
        list(scenarios.iter().map(|scenario| scenario.argument().to_owned()).collect()),
        list(never.iter().map(ToString::to_string).collect())
    )))
}

/// A bar where there is a terminal, nothing otherwise.
fn progress(steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} steps, {elapsed}, eta {eta}; {msg}");
    ProgressBar::new(steps as u64).with_style(style.expect("the template is right"))
}
