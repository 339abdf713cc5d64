//! `highwater prove`: each durable step of the engine, sabotaged in turn.

use super::{
    Failure,
    interrupt::Interrupt,
    simulated::{self, Format},
};
use clap::Args;
use highwater_reports::prove::{Proved, render};
use highwater_sim::{
    prove::{Steps, find_steps, prove},
    sabotage::Sabotage,
    scenario::Scenario,
};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::Write,
    num::{NonZeroU64, NonZeroUsize},
    ops::ControlFlow,
    time::Instant,
};

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
    #[arg(long, value_name = "N", default_value = "300")]
    seeds: NonZeroU64,
    /// How many steps at once [default: the number of cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Only these steps, by the names of their sabotages [default: all that runs make]
    #[arg(long = "step", value_name = "LIST", value_delimiter = ',')]
    steps: Vec<Sabotage>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Prove {
    pub(super) fn main(self) -> Result<(), Failure> {
        let scenarios = simulated::named_or_all(self.scenarios);
        let jobs = simulated::jobs(self.jobs);
        let interrupt = Interrupt::listen()?;
        let started = Instant::now();
        let Steps { steps, unordered, unconditional } = match self.steps.is_empty() {
            true => find_steps(&scenarios, jobs),
            false => Steps { steps: self.steps, ..Steps::default() },
        };
        eprintln!(
            "proving {} steps, {} scenarios, seeds 0..{}, jobs {jobs}",
            steps.len(),
            scenarios.len(),
            self.seeds
        );
        let progress = progress(steps.len());
        let names = scenarios.iter().map(|scenario| scenario.name.clone()).collect();
        let mut proved = Proved {
            seeds_max: self.seeds.get(),
            scenarios: names,
            unordered,
            unconditional,
            ..Proved::default()
        };
        prove(&scenarios, &steps, self.seeds.get(), jobs, |proof| {
            progress.inc(1);
            progress.set_message(proof.step.to_string());
            proved.proofs.push(proof);
            match interrupt.asked() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        progress.finish_and_clear();
        if proved.proofs.len() < steps.len() {
            eprintln!(
                "cut short by Ctrl-C: {} of {} steps, the first ones",
                proved.proofs.len(),
                steps.len()
            );
        }
        eprintln!("proved in {:.1} s", started.elapsed().as_secs_f64());
        let text = match self.format {
            Format::Text => render(&proved),
            Format::Json => serde_json::to_string_pretty(&proved).map_err(Failure::failed)? + "\n",
        };
        std::io::stdout().write_all(text.as_bytes()).map_err(Failure::failed)?;
        match proved.all_caught() {
            true => Ok(()),
            false => Err(Failure::failed("nobody objected to the sabotage of a step")),
        }
    }
}

/// A bar where there is a terminal, nothing otherwise.
fn progress(steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} steps, {elapsed}; {msg}");
    ProgressBar::new(steps as u64).with_style(style.expect("the template is right"))
}
