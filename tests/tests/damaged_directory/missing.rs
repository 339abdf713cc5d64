//! Whole kinds of files gone: only an empty directory is a first start.

use super::{
    damage::Damage,
    every_file::assert_refused,
    image::Image,
    workshop::{PROGRAM, Workshop},
};
use highwater_core::{Error, event::Event};

/// The image without the files of these folders.
fn without(image: &Image, folders: &[&str]) -> Image {
    let mut rest = image.clone();
    for path in folders.iter().flat_map(|folder| image.folder(folder)) {
        rest.0.remove(&path);
    }
    rest
}

fn refused(workshop: &Workshop, image: &Image, what: &str) -> Error {
    image.write(workshop.root());
    let error = workshop.start(PROGRAM, None).err().unwrap_or_else(|| panic!("{what}: it is not refused"));
    assert_refused(workshop, image, &error, what);
    error
}

#[test]
fn no_checkpoint_beside_a_journal_or_a_state_is_refused_with_what_was_found() {
    let (workshop, image) = Workshop::at_work();
    for (gone, found) in [
        (&["checkpoint"][..], "journal segments"),
        (&["checkpoint", "journal"], "state files"),
        (&["checkpoint", "state"], "journal segments"),
        (&["checkpoint", "generation"], "state files"),
    ] {
        let what = format!("without {gone:?}");
        let error = refused(&workshop, &without(&image, gone), &what);
        assert!(matches!(error, Error::NoUsableCheckpoint { .. }), "{what}: {error}");
        assert!(error.to_string().contains(found), "{what}: {error}");
    }
}

#[test]
fn no_journal_beside_a_checkpoint_is_refused() {
    let (workshop, image) = Workshop::at_work();
    for gone in [&["journal"][..], &["journal", "state"], &["journal", "generation"]] {
        let what = format!("without {gone:?}");
        let error = refused(&workshop, &without(&image, gone), &what);
        assert!(
            error.to_string().contains("state/") || error.to_string().contains("journal/"),
            "{what}: {error}"
        );
    }
}

#[test]
fn every_checkpoint_or_every_state_damaged_is_refused_with_each_reason() {
    let (workshop, image) = Workshop::at_work();
    for folder in ["checkpoint", "state"] {
        let mut damaged = image.clone();
        for path in image.folder(folder) {
            let middle = image.0[&path].len() / 2;
            damaged = Damage::Flip { byte: middle, bit: 3 }.done_to(&damaged, &path);
        }
        let error = refused(&workshop, &damaged, folder);
        let Error::NoUsableCheckpoint { rejected, .. } = &error else { panic!("{folder}: {error}") };
        assert_eq!(rejected.len(), image.folder("checkpoint").len(), "{folder}: {error}");
        for (_, reason) in rejected {
            assert!(reason.contains(&format!("{folder}/")), "{folder}: {error}");
        }
    }
}

#[test]
fn a_directory_that_is_not_there_or_empty_is_a_first_start() {
    for prepared in
        [&[][..], &["checkpoint"], &["checkpoint/journal", "checkpoint/state", "checkpoint/generation"]]
    {
        let workshop = Workshop::new("one two\ntwo\n");
        for folder in prepared {
            std::fs::create_dir_all(workshop.root().join(folder)).unwrap();
        }
        let events = workshop.finish().unwrap();
        assert!(events.iter().any(|event| matches!(event, Event::StartedFresh { .. })), "{prepared:?}");
        workshop.assert_all_processed_once("a first start");
    }
}

#[test]
fn a_file_in_the_place_of_a_folder_is_refused_by_its_name() {
    let (workshop, image) = Workshop::at_work();
    for folder in ["checkpoint", "state", "journal", "generation"] {
        let mut blocked = image.clone();
        // Also what a driver was about to publish.
        blocked.0.retain(|path, _| !path.starts_with(format!("checkpoint/{folder}")));
        blocked.0.insert(format!("checkpoint/{folder}").into(), b"in the way".to_vec());
        let error = refused(&workshop, &blocked, folder);
        assert!(error.to_string().contains(&format!("checkpoint/{folder}")), "{folder}: {error}");
    }
}
