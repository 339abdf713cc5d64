//! The scenarios that the stories are told about: those of the catalogue.

use highwater_scenarios::catalogue::find;
use highwater_sim::{scenario::Scenario, source::Mode};

/// The words of each batch.
pub fn word_count(mode: Mode) -> Scenario {
    scenario("word-count", mode)
}

/// The words of all batches so far.
pub fn running_total(mode: Mode) -> Scenario {
    scenario("running-total", mode)
}

fn scenario(name: &str, mode: Mode) -> Scenario {
    let name = match mode {
        Mode::Resume => name.to_owned(),
        Mode::Tcp => format!("{name}-tcp"),
    };
    find(&name).expect("it is in the catalogue")
}
