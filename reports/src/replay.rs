//! The command that lives through a run again.
//!
//! It names what made the run: the scenario, the seed, and every option that is not the default. Where nobody has told the report from
//! which file a plan came, `FILE` stands for it.

use highwater_sim::{fault::FaultKind, run::RunReport};
use std::{borrow::Cow, fmt::Write};

/// The command that replays a run.
pub fn replay_command(report: &RunReport) -> String {
    let scenario = shell_word(report.scenario_argument());
    let mut command = format!("highwater replay {scenario} --seed {}", report.seed);
    let mut option = |name: &str, value: &str| {
        write!(command, " --{name} {value}").expect("a string takes all that is written to it");
    };
    if report.plan_given {
        option("plan", &report.plan_file.as_deref().map_or("FILE".into(), shell_word));
    } else if is_restricted(report) {
        option("faults", &fault_list(report));
    }
    if !report.sabotage.is_empty() {
        option("sabotage", &report.sabotage.join(","));
    }
    command
}

/// A word as a shell reads it: quoted if there is anything in it that could mean something else.
pub(crate) fn shell_word(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=@%+".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => Cow::Borrowed(word),
        false => Cow::Owned(format!("'{}'", word.replace('\'', "'\\''"))),
    }
}

/// Whether some class of faults could not be drawn.
pub(crate) fn is_restricted(report: &RunReport) -> bool {
    FaultKind::swept().iter().any(|kind| !report.faults.iter().any(|name| name == kind.name()))
}

/// The classes that could be drawn, as the option takes them.
pub(crate) fn fault_list(report: &RunReport) -> String {
    match report.faults.is_empty() {
        true => "none".to_owned(),
        false => report.faults.join(","),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(kinds: &[FaultKind]) -> RunReport {
        RunReport {
            scenario: "word-count".to_owned(),
            seed: 7,
            plan_given: false,
            lines: None,
            faults: kinds.iter().map(|kind| kind.name().to_owned()).collect(),
            ..RunReport::default()
        }
    }

    #[test]
    fn a_command_names_the_options_that_are_not_the_default() {
        let mut report = report(&FaultKind::swept());
        assert_eq!(replay_command(&report), "highwater replay word-count --seed 7");
        report.faults.truncate(2);
        let restricted = "highwater replay word-count --seed 7 --faults crash,power-loss";
        assert_eq!(replay_command(&report), restricted);
        report.sabotage = vec!["file-sync-does-nothing".to_owned(), "locks-do-not-exclude".to_owned()];
        let sabotaged = format!("{restricted} --sabotage file-sync-does-nothing,locks-do-not-exclude");
        assert_eq!(replay_command(&report), sabotaged);
    }

    #[test]
    fn a_given_plan_needs_no_classes_of_faults() {
        let report = RunReport { plan_given: true, ..report(&[FaultKind::Crash]) };
        assert_eq!(replay_command(&report), "highwater replay word-count --seed 7 --plan FILE");
        let from = |file: &str| RunReport { plan_file: Some(file.to_owned()), ..report.clone() };
        let named = "highwater replay word-count --seed 7 --plan plans/1.toml";
        assert_eq!(replay_command(&from("plans/1.toml")), named);
        let quoted = r"highwater replay word-count --seed 7 --plan 'my plan'\''s.toml'";
        assert_eq!(replay_command(&from("my plan's.toml")), quoted);
    }
}
