//! The proof of the durable steps: steps of each kind are found in runs and caught, the same on any number of threads; one that
//! is not needed is told, and fails the command.

use highwater_scenarios::catalogue::find;
use highwater_sim::{
    prove::{Proof, find_steps, is_slack, prove},
    sabotage::Sabotage,
    scenario::Scenario,
};
use highwater_tests::command::Process;
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

fn named(names: &[&str]) -> Vec<Sabotage> {
    names.iter().map(|name| name.parse().expect("there is such a sabotage")).collect()
}

fn scenarios(names: &[&str]) -> Vec<Scenario> {
    names.iter().map(|name| find(name).expect("it is in the catalogue")).collect()
}

fn proofs(scenarios: &[Scenario], steps: &[&str], seeds: u64, jobs: usize) -> Vec<Proof> {
    let mut proofs = Vec::new();
    prove(scenarios, &named(steps), seeds, jobs, || true, |proof| proofs.push(proof));
    proofs
}

#[test]
fn a_step_of_each_kind_is_caught_and_the_same_on_any_number_of_threads() {
    // The last is the one that puts files in their place.
    let scenarios =
        scenarios(&["hot-words", "running-total-tcp", "word-count-tcp", "save-as-text-files-tcp"]);
    let steps = [
        "skip:sync:journal",
        "skip:sync-dir:checkpoint",
        "skip:remove:generation",
        "skip:remove:journal",
        "skip:remove:output",
        "overwrite:generation",
        "late:sync:journal:sync:output",
        "forge:journal",
        "forge:marks",
        "shorten:journal",
        "misname:journal",
        "misname:marks",
        "misname:checkpoint",
        "misname:state",
        "hide-completions",
    ];
    let proved = proofs(&scenarios, &steps, 60, 2);
    assert_eq!(proved.iter().map(|proof| proof.step).collect::<Vec<_>>(), named(&steps));
    for proof in &proved {
        let caught = proof.caught.as_ref().unwrap_or_else(|| panic!("nobody caught {}", proof.step));
        assert!(!caught.broken.is_empty() && proof.seeds == caught.seed + 1, "{proof:?}");
    }
    assert_eq!(proofs(&scenarios, &steps, 60, 1), proved);
}

#[test]
fn a_step_that_nothing_needs_is_not_caught_and_one_that_is_needed_later_is_slack() {
    // A pipeline without state never syncs any.
    let not_made = proofs(&scenarios(&["word-count"]), &["skip:sync:state"], 8, 2);
    assert!(not_made[0].caught.is_none() && not_made[0].seeds == 8, "{not_made:?}");
    assert!(!is_slack(&not_made[0], &not_made));
    // What a snapshot holds counts once a checkpoint names it.
    let scenarios = scenarios(&["running-total-tcp"]);
    let mut proved = proofs(&scenarios, &["late:sync:state:sync-dir:state"], 8, 2);
    assert!(proved[0].caught.is_none() && !is_slack(&proved[0], &proved), "{proved:?}");
    proved.extend(proofs(&scenarios, &["skip:sync:state"], 300, 1));
    assert!(proved[1].caught.is_some() && is_slack(&proved[0], &proved), "{proved:?}");
}

#[test]
fn what_is_stopped_tells_what_was_done_and_begins_nothing_more() {
    let scenarios = scenarios(&["word-count"]);
    let asked = AtomicU64::new(0);
    let some_runs = || asked.fetch_add(1, Relaxed) < 20;
    let mut proofs = Vec::new();
    // A pipeline without state makes none of them: each would take all its runs.
    let steps = named(&["skip:sync:state", "skip:sync-dir:state", "skip:remove:state"]);
    prove(&scenarios, &steps, 15, 1, some_runs, |proof| proofs.push(proof.step));
    assert_eq!(proofs, steps[..1], "the first took 15 runs, the second was under way");
    assert_eq!(find_steps(&scenarios, 1, || false), None);
}

#[test]
fn the_steps_are_those_that_runs_make() {
    let find = |jobs| find_steps(&scenarios(&["running-total"]), jobs, || true).expect("nobody stops it");
    let found = find(2);
    assert_eq!(find(1), found);
    let steps: BTreeSet<Sabotage> = found.steps.iter().copied().collect();
    for made in named(&[
        "skip:sync:state",
        "skip:sync-dir:journal",
        "skip:remove:marks",
        "skip:sync:marks",
        "overwrite:output",
        "late:sync:checkpoint:rename:checkpoint",
        "late:sync:state:sync-dir:state",
        "late:sync-dir:checkpoint:remove:journal",
        "forge:checkpoint",
        "shorten:state",
        "misname:checkpoint",
        "misname:state",
        "hide-claims",
    ]) {
        assert!(steps.contains(&made), "{made}: {:?}", found.steps);
    }
    assert!(found.unconditional.contains(&named(&["overwrite:state"])[0]), "{:?}", found.unconditional);
    // Blocks are synced whenever they come, whatever a checkpoint waits for.
    assert!(
        found.unordered.contains(&named(&["late:sync:checkpoint:sync:journal"])[0]),
        "{:?}",
        found.unordered
    );
    assert!(found.unordered.iter().all(|pair| !steps.contains(pair)));
}

fn command(arguments: &[&str]) -> (Option<i32>, String, String) {
    let directory = tempfile::tempdir().expect("a directory");
    let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    let mut process = Process::start(directory.path(), "prove", &arguments);
    let status = process.wait().code();
    let out = String::from_utf8(process.stdout().expect("it is in a file")).expect("text");
    (status, out, process.stderr())
}

#[test]
fn the_command_fails_if_nobody_objects() {
    let (status, out, said) =
        command(&["prove", "word-count", "--seeds", "300", "--step", "skip:sync:journal"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.starts_with("proving 1 steps, 1 scenarios, seeds 0..300"), "{said}");
    assert!(
        out.contains("1 of 1 step caught") && out.contains("highwater replay word-count --seed "),
        "{out}"
    );
    // What a snapshot holds counts once a checkpoint names it.
    let late = "late:sync:state:sync-dir:state";
    let twice = format!("{late},{late}");
    let arguments = ["prove", "running-total-tcp", "running-total-tcp", "--seeds", "3", "--step", &twice];
    let (status, out, said) = command(&arguments);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.starts_with("proving 1 steps, 1 scenarios, "), "each once: {said}");
    assert!(out.contains("NOBODY") && said.contains("error: nobody objected"), "{out}{said}");
    let (_, json, _) = command(&[&arguments[..], &["--format", "json"]].concat());
    let row = format!("\"step\": \"{late}\",\n      \"caught\": null,\n      \"seeds\": 3");
    assert!(json.contains(&row), "{json}");
}

#[test]
fn a_step_that_no_run_makes_is_wrong_usage() {
    let (status, _, said) =
        command(&["prove", "word-count", "--step", "skip:sync:journal,skip:sync:state,forge:state"]);
    assert_eq!(status, Some(2), "{said}");
    assert!(
        said.starts_with(
            "error: no run of word-count makes skip:sync:state, forge:state: name other scenarios"
        ),
        "{said}"
    );
    let (status, _, said) = command(&["prove", "--step", "file-sync-does-nothing"]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("is no step: `sweep --sabotage` takes it"), "{said}");
}

#[test]
fn wrong_usage_is_told_apart() {
    for wrong in [&["nothing"][..], &["--seeds", "0"], &["--step", "skip:list:journal"], &["--jobs", "1025"]]
    {
        let (status, _, said) = command(&[&["prove"], wrong].concat());
        assert_eq!(status, Some(2), "{said}");
    }
}
