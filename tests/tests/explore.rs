//! The exploration of crash points: it is whole where nothing bounds it, the same on any number of threads, quiet about the engine as it
//! is, and finds a promise of the disk that is broken. Then the command, as a user sees it.

use highwater_scenarios::catalogue::find;
use highwater_sim::{
    explore::{Exploration, ExploreOptions, explore},
    fault::{Fault, PlanFile},
    run::{RunOptions, run},
    sabotage::Sabotage,
};
use highwater_tests::command::Process;
use rustix::process::Signal;
use std::{
    ffi::OsStr,
    fs,
    path::Path,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// Few lines and few images, so that depth 1 is whole in seconds.
fn short() -> ExploreOptions {
    ExploreOptions { lines: Some(3), images_max: 2, jobs: 2, ..ExploreOptions::seeded(2) }
}

fn explored(scenario: &str, options: &ExploreOptions) -> Exploration {
    let scenario = find(scenario).expect("it is in the catalogue");
    explore(&scenario, options, || true, |_| ()).expect("the run without a crash goes well")
}

#[test]
fn depth_one_is_whole_finds_nothing_and_is_the_same_on_any_number_of_threads() {
    let exploration = explored("running-total", &short());
    let [depth] = &exploration.depths[..] else { panic!("one depth was asked for") };
    let counts = depth.counts;
    let operations = exploration.calm.disk_operations + exploration.calm.network_operations;
    assert_eq!((counts.points, depth.points_total), (3 * operations, 3 * operations));
    assert_eq!(counts.images, counts.deduplicated + counts.runs);
    assert!(counts.images > counts.points && counts.deduplicated > counts.points, "{counts:?}");
    assert_eq!((counts.missed, exploration.violations), (0, 0), "{:?}", exploration.failures);
    let points: u64 = depth.operations.values().map(|counts| counts.points).sum();
    assert_eq!(points, counts.points, "every point is of one operation");
    let alone = explored("running-total", &ExploreOptions { jobs: 1, ..short() });
    assert_eq!(alone, exploration);
}

#[test]
fn a_second_crash_comes_at_points_spread_over_all_recoveries() {
    let options = ExploreOptions { depth: 2, images_max: 1, ..short() };
    let first = explored("word-count", &ExploreOptions { depth: 1, ..options.clone() });
    let runs_max = first.depths[0].counts.runs + 250;
    let both = explored("word-count", &ExploreOptions { runs_max, ..options });
    assert!(both.cut_short && !first.cut_short);
    assert_eq!(both.depths[0], first.depths[0], "the budget was enough for depth 1");
    let second = &both.depths[1];
    assert!(second.counts.points < second.points_total, "and not for depth 2");
    assert!(second.counts.runs >= 250 && second.counts.runs < 350, "{:?}", second.counts);
    assert_eq!((second.counts.missed, both.violations), (0, 0), "{:?}", both.failures);
    for place in ["generation", "journal", "checkpoint", "output", "network"] {
        let of_place = |operation: &String| operation.starts_with(&format!("{place}: "));
        assert!(second.operations.keys().any(of_place), "{place}: {:?}", second.operations.keys());
    }
}

#[test]
fn what_is_stopped_between_two_images_tells_what_was_lived_through_and_begins_nothing_more() {
    let scenario = find("word-count").expect("it is in the catalogue");
    // Each point has more images than anybody waits for.
    let options = ExploreOptions { images_max: 1_000_000, jobs: 1, lines: None, ..short() };
    let whole = ExploreOptions { runs_max: 100, ..options.clone() };
    let whole = explore(&scenario, &whole, || true, |_| ()).expect("the run without a crash goes well");
    let asked = AtomicU64::new(0);
    let some = || asked.fetch_add(1, Relaxed) < 700;
    let part = explore(&scenario, &options, some, |_| ()).expect("the run without a crash goes well");
    let (counts, most) = (part.depths[0].counts, whole.depths[0].counts);
    assert!(part.cut_short && counts.points < part.depths[0].points_total, "{counts:?}");
    assert!(counts.runs > 0 && counts.images == counts.deduplicated + counts.runs, "{counts:?}");
    assert!(most.runs >= 100 && most.runs < 100 + 64, "{most:?}");
    // It asks before each image that is made, looked at or lived through.
    assert!(asked.load(Relaxed) < 1000, "{asked:?}");
}

#[test]
fn a_sync_that_does_nothing_is_found_at_depth_one_with_a_plan_that_replays() {
    for sabotage in [Sabotage::FileSyncDoesNothing, Sabotage::DirectorySyncDoesNothing] {
        let options = ExploreOptions { sabotage: [sabotage].into(), runs_max: 100, ..short() };
        let exploration = explored("word-count", &options);
        let failure = exploration.failures.first().expect("it is found");
        let [Fault::Crash(crash)] = &failure.plan.faults[..] else { panic!("one crash") };
        assert!(crash.power_loss.as_ref().is_some_and(|power_loss| power_loss.keep.is_some()), "{sabotage}");
        let again = RunOptions {
            plan: Some(failure.plan.clone()),
            sabotage: options.sabotage.clone(),
            ..RunOptions::seeded(options.seed)
        };
        let scenario = find("word-count").expect("it is in the catalogue");
        assert!(!run(&scenario, &again).report.held(), "{sabotage}: the plan replays");
        let honest = RunOptions { sabotage: Default::default(), ..again };
        assert!(run(&scenario, &honest).report.held(), "{sabotage}: and it is the sabotage that fails it");
    }
}

/// The command, to its end: its status and its two outputs.
fn command(directory: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    let mut process = Process::start(directory, "explore", &arguments);
    let status = process.wait().code();
    let out = String::from_utf8(process.stdout().expect("it is in a file")).expect("text");
    (status, out, process.stderr())
}

#[test]
fn the_command_tells_how_much_it_explored() {
    let directory = tempfile::tempdir().expect("a directory");
    let arguments = ["explore", "word-count", "--seed", "2", "--lines", "3", "--runs-max", "60", "--format"];
    let (status, out, said) = command(directory.path(), &[&arguments[..], &["text"]].concat());
    assert_eq!(status, Some(0), "{said}");
    assert!(
        said.starts_with("exploring word-count, seed 2, lines 3, depth 1, images at most 16 a point"),
        "{said}"
    );
    assert!(out.contains("depth 1: explored ") && out.contains("spread over all of them"), "{out}");
    assert!(out.contains("\njournal: "), "{out}");
    let (_, json, _) = command(directory.path(), &[&arguments[..], &["json"]].concat());
    assert!(json.starts_with("{\n  \"scenario\": \"word-count\",\n  \"seed\": 2,"), "{json}");
    assert!(json.contains("\"points_total\": ") && json.contains("\"violations\": 0,"), "{json}");
}

#[test]
fn the_command_leaves_a_plan_of_each_failure_that_replay_reads() {
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path().join("plans");
    let out_text = out.to_str().expect("a path in text");
    let short = ["--seed", "2", "--lines", "3", "--runs-max", "20", "--sabotage", "file-sync-does-nothing"];
    let arguments = [&["explore", "word-count", "--out", out_text], &short[..]].concat();
    let (status, told, said) = command(directory.path(), &arguments);
    assert_eq!(status, Some(1), "{said}");
    let replay = told.lines().find_map(|line| line.trim().strip_prefix("replay: highwater "));
    let replay: Vec<&str> = replay.expect("it tells how to see it again").split(' ').collect();
    let plan = fs::read_to_string(replay[5]).expect("the plan was written");
    let plan = PlanFile::read(&plan).expect("it can be read");
    assert_eq!((plan.scenario.as_deref(), plan.plan.lines), (Some("word-count"), Some(3)));
    let (status, report, _) = command(directory.path(), &replay);
    assert_eq!(status, Some(1), "{report}");
    assert!(report.contains("BROKEN"), "{report}");
}

#[test]
fn a_budget_and_ctrl_c_are_answered_between_two_images() {
    let directory = tempfile::tempdir().expect("a directory");
    let endless = ["explore", "word-count", "--images-max", "1000000000000"];
    let started = Instant::now();
    let (status, out, said) = command(directory.path(), &[&endless[..], &["--budget", "4s"]].concat());
    // Far less than a point takes, and far more than a busy machine, which may not come to any run.
    assert!(started.elapsed() < Duration::from_secs(40), "{said}");
    assert!(matches!(status, Some(0 | 1)) && out.contains("cut short: "), "{out}{said}");

    let arguments: Vec<&OsStr> = endless.iter().map(OsStr::new).collect();
    let mut process = Process::start(directory.path(), "stopped", &arguments);
    process.wait_said(|said| said.contains("exploring word-count").then_some(()));
    std::thread::sleep(Duration::from_millis(500));
    let started = Instant::now();
    process.signal(Signal::TERM);
    // Nothing may be known by then.
    assert!(matches!(process.wait().code(), Some(0 | 1)), "{}", process.stderr());
    assert!(started.elapsed() < Duration::from_secs(30), "{}", process.stderr());
}

#[test]
fn what_explores_nothing_is_no_success() {
    let directory = tempfile::tempdir().expect("a directory");
    let (status, _, said) = command(directory.path(), &["explore", "word-count", "--budget", "1ms"]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.ends_with("error: no run was finished: nothing is known\n"), "{said}");
}

#[test]
fn wrong_usage_is_told_apart() {
    let directory = tempfile::tempdir().expect("a directory");
    for wrong in [
        &["nothing"][..],
        &["word-count", "--depth", "3"],
        &["word-count", "--images-max", "0"],
        &["word-count", "--runs-max", "0"],
        &["word-count", "--jobs", "1000000000"],
        &["word-count", "--seed", "9223372036854775808"],
    ] {
        let (status, _, said) = command(directory.path(), &[&["explore"], wrong].concat());
        assert_eq!(status, Some(2), "{said}");
    }
}
