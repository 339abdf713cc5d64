//! Whole kinds of files gone: only an empty directory is a first start.

use super::{
    damage::{Damage, borders},
    every_file::assert_refused,
    image::Image,
    workshop::{PROGRAM, Workshop},
};
use highwater_core::{
    Error,
    checkpoint::Checkpoint,
    codec::read_frame,
    event::Event,
    journal::{SegmentName, decode_marks},
};
use std::path::PathBuf;

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

/// The newest segment, and how much of it the newest checkpoint says was durable; `None` if that one tells of an older segment.
fn known_to_be_durable(image: &Image) -> Option<(PathBuf, usize)> {
    let newest = image.folder("checkpoint").pop()?;
    let (frame, _) = read_frame(&image.0[&newest]).unwrap();
    let checkpoint: Checkpoint = frame.decode().unwrap();
    let segment =
        image.folder("journal").into_iter().rfind(|path| path.extension().is_some_and(|it| it == "wal"))?;
    let generation = newest.to_str()?.rsplit('-').next()?;
    let name = format!("{:010}-{generation}", checkpoint.journal_newest?.0);
    let is_it = segment.file_stem().is_some_and(|stem| *stem == *name);
    (is_it && checkpoint.journal_durable > 0).then_some((segment, checkpoint.journal_durable as usize))
}

#[test]
fn a_segment_without_its_end_and_its_marks_is_refused_by_what_the_checkpoint_knows() {
    let at_work = std::iter::repeat_with(Workshop::at_work).take(30);
    let mut told = at_work.filter_map(|(workshop, image)| {
        let (segment, durable) = known_to_be_durable(&image)?;
        let unmarked = Damage::Delete.done_to(&image, &segment.with_extension("durable"));
        let cuts: Vec<usize> = borders(&image.0[&segment]).into_iter().filter(|at| *at < durable).collect();
        let refusals = cuts.into_iter().map(|at| {
            let what = format!("{} cut to {at} of {durable} bytes", segment.display());
            refused(&workshop, &Damage::Truncate(at).done_to(&unmarked, &segment), &what).to_string()
        });
        refusals.collect::<Vec<_>>().into_iter().find(|error| error.contains("when checkpoint"))
    });
    assert!(told.next().is_some(), "no checkpoint told of the newest segment");
}

/// The newest segment, if the checkpoint knows of it or the mark at the end of the one before it: a driver that dies while it begins one leaves
/// a segment that nothing tells of, and that may as well be gone.
fn told_of(image: &Image) -> Option<PathBuf> {
    let name = |path: &PathBuf| SegmentName::parse(path.file_stem()?.to_str()?);
    let of_journal = |kind: &'static str| {
        let files = image.folder("journal").into_iter();
        files.filter(move |path| path.extension().is_some_and(|it| it == kind))
    };
    let newest = of_journal("wal").next_back()?;
    let wanted = name(&newest)?;
    let tells = |path: PathBuf| {
        let before = name(&path).filter(|before| before.generation == wanted.generation);
        let before = before.filter(|before| before.segment.next() == wanted.segment);
        before.is_some_and(|before| decode_marks(before, &image.0[&path]).is_ok_and(|marks| marks.continued))
    };
    (known_to_be_durable(image).is_some() || of_journal("durable").any(tells)).then_some(newest)
}

#[test]
fn a_newest_segment_of_which_nothing_is_left_is_missed() {
    let mut at_work = std::iter::repeat_with(Workshop::at_work).take(30);
    let found = at_work.find_map(|(workshop, image)| Some((workshop, told_of(&image)?, image)));
    let (workshop, newest, image) = found.expect("something tells of the newest segment");
    let gone = Damage::Delete.done_to(&image, &newest);
    let gone = Damage::Delete.done_to(&gone, &newest.with_extension("durable"));
    let error = refused(&workshop, &gone, "without the newest segment").to_string();
    assert!(error.contains("missing"), "{error}");
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
