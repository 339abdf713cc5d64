//! The planted bugs as `docs/proof.md` lists them: by part of the engine, each with the system whose bug it repeats, where its header
//! names one, and with what became of it by the baseline.

use super::{
    baseline::{Baseline, Fate},
    patch::{Mutant, PARTS},
};
use std::fmt::Write;

/// The systems and papers that headers name where they name no bug by its number.
const SYSTEMS: [&str; 16] = [
    "etcd ab0ccdc4d",
    "etcd bd7107bd4",
    "PostgreSQL",
    "LevelDB",
    "NATS JetStream",
    "bytewax",
    "Kafka",
    "Spark",
    "Flink",
    "HBase",
    "HDFS",
    "Hadoop",
    "Raft",
    "ZFS",
    "ALICE",
    "Kleppmann",
];

/// The list, in Markdown.
pub fn listing(mutants: &[Mutant], baseline: &Baseline) -> String {
    let mut text = String::from("| planted bug | of | objects | at seed |\n|---|---|---|---|\n");
    for part in PARTS {
        writeln!(text, "| **{part}** | | | |").expect("a string takes what it is given");
        for mutant in mutants.iter().filter(|mutant| mutant.header.part == part) {
            let (objects, seed) = match baseline.0.get(&mutant.name) {
                Some(Fate::Killed(kill)) => {
                    (kill.invariant.clone(), format!("{} of `{}`", kill.seed, kill.scenario))
                }
                fate => (fate.unwrap_or(&Fate::Untried).to_string(), String::new()),
            };
            let of = origin(&mutant.header.repeats);
            writeln!(text, "| `{}` | {of} | {objects} | {seed} |", mutant.name).expect("as above");
        }
    }
    text
}

/// Whose bug it is: the numbers of bugs in a header's text, else the systems in it.
fn origin(repeats: &str) -> String {
    let words = repeats.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let mut found: Vec<&str> = words.filter(|word| is_bug_number(word)).collect();
    if found.is_empty() {
        found.extend(SYSTEMS.iter().filter(|system| repeats.contains(**system)));
    }
    found.dedup();
    found.join(", ")
}

/// Such as `SPARK-6222`.
fn is_bug_number(word: &str) -> bool {
    word.split_once('-').is_some_and(|(project, number)| {
        project.len() > 2
            && project.bytes().all(|byte| byte.is_ascii_uppercase())
            && number.len() > 2
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_is_told_by_its_number_and_else_by_its_system() {
        assert_eq!(
            origin("Spark lost it (SPARK-6222), and so did others: KAFKA-7192."),
            "SPARK-6222, KAFKA-7192"
        );
        assert_eq!(origin("As in etcd ab0ccdc4d, and before Raft's epochs."), "etcd ab0ccdc4d, Raft");
        assert_eq!(origin("UTF-8 is no bug, and a write-ahead log neither."), "");
    }
}
