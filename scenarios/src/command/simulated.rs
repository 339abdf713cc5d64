//! What the commands that simulate have in common: naming a scenario, and which faults may happen.

use clap::Args;
use highwater_scenarios::catalogue;
use highwater_sim::{fault::FaultKind, run::RunOptions, sabotage::Sabotage, scenario::Scenario};
use std::fmt;

/// The scenario of a name, for clap.
pub(super) fn scenario(name: &str) -> Result<Scenario, String> {
    catalogue::find(name).ok_or_else(|| {
        let names: Vec<_> = catalogue::scenarios().into_iter().map(|scenario| scenario.name).collect();
        format!("there are: {}", names.join(", "))
    })
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
        let names: Vec<_> = options.faults.iter().map(|kind| kind.name()).collect();
        f.write_str(&names.join(","))?;
        for sabotage in options.sabotage {
            write!(f, ", sabotaged: {sabotage}")?;
        }
        Ok(())
    }
}
