//! `highwater replay`: one run again, with its whole story.

use super::{
    Failure,
    faces::{self, Face},
    files::Unwritten,
    simulated::Subject,
    tell,
};
use clap::Args;
use highwater_sim::{run::run, sweep::check};
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Examples:
  highwater replay word-count --seed 7
  highwater replay running-total --seed 7 --check
  highwater replay running-total --seed 7 --format html > run.html
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
    #[arg(long, value_enum, default_value_t = Face::Text)]
    format: Face,
    /// Also writes it there, as SCENARIO-SEED.txt, .json and .html
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Replay {
    pub(super) fn main(self) -> Result<(), Failure> {
        let plan_file = self.subject.plan.as_ref().map(|path| path.display().to_string());
        let (scenario, mut options) = self.subject.read()?;
        options.trace = self.trace;
        options.detail = self.format != Face::Text || self.out.is_some();
        let mut run = run(&scenario, &options);
        run.report.plan_file = plan_file;
        let mut out = String::new();
        for entry in &run.trace {
            let line = format!("{} life {} {}", entry.at, entry.life, entry.text);
            // Every other face is one document.
            match self.format {
                Face::Text => out.extend([&line, "\n"]),
                Face::Json | Face::Html | Face::Junit => tell(line),
            }
        }
        out.push_str(&self.format.of_run(&run.report));
        self.format.print(&out)?;
        let mut unwritten = Unwritten::default();
        if let Some(directory) = &self.out {
            unwritten.note(faces::write_run(directory, &run.report));
        }
        if self.check {
            match check(&scenario, &options) {
                Ok(()) => tell("run twice: no difference"),
                Err(difference) => return unwritten.end(Err(Failure::failed(difference))),
            }
        }
        unwritten.end(match run.report.held() {
            true => Ok(()),
            false => Err(Failure::failed("an invariant was broken")),
        })
    }
}
