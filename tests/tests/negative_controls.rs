//! A check that cannot fail is worth nothing: for each invariant that is judged there is a planted bug, at the seams, that its
//! judge catches. The engine is the same as in every other test.

use highwater_scenarios::catalogue::find;
use highwater_sim::{
    fault::{Class, FaultKind},
    judge::{Invariant, Verdict},
    run::{RunOptions, run},
    sabotage::Sabotage,
};
use std::collections::BTreeSet;

/// At most so many seeds until the judge has caught it.
const SEEDS_MAX: u64 = 300;

/// The judge of `invariant` objects to some seed under `sabotage`; and without it, it does not.
fn is_caught(scenario: &str, sabotage: Sabotage, invariant: Invariant) {
    let scenario = find(scenario).expect("it is in the catalogue");
    for seed in 0..SEEDS_MAX {
        let sabotaged = RunOptions { sabotage: BTreeSet::from([sabotage]), ..RunOptions::seeded(seed) };
        let report = run(&scenario, &sabotaged).report;
        let caught = |verdict: &Verdict| verdict.invariant == invariant && !verdict.violations.is_empty();
        if report.verdicts.iter().any(caught) {
            let honest = run(&scenario, &RunOptions::seeded(seed)).report;
            assert!(honest.held(), "the judges object to seed {seed} without the sabotage, too");
            println!("{sabotage} is caught by {invariant} at seed {seed}");
            return;
        }
    }
    panic!("{sabotage}: the judge of {invariant} did not object in {SEEDS_MAX} seeds");
}

macro_rules! caught {
    ($($claim:ident: $sabotage:ident, $invariant:ident, $scenario:literal;)*) => {
        $(#[test]
        fn $claim() {
            is_caught($scenario, Sabotage::$sabotage, Invariant::$invariant);
        })*
    };
}

caught! {
    a_source_acknowledged_before_the_sync_is_a_loss: AcknowledgeBeforeSync, I1, "word-count";
    a_file_sync_that_does_nothing_is_a_loss: FileSyncDoesNothing, I1, "word-count";
    a_directory_sync_that_does_nothing_is_a_loss: DirectorySyncDoesNothing, I1, "word-count";
    a_rename_that_lands_before_its_data_stops_progress: RenameLandsBeforeData, I11, "word-count";
    a_hidden_completion_emits_its_batch_again: HideCompletions, I2, "word-count";
    a_sink_written_twice_with_other_bytes_is_no_replay: OutputWrittenTwice, I3, "running-total";
    a_write_that_lands_at_the_end_counts_twice: WritesLandAtTheEnd, I4, "running-total";
    a_directory_sync_that_does_nothing_moves_the_grid: DirectorySyncDoesNothing, I5, "word-count";
    a_write_that_lands_at_the_end_breaks_windows: WritesLandAtTheEnd, I5, "hot-words";
    a_write_that_lands_at_the_end_lets_time_outs_fire_twice: WritesLandAtTheEnd, I6, "sessions";
    a_stale_listing_takes_an_old_checkpoint: ListHidesNewest, I7, "running-total";
    a_removal_that_is_not_durable_leaves_a_checkpoint_without_its_state: DirectorySyncDoesNothing, I8, "running-total";
    a_remove_that_does_nothing_fills_the_disk: RemoveDoesNothing, I9, "running-total-tcp";
    a_lost_claim_lets_two_drivers_share_a_generation: DirectorySyncDoesNothing, I10, "running-total";
    a_file_sync_that_does_nothing_stops_progress: FileSyncDoesNothing, I11, "running-total";
    a_sink_written_twice_breaks_the_order_of_times: OutputWrittenTwice, I12, "word-count-tcp";
    an_error_that_nobody_looks_at_is_taken_for_success: ErrorsAreSwallowed, I13, "running-total";
    a_directory_sync_that_does_nothing_makes_recoveries_differ: DirectorySyncDoesNothing, I14, "sessions-tcp";
    a_failed_sync_that_is_told_once_lets_two_drivers_share_a_generation: FailedSyncsAreToldOnce, I10, "hot-words-tcp";
    a_failed_sync_that_is_told_once_takes_what_a_start_needs: FailedSyncsAreToldOnce, I11, "hot-words-tcp";
    a_create_that_overwrites_lets_two_drivers_claim_one_generation: CreateNewOverwrites, I10, "running-total";
}

/// A disk that lies about its syncs is beyond any engine: the judges see that too.
#[test]
fn a_lying_disk_loses_what_was_acknowledged() {
    let scenario = find("word-count").expect("it is in the catalogue");
    let faults = vec![FaultKind::LyingDisk, FaultKind::PowerLoss];
    let lost = (0..SEEDS_MAX).find(|seed| {
        let report =
            run(&scenario, &RunOptions { faults: faults.clone(), ..RunOptions::seeded(*seed) }).report;
        let judged = |verdict: &&Verdict| verdict.invariant == Invariant::I1;
        let broken =
            report.verdicts.iter().find(judged).is_some_and(|verdict| !verdict.violations.is_empty());
        report.class == Class::Beyond && broken
    });
    assert!(lost.is_some(), "no loss in {SEEDS_MAX} seeds");
}

/// Fencing needs no lock: a driver that lost its lock finds the newer claim at its next check, and stops.
mod fencing {
    use highwater_core::{Error, Options, StreamingContext, env::Env};
    use highwater_sim::{
        sabotage::Sabotage,
        simulation::{WorldOptions, run_simulation},
    };
    use std::time::Duration;

    async fn driver(env: Env) -> Result<(), Error> {
        env.disk.create_dir(std::path::Path::new("/output")).await.expect("nothing fails here");
        let mut context = StreamingContext::get_or_create(env, "/checkpoint", |env| {
            let context = StreamingContext::new(env, Options::default())?;
            let words = context.queue_stream(vec![vec![String::from("a")]; 100]);
            words.write_text("/output/out", |batch| format!("{}\n", batch.time()));
            Ok(context)
        })
        .await?;
        context.start().await?;
        context.await_termination().await
    }

    fn two_drivers(sabotage: Option<Sabotage>) -> (Option<String>, Option<String>) {
        let mut options = WorldOptions::seeded(1);
        options.sabotage.extend(sabotage);
        run_simulation(options, |world| async move {
            let (old, new) = (world.add_node("old"), world.add_node("new"));
            let old_ended = old.start(driver);
            world.sleep(Duration::from_millis(3300)).await;
            let new_ended = new.start(driver);
            world.sleep(Duration::from_secs(5)).await;
            let mut ended = [None, None];
            for (slot, handle) in ended.iter_mut().zip([old_ended, new_ended]) {
                if handle.is_finished() {
                    *slot = handle.await.expect("it ended by itself").err().map(|error| error.to_string());
                }
            }
            let [old_error, new_error] = ended;
            (old_error, new_error)
        })
        .expect("nothing panics")
    }

    #[test]
    fn a_second_driver_is_refused_while_the_first_one_lives() {
        let (old, new) = two_drivers(None);
        assert_eq!(old, None, "the first one goes on");
        assert!(new.expect("it is refused").contains("in use by a live driver"));
    }

    #[test]
    fn a_driver_that_lost_its_lock_is_fenced_by_the_newer_claim() {
        let (old, new) = two_drivers(Some(Sabotage::LocksDoNotExclude));
        assert!(old.expect("it stops").contains("generation 1 was replaced by generation 2"));
        assert_eq!(new, None, "the newer one goes on");
    }
}
