//! `highwater replay`: one run again, with its whole story.

use super::{
    Failure,
    simulated::{Format, Subject},
};
use clap::Args;
use highwater_reports::text;
use highwater_sim::{run::run, sweep::check};
use std::io::Write;

const AFTER_HELP: &str = "\
Examples:
  highwater replay word-count --seed 7
  highwater replay running-total --seed 7 --check
  highwater replay word-count --seed 7 --plan plan.toml --trace
  highwater replay --plan scenarios/regressions/a-line-is-cut-twice.toml

A plan file is TOML; scenario, seed and lines may be left out, the faults as well:
  scenario = \"word-count\"
  seed = 7
  lines = 12                  # the source has only the first 12 lines of the workload

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
    #[command(flatten)]
    subject: Subject,
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

impl Replay {
    pub(super) fn main(self) -> Result<(), Failure> {
        let (scenario, mut options) = self.subject.read()?;
        options.trace = self.trace;
        let run = run(&scenario, &options);
        let mut out = String::new();
        for entry in &run.trace {
            let line = format!("{} life {} {}\n", entry.at, entry.life, entry.text);
            // JSON is one document.
            match self.format {
                Format::Text => out.push_str(&line),
                Format::Json => eprint!("{line}"),
            }
        }
        out.push_str(&match self.format {
            Format::Text => text::render(&run.report),
            Format::Json => serde_json::to_string(&run.report).map_err(Failure::failed)? + "\n",
        });
        std::io::stdout().write_all(out.as_bytes()).map_err(Failure::failed)?;
        if self.check {
            check(&scenario, &options).map_err(Failure::failed)?;
            eprintln!("run twice: no difference");
        }
        match run.report.held() {
            true => Ok(()),
            false => Err(Failure::failed("an invariant was broken")),
        }
    }
}
