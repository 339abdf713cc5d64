//! `highwater replay`: one run again, with its whole story.

use super::{Failure, simulated::Faults};
use clap::{Args, ValueEnum};
use highwater_reports::text;
use highwater_sim::{fault::Plan, run::run, scenario::Scenario, sweep::check};
use std::{fs, io::Write, path::PathBuf};

const AFTER_HELP: &str = "\
Examples:
  highwater replay word-count --seed 7
  highwater replay running-total --seed 7 --check
  highwater replay word-count --seed 7 --plan plan.toml --trace

A plan file is TOML:
  [[faults]]
  kind = \"crash\"
  trigger = { on = \"disk-operation\", life = 1, number = 37, moment = \"inside\" }
  power_loss = { image_seed = 9 }
  restart_after_ms = 250

Exit status: 0 all invariants held; 1 one was broken, or two runs differed; 2 wrong usage.";

/// Runs one seed again and prints its recovery report: the same bytes every time, on every machine
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Replay {
    /// The scenario; `highwater scenarios` lists them
    #[arg(value_parser = super::simulated::scenario)]
    scenario: Scenario,
    /// The seed: of the workload, and of the plan unless one is given
    #[arg(long, value_name = "N", required_unless_present = "plan", default_value_t = 0)]
    seed: u64,
    /// The faults, instead of those that the seed draws
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    #[command(flatten)]
    faults: Faults,
    /// Also prints every operation of the disk and the network
    #[arg(long)]
    trace: bool,
    /// Runs it twice, and tells the first difference if there is one
    #[arg(long)]
    check: bool,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Replay {
    pub(super) fn main(self) -> Result<(), Failure> {
        let mut options = self.faults.options(self.seed);
        options.trace = self.trace;
        if let Some(path) = &self.plan {
            let unusable = |why: String| Failure::unusable(format!("the plan {}: {why}", path.display()));
            let plan = fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
            options.plan = Some(toml::from_str::<Plan>(&plan).map_err(|error| unusable(error.to_string()))?);
        }
        let run = run(&self.scenario, &options);
        let mut out = String::new();
        for entry in &run.trace {
            out.push_str(&format!("{} life {} {}\n", entry.at, entry.life, entry.text));
        }
        out.push_str(&match self.format {
            Format::Text => text::render(&run.report),
            Format::Json => serde_json::to_string(&run.report).map_err(Failure::failed)? + "\n",
        });
        std::io::stdout().write_all(out.as_bytes()).map_err(Failure::failed)?;
        if self.check {
            check(&self.scenario, &options).map_err(Failure::failed)?;
            eprintln!("run twice: no difference");
        }
        match run.report.held() {
            true => Ok(()),
            false => Err(Failure::failed("an invariant was broken")),
        }
    }
}
