//! A checkpoint directory belongs to one program: another one is refused, whatever it would have made of it, and the right one goes on.

use highwater_scenarios::catalogue::scenarios;
use highwater_sim::{
    fault::{Crash, Fault, OtherProgram, Plan, Trigger},
    run::{Happening, RunOptions, run},
    world::Life,
};

/// The errors of the lives, in each scenario, where life 1 crashes at a time and life 2 is of another program.
fn errors(at_ms: u64) -> Vec<Vec<String>> {
    let trigger = Trigger::Time { at_ms };
    let crash = Fault::Crash(Crash { restart_after_ms: 100, trigger, power_loss: None });
    let other = Fault::OtherProgram(OtherProgram { life: Life(2) });
    let errors = |scenario| {
        let plan = Some(Plan::of(vec![crash.clone(), other.clone()]));
        let report = run(&scenario, &RunOptions { plan, ..RunOptions::seeded(1) }).report;
        assert!(report.held(), "{}", highwater_reports::text::render(&report));
        let failed = report.timeline.into_iter().filter_map(|entry| match entry.happening {
            Happening::LifeFailed { error } => Some(format!("life {}: {error}", entry.life)),
            _ => None,
        });
        failed.collect()
    };
    scenarios().into_iter().map(errors).collect()
}

#[test]
fn another_program_is_refused_and_the_right_one_goes_on() {
    for errors in errors(3_000) {
        let [error] = &errors[..] else { panic!("{errors:?}") };
        assert!(error.starts_with("life 2: "), "{error}");
        // The first one behind the source, or behind what turns its records into lines.
        assert!(error.contains("(Output) where") && error.contains("(Filter)"), "{error}");
    }
}

#[test]
fn where_there_is_no_checkpoint_no_program_is_another_one() {
    for errors in errors(0) {
        assert_eq!(errors, Vec::<String>::new());
    }
}
