//! `highwater faults`: the fault model, a line a kind.

use super::Failure;
use clap::Args;
use highwater_sim::fault::FaultKind;
use std::io::Write;

const AFTER_HELP: &str = "\
Classes:
  tolerated          all invariants hold, and the driver goes on
  detectable         all invariants hold, or the driver stops with an error that names file and offset
  beyond any engine  not in the default sweep: shows the judges at work

Example:
  highwater sweep --faults power-loss,failed-sync";

/// Lists the kinds of faults, with their classes: `sweep`, `replay` and `shrink` take their names with --faults
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Faults;

impl Faults {
    pub(super) fn main(self) -> Result<(), Failure> {
        let mut table = String::new();
        let width = FaultKind::ALL.iter().map(|kind| kind.name().len()).max().unwrap_or(0);
        for kind in FaultKind::ALL {
            let (name, class) = (kind.name(), kind.class().to_string());
            table.push_str(&format!("{name:width$}  {class:17}  {}\n", kind.about()));
        }
        std::io::stdout().write_all(table.as_bytes()).map_err(Failure::failed)
    }
}
