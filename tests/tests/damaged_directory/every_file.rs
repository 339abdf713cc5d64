//! Every file, cut, deleted or with one bit changed: refused without a change, or recovered right.

use super::{
    damage::{Damage, cuts_and_deletions, flips},
    image::Image,
    workshop::Workshop,
};
use highwater_core::{Error, event::Event};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Refused,
    Recovered { rejected: usize },
}

/// Starts a driver on a damaged directory and judges what it does.
///
/// `earlier` is a file that was damaged before: an error may name that one.
fn judge(workshop: &Workshop, image: &Image, earlier: Option<&Path>, path: &Path, damage: Damage) -> Outcome {
    let what = format!("{} with {damage:?}", path.display());
    let damaged = damage.done_to(image, path);
    damaged.write(workshop.root());
    match workshop.finish() {
        Ok(events) => {
            workshop.assert_all_processed_once(&what);
            let claimed = events.iter().find_map(|event| match event {
                Event::GenerationClaimed { generation } => Some(generation.0),
                _ => None,
            });
            assert!(claimed > damaged.newest_generation(), "{what}: {claimed:?} is a generation of before");
            let rejected = events.iter().filter(|event| matches!(event, Event::CandidateRejected { .. }));
            Outcome::Recovered { rejected: rejected.count() }
        }
        Err(error) => {
            assert_refused(workshop, &damaged, &error, &what);
            let named = |path: &Path| error.to_string().contains(number_of(path));
            assert!(
                named(path) || earlier.is_some_and(named),
                "{what}: the error names another file: {error}"
            );
            Outcome::Refused
        }
    }
}

/// What an error calls a file by: a segment that is missing is told by its number, where no other file knows its generation,
/// and a checkpoint without the zeros.
fn number_of(path: &Path) -> &str {
    let name = path.file_name().unwrap().to_str().unwrap();
    name.split('-').next().unwrap().trim_start_matches('0')
}

/// Checks that a start was refused for what it found, and changed nothing.
pub fn assert_refused(workshop: &Workshop, before: &Image, error: &Error, what: &str) {
    assert!(error.is_unusable_input(), "{what}: {error}");
    let after = Image::read(workshop.root()).without_claims();
    assert!(after == before.without_claims(), "{what}: the refused start changed files");
}

type Outcomes = BTreeMap<String, u32>;

fn judge_all(
    workshop: &Workshop,
    image: &Image,
    earlier: Option<&Path>,
    damages: Vec<(PathBuf, Damage)>,
) -> Outcomes {
    let mut outcomes = Outcomes::new();
    for (path, damage) in damages {
        let outcome = judge(workshop, image, earlier, &path, damage);
        let folder = path.iter().nth(1).unwrap().to_str().unwrap();
        let extension = path.extension().map_or(String::new(), |e| format!(" .{}", e.display()));
        *outcomes.entry(format!("{folder}{extension} {outcome:?}")).or_default() += 1;
    }
    eprintln!("{outcomes:#?}");
    outcomes
}

/// Checks that what must be refused was, what must be recovered was, and both were met.
fn assert_met(outcomes: &Outcomes) {
    let met = |wanted: &str| outcomes.keys().any(|outcome| outcome.starts_with(wanted));
    assert!(met("journal .wal Refused"), "{outcomes:#?}");
    for folder in ["checkpoint", "state", "generation", "journal .durable"] {
        assert!(met(&format!("{folder} Recovered")), "{folder}: {outcomes:#?}");
        assert!(!met(&format!("{folder} Refused")), "{folder}: {outcomes:#?}");
    }
    assert!(met("checkpoint Recovered { rejected: 1 }"), "{outcomes:#?}");
}

#[test]
fn a_cut_or_deleted_file_is_refused_or_made_up_for() {
    let (workshop, image) = Workshop::at_work();
    assert_met(&judge_all(&workshop, &image, None, cuts_and_deletions(&image)));
}

#[test]
fn one_changed_bit_anywhere_is_refused_or_made_up_for() {
    let (workshop, image) = Workshop::at_work();
    assert_met(&judge_all(&workshop, &image, None, flips(&image, 47)));
}

#[test]
fn a_second_damage_beside_a_lost_checkpoint_is_refused_or_made_up_for() {
    let (workshop, image) = Workshop::at_work();
    let newest = image.folder("checkpoint").pop().unwrap();
    let image = Damage::Delete.done_to(&image, &newest);
    judge_all(&workshop, &image, Some(&newest), cuts_and_deletions(&image));
}

#[test]
fn a_second_damage_beside_a_damaged_state_is_refused_or_made_up_for() {
    let (workshop, image) = Workshop::at_work();
    let newest = image.folder("state").pop().unwrap();
    let image = Damage::Truncate(image.0[&newest].len() / 2).done_to(&image, &newest);
    judge_all(&workshop, &image, Some(&newest), cuts_and_deletions(&image));
}
