//! Reports as JUnit XML, for CI systems: a suite for each scenario, a test case for each invariant.
//!
//! A case fails where some run broke its invariant; its text names the seeds, what the judge said, and the command that replays each.
//! What holds: the XML is a function of the report alone, so it has no time stamps.
//!
//! Left out: what held. A CI system shows what failed, and the other faces tell the rest.

use crate::{replay::replay_command, sweep::SweepSummary};
use highwater_sim::{judge::Invariant, run::RunReport};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;

/// How many failing runs a test case tells of; the others are counted.
const TOLD_MAX: usize = 20;

/// One run: its scenario is the suite.
pub fn render_run(report: &RunReport) -> String {
    let mut suite = TestSuite::new(&report.scenario);
    for verdict in &report.verdicts {
        let replay = replay_command(report);
        let broken: Vec<String> =
            verdict.violations.iter().map(|violation| format!("seed {}: {violation}", report.seed)).collect();
        let text = format!("{}\nreplay: {replay}\n", broken.join("\n"));
        let message = format!("broken by seed {}", report.seed);
        let status = if broken.is_empty() { TestCaseStatus::success() } else { failed(&message, &text) };
        suite.add_test_case(case(&report.scenario, verdict.invariant, status));
    }
    written([suite])
}

/// A sweep: every invariant of every scenario.
pub fn render_sweep(summary: &SweepSummary) -> String {
    let suites = summary.scenarios.iter().map(|(name, scenario)| {
        let mut suite = TestSuite::new(name);
        // A file may say anything.
        suite.set_time(Duration::try_from_secs_f64(scenario.wall_seconds).unwrap_or_default());
        suite.add_property(("seeds", scenario.ran.to_string().as_str()));
        for invariant in Invariant::all() {
            let failures = scenario.failures.iter().filter_map(|(seed, failure)| {
                let at = failure.broken.iter().position(|broken| *broken == titled(invariant))?;
                Some((seed, failure.violations.get(at).map_or("", String::as_str), &failure.replay))
            });
            let failures: Vec<_> = failures.collect();
            let status = match failures.len() {
                0 => TestCaseStatus::success(),
                broken => {
                    let lines = failures.iter().take(TOLD_MAX);
                    let mut text: String = lines
                        .map(|(seed, why, replay)| format!("seed {seed}: {why}\n  replay: {replay}\n"))
                        .collect();
                    if broken > TOLD_MAX {
                        text.push_str(&format!("and {} more seeds\n", broken - TOLD_MAX));
                    }
                    failed(&format!("broken in {broken} of {} runs", scenario.seeds), &text)
                }
            };
            suite.add_test_case(case(name, invariant, status));
        }
        suite
    });
    written(suites)
}

fn titled(invariant: Invariant) -> String {
    format!("{invariant} {}", invariant.name())
}

fn case(scenario: &str, invariant: Invariant, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(titled(invariant), status);
    case.set_classname(format!("highwater.{scenario}"));
    case
}

fn failed(message: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(message).set_type("broken invariant").set_description(text);
    status
}

fn written(suites: impl IntoIterator<Item = TestSuite>) -> String {
    let mut report = Report::new("highwater");
    report.add_test_suites(suites);
    report.to_string().expect("a string takes all that is written to it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_sim::judge::Verdict;

    fn report(seed: u64, broken: Option<Invariant>) -> RunReport {
        let verdict = |invariant| {
            let violations = match broken == Some(invariant) {
                true => vec!["line \"<&>\" is \u{1}gone]]>".to_owned()],
                false => Vec::new(),
            };
            Verdict { invariant, seen: String::new(), violations }
        };
        let verdicts = Invariant::all().filter(|it| *it != Invariant::NoPanic).map(verdict).collect();
        RunReport { scenario: "word-count".into(), seed, verdicts, ..RunReport::default() }
    }

    fn text_of(case: &TestCase) -> String {
        match &case.status {
            TestCaseStatus::NonSuccess { description: Some(text), .. } => text.as_str().to_owned(),
            _ => String::new(),
        }
    }

    #[test]
    fn a_sweep_has_a_case_for_each_invariant_and_the_failing_seeds_with_their_commands() {
        let mut summary = SweepSummary::default();
        for seed in 0..25 {
            summary.add(&report(seed, (seed % 2 == 1).then_some(Invariant::I4)));
        }
        let read = Report::deserialize_from_str(&render_sweep(&summary)).expect("it is JUnit");
        let suite = &read.test_suites[0];
        assert_eq!((read.tests, read.failures, suite.name.as_str()), (15, 1, "word-count"));
        let broken =
            suite.test_cases.iter().find(|case| case.name.as_str() == "I4 state once").expect("it is there");
        let text = text_of(broken);
        assert!(text.starts_with("seed 1: line \"<&>\" is gone]]>\n"), "{text}");
        assert!(text.contains("replay: highwater replay word-count --seed 23 "), "{text}");
    }

    #[test]
    fn a_run_has_a_case_for_each_judge() {
        let read =
            Report::deserialize_from_str(&render_run(&report(7, Some(Invariant::I1)))).expect("it is JUnit");
        assert_eq!((read.tests, read.failures), (14, 1));
        let text = text_of(&read.test_suites[0].test_cases[0]);
        assert!(text.contains("replay: highwater replay word-count --seed 7"), "{text}");
        let held = Report::deserialize_from_str(&render_run(&report(7, None))).expect("it is JUnit");
        assert_eq!(held.failures, 0);
    }

    #[test]
    fn many_failures_are_counted() {
        let mut summary = SweepSummary::default();
        (0..23).for_each(|seed| summary.add(&report(seed, Some(Invariant::I1))));
        let read = Report::deserialize_from_str(&render_sweep(&summary)).expect("it is JUnit");
        assert!(text_of(&read.test_suites[0].test_cases[0]).trim_end().ends_with("and 3 more seeds"));
    }
}
