//! Two drivers on one directory: the second is refused, and where that fails the first is.

use super::workshop::{PROGRAM, Workshop};
use highwater_core::Error;

fn text() -> String {
    (0..200).map(|n| format!("line {n} of {}\n", n % 9)).collect()
}

#[test]
fn a_directory_in_use_is_refused_and_the_live_driver_goes_on() {
    let workshop = Workshop::new(&text());
    let mut live = workshop.start(PROGRAM, Some(1_000.0)).unwrap();
    live.wait(|progress| progress.acknowledged > 0);
    let error = workshop.start(PROGRAM, None).err().expect("it is refused");
    assert!(matches!(error, Error::InUse { .. }), "{error}");
    assert!(error.is_unusable_input());
    assert!(error.to_string().contains(workshop.checkpoint().to_str().unwrap()), "{error}");
    live.finish(workshop.lines).unwrap();
    workshop.assert_all_processed_once("after a second driver was refused");
}

#[test]
fn a_driver_whose_lock_was_taken_away_stops_when_another_has_started() {
    let workshop = Workshop::new(&text());
    let mut older = workshop.start(PROGRAM, Some(500.0)).unwrap();
    older.wait(|progress| progress.acknowledged > 0);
    std::fs::remove_file(workshop.checkpoint().join("lock")).unwrap();
    let newer = workshop.start(PROGRAM, None).unwrap();
    let error = older.finish(u64::MAX).expect_err("it is replaced");
    assert!(error.to_string().contains("generation 1 was replaced by generation 2"), "{error}");
    // Its supervisor may start it again: then the newer one is live, and it is told so.
    assert!(!error.is_unusable_input());
    let error = workshop.start(PROGRAM, None).err().expect("it is refused");
    assert!(matches!(error, Error::InUse { .. }), "{error}");
    drop(newer);
}
