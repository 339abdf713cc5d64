//! What stands in a sweep's page, from runs that are made up here.

use super::render;
use crate::sweep::SweepSummary;
use highwater_sim::{
    fault::FaultKind,
    judge::{Invariant, Verdict},
    run::{Restart, RunReport},
    world::VirtualTime,
};

fn summary() -> SweepSummary {
    let mut summary = SweepSummary::default();
    for seed in 0..6 {
        let violations = if seed == 4 { vec!["line <b>9</b> is lost".to_owned()] } else { Vec::new() };
        summary.add(&RunReport {
            scenario: "word-count".to_owned(),
            seed,
            took: VirtualTime::from_millis(1000 + seed),
            price: vec![Restart {
                after: FaultKind::Crash,
                duplicates: seed % 2,
                records_replayed: 10 * seed,
                recovery_ms: Some(700),
                checkpoint_lag_ms: 30,
            }],
            verdicts: vec![Verdict { invariant: Invariant::I1, seen: String::new(), violations }],
            ..RunReport::default()
        });
    }
    summary
}

#[test]
fn failures_stand_first_with_their_command_and_runs_that_have_pages_are_links() {
    let page = render(&summary(), &|scenario, seed| (seed != 5).then(|| format!("{scenario}-{seed}.html")));
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} in {page}"));
    assert!(place("id=\"failures\"") < place("id=\"scenarios\""));
    assert!(page.contains("<a href=\"word-count-4.html\">word-count 4</a>"), "{page}");
    assert!(page.contains("highwater replay word-count --seed 4"), "{page}");
    assert!(page.contains("word-count 5: 1005 ms") && !page.contains("word-count-5.html"), "{page}");
    assert!(page.contains("line &lt;b&gt;9&lt;/b&gt; is lost") && !page.contains("<script"), "{page}");
}

#[test]
fn a_sweep_that_held_has_no_failures_and_says_so() {
    let page = render(&SweepSummary::default(), &|_, _| None);
    assert!(page.contains("held") && !page.contains("id=\"failures\""), "{page}");
}
