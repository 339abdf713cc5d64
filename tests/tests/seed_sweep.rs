//! The sweep that `cargo test` makes: every scenario, every fault, a number of seeds that takes seconds. `highwater sweep` is
//! the same with more. `slides` crashes every operator in each millisecond of a batch that matters to it.

#[path = "seed_sweep/slides.rs"]
mod slides;

use highwater_reports::sweep::SweepSummary;
use highwater_scenarios::catalogue::{find, scenarios};
use highwater_sim::{
    fault::{Class, FaultKind},
    run::{RunOptions, run},
    sweep::{check, sweep},
};
use std::{ops::ControlFlow, thread::available_parallelism};

/// Seeds of each scenario, as many as `highwater sweep` takes.
const SEEDS: u64 = 200;

/// The default sweep: every invariant holds, every kind of fault fires, most planned faults do, and every step of the disk that some run
/// makes is hit by every kind that strikes such steps.
#[test]
fn the_default_sweep_holds_and_leaves_no_cell_unhit() {
    let seeds: Vec<u64> = (0..SEEDS).collect();
    let jobs = available_parallelism().map_or(1, usize::from);
    let mut summary = SweepSummary::default();
    for scenario in scenarios() {
        let mut told = Vec::new();
        sweep(&scenario, &seeds, jobs, &RunOptions::seeded(0), |run| {
            told.push(run.report.seed);
            assert!(run.report.held(), "{}", highwater_reports::text::render(&run.report));
            summary.add(&run.report);
            ControlFlow::Continue(())
        });
        assert_eq!(told, seeds, "every seed is told, in order");
    }
    let prices = summary.prices.0.iter();
    let fired: Vec<FaultKind> = prices.filter(|(_, price)| price.fired > 0).map(|(kind, _)| *kind).collect();
    assert_eq!(fired, FaultKind::swept());
    for class in [Class::Tolerated, Class::Detectable] {
        let price = summary.prices.of_class(class).expect("there are several kinds");
        assert!(price.recovery_ms.count() > 0 && price.records_replayed.max() > Some(0), "{class}: no price");
    }
    let holes = summary.coverage.holes();
    let holes: Vec<String> = holes.iter().map(|(step, kind)| format!("{kind} at {step}")).collect();
    assert!(holes.is_empty(), "never hit, and could have been: {}", holes.join("; "));
    let totals = summary.total().totals;
    assert!(3 * totals.missed < totals.planned, "{} of {} missed", totals.missed, totals.planned);
    assert!(totals.detected > 0, "no run stopped for damage");
}

#[test]
fn a_seed_gives_the_same_run_every_time() {
    for scenario in scenarios() {
        for seed in 0..5 {
            if let Err(difference) = check(&scenario, &RunOptions::seeded(seed)) {
                panic!("{} seed {seed}: {difference}", scenario.name);
            }
        }
    }
}

#[test]
fn a_seed_gives_the_same_report_whatever_else_runs() {
    let scenario = find("word-count").expect("it is in the catalogue");
    let alone = highwater_reports::text::render(&run(&scenario, &RunOptions::seeded(3)).report);
    sweep(&scenario, &[1, 2, 3, 4, 5, 6], 4, &RunOptions::seeded(0), |run| {
        if run.report.seed == 3 {
            assert_eq!(highwater_reports::text::render(&run.report), alone);
        }
        ControlFlow::Continue(())
    });
}
