//! Falling back: each retained checkpoint leads to the same end when the newer ones are gone. Tried where it is hardest: right
//! after a recovery, when what is retained was written by lives that have ended.

use super::{damage::Damage, image::Image, workshop::Workshop};
use highwater_core::event::Event;

/// Which checkpoint a start took, and how many it rejected.
fn taken(workshop: &Workshop, image: &Image, what: &str) -> (String, usize) {
    image.write(workshop.root());
    let events = workshop.finish().unwrap_or_else(|error| panic!("{what}: {error}"));
    workshop.assert_all_processed_once(what);
    let taken = events.iter().find_map(|event| match event {
        Event::Recovered(recovery) => Some(recovery.checkpoint.to_string()),
        _ => None,
    });
    let rejected = events.iter().filter(|event| matches!(event, Event::CandidateRejected { .. })).count();
    (taken.unwrap_or_else(|| panic!("{what}: it started afresh")), rejected)
}

#[test]
fn each_retained_checkpoint_leads_to_the_same_end_when_the_newer_ones_are_gone() {
    let (workshop, image) = Workshop::recovered();
    let checkpoints = image.folder("checkpoint");
    assert!(checkpoints.len() >= 3, "{checkpoints:?}");
    for (newer, what) in [(Damage::Delete, "deleted"), (Damage::Truncate(50), "cut")] {
        let mut rest = image.clone();
        for path in checkpoints.iter().skip(1).rev() {
            rest = newer.done_to(&rest, path);
            taken(&workshop, &rest, &format!("{} and later {what}", path.display()));
        }
    }
}

#[test]
fn an_older_snapshot_leads_to_the_same_end_when_the_newer_ones_are_gone() {
    let (workshop, image) = Workshop::recovered();
    let snapshots = image.folder("state");
    assert!(snapshots.len() >= 2, "{snapshots:?}");
    let mut rest = image.clone();
    for path in snapshots.iter().skip(1).rev() {
        rest = Damage::Flip { byte: rest.0[path].len() / 2, bit: 0 }.done_to(&rest, path);
        let what = format!("{} and later damaged", path.display());
        let (_, rejected) = taken(&workshop, &rest, &what);
        assert!(rejected > 0, "{what}: nothing was rejected");
    }
}
