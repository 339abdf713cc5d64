//! `highwater scenarios` and `highwater faults`: what there is, a line each.

use super::{Failure, simulated::Format};
use clap::Args;
use highwater_scenarios::{catalogue, pipelines::Pipeline};
use highwater_sim::{fault::FaultKind, source::Mode};
use serde::Serialize;
use std::io::Write;

const OF_SCENARIOS: &str = "\
`run` takes those that are named as their pipeline. A file of one's own combines a pipeline with a workload, faults and bounds, and \
stands where a scenario's name does: docs/scenario-files.md tells how.

Examples:
  highwater scenarios
  highwater scenarios --format json
  highwater sweep running-total sessions-tcp";

/// Lists the scenarios, a line each
#[derive(Args)]
#[command(after_help = OF_SCENARIOS)]
pub(super) struct Scenarios {
    /// How the list is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const OF_FAULTS: &str = "\
Classes:
  tolerated          all invariants hold, and the driver goes on
  detectable         all invariants hold, or the driver stops with an error that names file and offset
  beyond any engine  not in the default sweep: shows the judges at work

Examples:
  highwater faults
  highwater sweep --faults power-loss,failed-sync";

/// Lists the kinds of faults, with their classes: `sweep`, `replay` and `shrink` take their names with --faults
#[derive(Args)]
#[command(after_help = OF_FAULTS)]
pub(super) struct Faults {
    /// How the list is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Serialize)]
struct ListedScenario {
    name: String,
    source: &'static str,
    /// Whether `highwater run` takes the name.
    runs: bool,
    about: String,
}

#[derive(Serialize)]
struct ListedFault {
    name: &'static str,
    family: String,
    class: String,
    about: &'static str,
}

impl Scenarios {
    pub(super) fn main(self) -> Result<(), Failure> {
        let listed = catalogue::scenarios().into_iter().map(|scenario| ListedScenario {
            source: match scenario.mode {
                Mode::Resume => "resume",
                Mode::Tcp => "tcp",
            },
            runs: Pipeline::find(&scenario.name).is_some(),
            name: scenario.name,
            about: scenario.about,
        });
        let listed: Vec<_> = listed.collect();
        let width = listed.iter().map(|scenario| scenario.name.len()).max().unwrap_or(0);
        tell(self.format, &listed, |scenario| format!("{:width$}  {}", scenario.name, scenario.about))
    }
}

impl Faults {
    pub(super) fn main(self) -> Result<(), Failure> {
        let listed = FaultKind::ALL.iter().map(|kind| ListedFault {
            name: kind.name(),
            family: format!("{:?}", kind.family()).to_lowercase(),
            class: kind.class().to_string(),
            about: kind.about(),
        });
        let listed: Vec<_> = listed.collect();
        let width = listed.iter().map(|fault| fault.name.len()).max().unwrap_or(0);
        tell(self.format, &listed, |fault| {
            format!("{:width$}  {:17}  {}", fault.name, fault.class, fault.about)
        })
    }
}

fn tell<T: Serialize>(format: Format, listed: &[T], line: impl Fn(&T) -> String) -> Result<(), Failure> {
    let text = match format {
        Format::Text => listed.iter().map(|one| line(one) + "\n").collect(),
        Format::Json => serde_json::to_string_pretty(listed).map_err(Failure::failed)? + "\n",
    };
    std::io::stdout().write_all(text.as_bytes()).map_err(Failure::failed)
}
