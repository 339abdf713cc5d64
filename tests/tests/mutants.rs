//! The planted bugs are whole: each says what it is, fits the engine as it is, and is in the baseline. The command `mutants` runs them.

use highwater_sim::fault::FaultKind;
use highwater_tests::mutants::{
    baseline::{Baseline, Fate},
    directory,
    listing::listing,
    patch::{Mutant, PARTS, read_all},
    repository,
};
use std::collections::BTreeSet;

/// The bugs of real systems that are repeated, as the headers name them.
const SYSTEMS: [&str; 16] = [
    "SPARK-6222",
    "SPARK-11740",
    "SPARK-12122",
    "SPARK-18905",
    "SPARK-23438",
    "SPARK-23991",
    "SPARK-38033",
    "SPARK-51682",
    "FLINK-4618",
    "KAFKA-7192",
    "etcd ab0ccdc4d",
    "etcd bd7107bd4",
    "LevelDB's manifest order",
    "PostgreSQL's fsyncgate",
    "NATS JetStream's lazy sync",
    "bytewax's resume at 0",
];

fn baseline() -> Baseline {
    Baseline::read(&directory().join("baseline.toml")).unwrap_or_else(|error| panic!("{error}"))
}

fn mutants() -> Vec<Mutant> {
    read_all(&directory()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_mutant_applies_to_the_engine_as_it_is() {
    let stale: Vec<_> = mutants()
        .iter()
        .filter_map(|mutant| Some(format!("{}: {}", mutant.name, mutant.apply(&repository()).err()?)))
        .collect();
    assert!(stale.is_empty(), "{stale:#?}");
}

#[test]
fn every_mutant_names_faults_that_there_are() {
    for mutant in mutants() {
        for fault in &mutant.header.shown_by {
            assert!(fault.parse::<FaultKind>().is_ok(), "{}: there is no fault `{fault}`", mutant.name);
        }
    }
}

#[test]
fn every_part_of_the_engine_has_its_mutants() {
    let mutants = mutants();
    assert!(mutants.len() >= 40, "{} mutants", mutants.len());
    for part in PARTS {
        let planted = mutants.iter().filter(|mutant| mutant.header.part == part).count();
        assert!(planted >= 3, "{part}: {planted}");
    }
}

#[test]
fn the_bugs_of_real_systems_are_among_them() {
    let mutants = mutants();
    for system in SYSTEMS {
        assert!(mutants.iter().any(|mutant| mutant.header.repeats.contains(system)), "{system}");
    }
}

#[test]
fn the_baseline_has_every_mutant_and_no_other() {
    let planted: BTreeSet<_> = mutants().into_iter().map(|mutant| mutant.name).collect();
    let known: BTreeSet<_> = baseline().0.into_keys().collect();
    assert_eq!(known, planted);
}

/// Those of each scenario that `mutants` takes.
const SEEDS: u64 = 1_000;

#[test]
fn every_mutant_is_killed_within_a_thousand_seeds() {
    let lives = |fate: &Fate| !matches!(fate, Fate::Killed(kill) if kill.seed < SEEDS);
    let living: Vec<_> = baseline().0.into_iter().filter(|(_, fate)| lives(fate)).collect();
    assert_eq!(living, []);
}

#[test]
fn the_proof_lists_what_the_baseline_says() {
    let proof = std::fs::read_to_string(repository().join("docs/proof.md")).unwrap();
    assert!(proof.contains(&listing(&mutants(), &baseline())), "put in what `mutants --list` prints");
}
