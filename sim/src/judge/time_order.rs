//! I12: batch times strictly increase and lie on the grid, whatever the wall clock does.
//!
//! Verified: the batches of the tap's file come in strictly increasing order; within each life's emissions they do, too; the
//! distance of any two is a multiple of the interval. Not verified: that no time is missing; that is I5's.

use super::{Case, Findings};

pub(super) fn judge(case: &Case<'_>) -> Findings {
    let evidence = case.evidence;
    let mut violations = Vec::new();
    let batches = evidence.batches();
    let interval_ms = case.scenario.options.batch_interval.millis();
    let mut check = |what: String, times: &[highwater_core::BatchTime]| {
        for pair in times.windows(2) {
            if pair[1] <= pair[0] {
                violations.push(format!("{what}: batch {} after {}", pair[1], pair[0]));
            } else if !(pair[1].0 - pair[0].0).is_multiple_of(interval_ms) {
                violations.push(format!("{what}: batch {} is not on the grid of {}", pair[1], pair[0]));
            }
        }
    };
    check("in the output file".into(), &batches.iter().map(|batch| batch.time).collect::<Vec<_>>());
    for life in &evidence.lives {
        let own = evidence.emissions.iter().filter(|emission| emission.tap && emission.life == life.life);
        let times: Vec<_> = own.filter_map(|emission| emission.time).collect();
        check(format!("in life {}", life.life), &times);
    }
    Findings { seen: format!("{} batch times", batches.len()), violations }
}
