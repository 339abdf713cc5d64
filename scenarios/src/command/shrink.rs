//! `highwater shrink`: from a failing seed to the plan that a regression test keeps.

use super::{
    Failure,
    files::{self, Unwritten},
    interrupt::Interrupt,
    interval,
    simulated::{Format, Subject},
    tell,
};
use clap::Args;
use highwater_core::Interval;
use highwater_reports::shrink::{case, render, render_json};
use highwater_sim::shrink::{RUNS_MAX, shrink};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

const AFTER_HELP: &str = "\
Examples:
  highwater shrink word-count --seed 7
  highwater shrink running-total --seed 7 --faults crash,power-loss --time 5m
  highwater shrink --plan highwater-reports/word-count-7.toml --out smaller.toml

The case it writes is read by `highwater replay --plan`; once it holds, scenarios/regressions/ keeps it.

Exit status: 0 the run holds, so there is nothing to shrink; 1 an invariant is broken, and the smaller case is written; 2 wrong \
usage.";

/// Makes a failing run small: the fewest and simplest faults, and the shortest input, that break the same invariant
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Shrink {
    #[command(flatten)]
    subject: Subject,
    /// Stops looking for something simpler after so long
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = interval::parse)]
    time: Interval,
    /// Where the case goes [default: highwater-reports/SCENARIO-SEED.toml]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replaces the file if it is there
    #[arg(long)]
    force: bool,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Shrink {
    pub(super) fn main(self) -> Result<(), Failure> {
        let faults = self.subject.faults.to_string();
        let (scenario, options) = self.subject.read()?;
        let default =
            || Path::new("highwater-reports").join(format!("{}-{}.toml", scenario.name, options.seed));
        let out = self.out.unwrap_or_else(default);
        if out.exists() && !self.force {
            return Err(Failure::unusable(format!(
                "cannot write {}: it is there already, and stays without --force; choose another file with --out",
                out.display()
            )));
        }
        let plan = match &options.plan {
            Some(_) => "the given plan".to_owned(),
            None => format!("faults {faults}"),
        };
        tell(format_args!("shrinking {}, seed {}, {plan}, for {}", scenario.name, options.seed, self.time));

        let interrupt = Interrupt::listen()?;
        let deadline = Instant::now() + Duration::from_millis(self.time.millis());
        let progress = progress();
        let shrunk = shrink(&scenario, &options, &mut |simplest| {
            let lines = simplest.lines.map_or_else(String::new, |lines| format!(", {lines} lines"));
            progress.set_message(format!("{} faults{lines}", simplest.faults.len()));
            progress.inc(1);
            Instant::now() < deadline && !interrupt.asked()
        });
        progress.finish_and_clear();

        let mut stdout = std::io::stdout();
        let Some(shrunk) = shrunk else {
            let printed = match self.format {
                Format::Text => writeln!(stdout, "all invariants held: nothing to shrink"),
                Format::Json => writeln!(stdout, "null"),
            };
            return printed.map_err(Failure::unprinted);
        };
        let plan = case(&shrunk).write().map_err(Failure::failed)?;
        let mut unwritten = Unwritten::default();
        let written = unwritten.note(files::replace(&out, &plan));
        let file = written.map(|()| out.display().to_string());
        let text = match self.format {
            Format::Text => render(&shrunk, &plan, file.as_deref()),
            Format::Json => render_json(&shrunk, &plan, file.as_deref()) + "\n",
        };
        stdout.write_all(text.as_bytes()).map_err(Failure::unprinted)?;
        unwritten.end(Err(Failure::failed("an invariant was broken")))
    }
}

/// A line that counts where there is a terminal, nothing otherwise.
fn progress() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {pos} runs in {elapsed}, at most {len}; {msg}");
    ProgressBar::new(RUNS_MAX).with_style(style.expect("the template is right"))
}
